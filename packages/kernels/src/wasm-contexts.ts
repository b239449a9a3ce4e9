/** The coder of symbols with contexts in WebAssembly. */
import type { ContextKernels } from './context-kernels.ts';
import type { KernelMemory } from './kernel-memory.ts';
import { kernelModule, type KernelModule } from './kernel-module.ts';

declare const WebAssembly: {
  readonly Instance: new (
    module: KernelModule,
    imports: { readonly env: { readonly memory: KernelMemory } },
  ) => { readonly exports: Exports };
};

/** What assembly/contexts.ts exports; booleans are 0 and 1. */
interface Exports extends Omit<ContextKernels, 'bytes' | 'makeContextDecodeTable' | 'decodeContexts'> {
  readonly makeContextDecodeTable: (weights: number, table: number) => number;
  readonly decodeContexts: (
    tables: number,
    next: number,
    map: number,
    known: number,
    from: number,
    length0: number,
    length1: number,
    length2: number,
    length3: number,
    to: number,
    count: number,
  ) => number;
}

/** The kernels over all of `memory`: synchronous, and they keep nothing. `module` is compiled anew unless given. */
export function wasmContexts(memory: KernelMemory, module: KernelModule = kernelModule()): ContextKernels {
  const { exports: wasm } = new WebAssembly.Instance(module, { env: { memory } });
  return {
    bytes: new Uint8Array(memory.buffer),
    findContexts: wasm.findContexts,
    countContexts: wasm.countContexts,
    sumCounts: wasm.sumCounts,
    translate: wasm.translate,
    makeContextEncodeTable: wasm.makeContextEncodeTable,
    encodeContexts: wasm.encodeContexts,
    makeContextDecodeTable: (weights, table) => wasm.makeContextDecodeTable(weights, table) !== 0,
    decodeContexts: (tables, next, map, known, from, [length0, length1, length2, length3], to, count) =>
      wasm.decodeContexts(tables, next, map, known, from, length0, length1, length2, length3, to, count) !== 0,
  };
}
