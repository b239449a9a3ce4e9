/** The differences of numbers in WebAssembly. */
import type { DifferenceKernels } from './difference-kernels.ts';
import type { KernelMemory } from './kernel-memory.ts';
import { kernelModule, type KernelModule } from './kernel-module.ts';

declare const WebAssembly: {
  readonly Instance: new (
    module: KernelModule,
    imports: { readonly env: { readonly memory: KernelMemory } },
  ) => { readonly exports: Omit<DifferenceKernels, 'bytes'> };
};

/** The kernels over all of `memory`: synchronous, and they keep nothing. `module` is compiled anew unless given. */
export function wasmDifferences(memory: KernelMemory, module: KernelModule = kernelModule()): DifferenceKernels {
  const { exports: wasm } = new WebAssembly.Instance(module, { env: { memory } });
  // Booleans become 0 and 1 on the way.
  return {
    bytes: new Uint8Array(memory.buffer),
    differ16: wasm.differ16,
    differ32: wasm.differ32,
    differ64: wasm.differ64,
    undiffer16: wasm.undiffer16,
    undiffer32: wasm.undiffer32,
    undiffer64: wasm.undiffer64,
    differ8: wasm.differ8,
    undiffer8: wasm.undiffer8,
    restBits: wasm.restBits,
    writeRest16: wasm.writeRest16,
    writeRest32: wasm.writeRest32,
    writeRest64: wasm.writeRest64,
    readRest16: wasm.readRest16,
    readRest32: wasm.readRest32,
    readRest64: wasm.readRest64,
    classesOf: wasm.classesOf,
    upperBits: wasm.upperBits,
  };
}
