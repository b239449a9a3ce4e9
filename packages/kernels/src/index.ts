/** SIMD kernels in WebAssembly over shared memory, and a plain TypeScript twin of each. */

export { kernelMemory, type KernelMemory } from './kernel-memory.ts';
export { kernelModule, type KernelModule } from './kernel-module.ts';
export { gearWindow, type FloatDtype, type GearScanner, type GearTable, type Kernels } from './kernels.ts';
export { memoryKernels, kernelScratchBytes, type MemoryKernels, type MemoryKernelsOptions } from './memory-kernels.ts';
export {
  contextCountsBytes,
  contextDecodeTableBytes,
  contextEncodeTableBytes,
  type ContextKernels,
  contextLanesRoom,
  contextMapBytes,
  contextNextBytes,
  contextStates,
  contextWeightSum,
} from './context-kernels.ts';
export { twinContexts } from './twin/twin-contexts.ts';
export { wasmContexts } from './wasm-contexts.ts';
export type { DifferenceKernels } from './difference-kernels.ts';
export { twinDifferences } from './twin/twin-differences.ts';
export { wasmDifferences } from './wasm-differences.ts';
export { gearScanner } from './twin/gear.ts';
export { twinKernels } from './twin/twin-kernels.ts';
export {
  decodeTableBytes,
  encodeTableBytes,
  laneCountsBytes,
  longestCode,
  planTermBytes,
  type StreamKernels,
} from './stream-kernels.ts';
export { twinStreams } from './twin/twin-streams.ts';
export { wasmStreams } from './wasm-streams.ts';
export type { RecipeKernels } from './recipe-kernels.ts';
export { twinRecipes } from './twin/recipes.ts';
export { wasmRecipes } from './wasm-recipes.ts';
