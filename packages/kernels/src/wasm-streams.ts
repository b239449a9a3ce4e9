/** The kernels for the streams of tensors in WebAssembly. */
import type { KernelMemory } from './kernel-memory.ts';
import { kernelModule, type KernelModule } from './kernel-module.ts';
import type { StreamKernels } from './stream-kernels.ts';

declare const WebAssembly: {
  readonly Instance: new (
    module: KernelModule,
    imports: { readonly env: { readonly memory: KernelMemory } },
  ) => { readonly exports: Exports };
};

/** What assembly/streams.ts and assembly/lanes.ts export; booleans are 0 and 1. */
interface Exports extends Omit<
  StreamKernels,
  'bytes' | 'equalRanges' | 'makeDecodeTable' | 'decodeLanes' | 'differRows' | 'sumRows'
> {
  readonly differRows: (
    from: number,
    count: number,
    size: number,
    distance: number,
    order: number,
    isFloat: number,
    z: number,
    tokens: number,
  ) => void;
  readonly sumRows: (
    numbers: number,
    count: number,
    size: number,
    distance: number,
    order: number,
    isFloat: number,
  ) => void;
  readonly equalRanges: (a: number, b: number, length: number) => number;
  readonly makeDecodeTable: (lengths: number, table: number) => number;
  readonly decodeLanes: (
    table: number,
    from: number,
    length0: number,
    length1: number,
    length2: number,
    length3: number,
    to: number,
    count: number,
    isShort: number,
  ) => number;
}

/** The kernels over all of `memory`: synchronous, and they keep nothing. `module` is compiled anew unless given. */
export function wasmStreams(memory: KernelMemory, module: KernelModule = kernelModule()): StreamKernels {
  const { exports: wasm } = new WebAssembly.Instance(module, { env: { memory } });
  return {
    bytes: new Uint8Array(memory.buffer),
    splitFloat16: wasm.splitFloat16,
    joinFloat16: wasm.joinFloat16,
    splitFloat32: wasm.splitFloat32,
    joinFloat32: wasm.joinFloat32,
    gatherField: wasm.gatherField,
    scatterField: wasm.scatterField,
    mergeBits: wasm.mergeBits,
    spreadBits: wasm.spreadBits,
    mergeFifths: wasm.mergeFifths,
    spreadFifths: wasm.spreadFifths,
    differRows: (from, count, size, distance, order, isFloat, z, tokens) =>
      wasm.differRows(from, count, size, distance, order, isFloat ? 1 : 0, z, tokens),
    sumRows: (numbers, count, size, distance, order, isFloat) =>
      wasm.sumRows(numbers, count, size, distance, order, isFloat ? 1 : 0),
    copyRange: wasm.copyRange,
    clearRange: wasm.clearRange,
    equalRanges: (a, b, length) => wasm.equalRanges(a, b, length) !== 0,
    laneCounts: wasm.laneCounts,
    makeEncodeTable: wasm.makeEncodeTable,
    encodeLanes: wasm.encodeLanes,
    makeDecodeTable: (lengths, table) => wasm.makeDecodeTable(lengths, table) !== 0,
    decodeLanes: (table, from, [length0, length1, length2, length3], to, count, isShort) =>
      wasm.decodeLanes(table, from, length0, length1, length2, length3, to, count, isShort ? 1 : 0) !== 0,
  };
}
