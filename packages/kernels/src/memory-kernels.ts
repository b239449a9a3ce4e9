/**
 * The kernels in WebAssembly, over one shared memory in which any number of instances work at once.
 *
 * Views of its `bytes` are worked on where they are. Others are left to the twin, so the answer is always right
 * and no caller needs to know where its bytes came from; only its speed is another one.
 */
import type { KernelMemory } from './kernel-memory.ts';
import { kernelModule, type KernelModule } from './kernel-module.ts';
import { elementBytes, type FloatDtype, type GearScanner, type GearTable, type Kernels } from './kernels.ts';
import { gearScanner } from './twin/gear.ts';
import { twinKernels } from './twin/twin-kernels.ts';

declare const WebAssembly: {
  readonly Instance: new (
    module: KernelModule,
    imports: { readonly env: { readonly memory: KernelMemory } },
  ) => { readonly exports: Exports };
};

/** What assembly/index.ts exports. Offsets and numbers are below 2^31, hashes are signed. */
interface Exports
  extends
    Readonly<Record<`firstNonFinite${FloatDtype}`, (start: number, count: number) => number>>,
    Readonly<Record<`countNonFinite${FloatDtype}`, (start: number, count: number) => number>> {
  readonly gearScan: (table: number, hash: number, start: number, end: number, bits: number) => number;
  readonly gearRoll: (table: number, hash: number, start: number, end: number) => number;
  readonly gearHash: () => number;
  readonly endOfZeros: (start: number, end: number) => number;
  readonly histogram: (tables: number, start: number, end: number) => void;
}

export interface MemoryKernels extends Kernels {
  /**
   * All of the memory. It and views of it (`subarray`) are worked on in place; a view that came in a message from another
   * thread counts as bytes elsewhere, so send offsets.
   */
  readonly bytes: Uint8Array<SharedArrayBuffer>;
}

export interface MemoryKernelsOptions {
  /** Offset, a multiple of 64, of `kernelScratchBytes` that are this instance's alone. */
  readonly scratch: number;
  /** Compiled before, perhaps by another thread; compiled anew otherwise. */
  readonly module?: KernelModule;
}

const gearTableBytes = 1024;
/** 256 counters. */
const tableBytes = 1024;

/** Bytes that one instance keeps for itself: a gear table, and behind it the four tables of a histogram. */
export const kernelScratchBytes: number = gearTableBytes + 4 * tableBytes;

/**
 * The kernels over `memory`. Synchronous, for one thread; other threads make their own over the same memory.
 *
 * A range that is not in its bytes is a `RangeError`, and so is a scratch region that is not in the memory.
 */
export function memoryKernels(memory: KernelMemory, options: MemoryKernelsOptions): MemoryKernels {
  const { scratch, module = kernelModule() } = options;
  const { buffer } = memory;
  if (!(scratch >= 0 && scratch % 64 === 0 && scratch + kernelScratchBytes <= buffer.byteLength)) {
    throw new RangeError(`expected ${kernelScratchBytes} bytes at a multiple of 64 in the memory, got ${scratch}`);
  }
  const { exports: wasm } = new WebAssembly.Instance(module, { env: { memory } });
  const gearWords = new Int32Array(buffer, scratch, gearTableBytes / 4);
  const tables = scratch + gearTableBytes;
  const counters = new Uint32Array(buffer, tables, tableBytes / 4);
  /** The gear table whose words are in the scratch region. */
  let loaded: GearTable | undefined;

  /** The offset of `bytes[start..end)` in the memory; -1 when it is elsewhere. */
  const place = (bytes: Uint8Array, start: number, end: number): number => {
    if (bytes.buffer !== buffer) return -1;
    if (!(start >= 0 && start <= end && end <= bytes.length)) {
      throw new RangeError(`expected a range of ${bytes.length} bytes, got ${start} to ${end}`);
    }
    return bytes.byteOffset + start;
  };

  const loadTable = (table: GearTable): void => {
    if (loaded === table) return;
    gearWords.set(table);
    loaded = table;
  };

  const scanner = (table: GearTable): GearScanner => {
    const twin = gearScanner(table);
    return {
      reset: twin.reset,

      roll(bytes, start, end) {
        const from = place(bytes, start, end);
        if (from === -1) return twin.roll(bytes, start, end);
        loadTable(table);
        twin.hash = wasm.gearRoll(scratch, twin.hash, from, from + end - start);
      },

      scan(bytes, start, end, bits) {
        const from = place(bytes, start, end);
        if (from === -1) return twin.scan(bytes, start, end, bits);
        loadTable(table);
        const found = wasm.gearScan(scratch, twin.hash, from, from + end - start, bits);
        twin.hash = wasm.gearHash();
        return found === -1 ? -1 : found - from + start;
      },
    };
  };

  const endOfZeros = (bytes: Uint8Array, start: number, end: number): number => {
    const from = place(bytes, start, end);
    if (from === -1) return twinKernels.endOfZeros(bytes, start, end);
    return wasm.endOfZeros(from, from + end - start) - from + start;
  };

  return {
    bytes: new Uint8Array(buffer),

    gearScanner: scanner,

    isZero: (bytes, start, end) => endOfZeros(bytes, start, end) === end,

    endOfZeros,

    firstNonFinite(dtype, bytes, start, count) {
      const from = place(bytes, start, start + count * elementBytes[dtype]);
      if (from === -1) return twinKernels.firstNonFinite(dtype, bytes, start, count);
      return wasm[`firstNonFinite${dtype}`](from, count);
    },

    countNonFinite(dtype, bytes, start, count) {
      const from = place(bytes, start, start + count * elementBytes[dtype]);
      if (from === -1) return twinKernels.countNonFinite(dtype, bytes, start, count);
      return wasm[`countNonFinite${dtype}`](from, count);
    },

    histogram(bytes, start, end) {
      const from = place(bytes, start, end);
      if (from === -1) return twinKernels.histogram(bytes, start, end);
      wasm.histogram(tables, from, from + end - start);
      return counters.slice();
    },
  };
}
