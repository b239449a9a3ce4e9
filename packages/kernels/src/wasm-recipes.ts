/** The kernels for casts and quantisations in WebAssembly. */
import type { KernelMemory } from './kernel-memory.ts';
import { kernelModule, type KernelModule } from './kernel-module.ts';
import type { RecipeKernels } from './recipe-kernels.ts';

declare const WebAssembly: {
  readonly Instance: new (
    module: KernelModule,
    imports: { readonly env: { readonly memory: KernelMemory } },
  ) => { readonly exports: Exports };
};

type Fusable = 'quantiseQ4_0' | 'quantiseQ4_1' | 'quantiseQ5_0' | 'quantiseQ5_1';

/** What assembly/recipes.ts exports; booleans are 0 and 1. */
interface Exports
  extends
    Omit<RecipeKernels, 'bytes' | Fusable>,
    Readonly<Record<Fusable, (from: number, blocks: number, to: number, isFused: number) => void>> {}

/** The kernels over all of `memory`: synchronous, and they keep nothing. `module` is compiled anew unless given. */
export function wasmRecipes(memory: KernelMemory, module: KernelModule = kernelModule()): RecipeKernels {
  const { exports: wasm } = new WebAssembly.Instance(module, { env: { memory } });
  return {
    bytes: new Uint8Array(memory.buffer),
    widenBF16: wasm.widenBF16,
    widenF16: wasm.widenF16,
    roundBF16: wasm.roundBF16,
    roundF16: wasm.roundF16,
    cutBF16: wasm.cutBF16,
    quantiseQ8_0: wasm.quantiseQ8_0,
    quantiseQ4_0: (from, blocks, to, isFused) => wasm.quantiseQ4_0(from, blocks, to, isFused ? 1 : 0),
    quantiseQ4_1: (from, blocks, to, isFused) => wasm.quantiseQ4_1(from, blocks, to, isFused ? 1 : 0),
    quantiseQ5_0: (from, blocks, to, isFused) => wasm.quantiseQ5_0(from, blocks, to, isFused ? 1 : 0),
    quantiseQ5_1: (from, blocks, to, isFused) => wasm.quantiseQ5_1(from, blocks, to, isFused ? 1 : 0),
  };
}
