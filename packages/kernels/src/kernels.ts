/**
 * What a kernel does, whoever does it: WebAssembly (memory-kernels.ts) or its plain twin (twin/), always with the same
 * answer. Ranges are `bytes[start..end)` with 0 <= start <= end <= bytes.length.
 */

/** 256 words of 32 bits, signed because that is how JavaScript adds them fastest. It must not change once it is used. */
export type GearTable = Int32Array;

/** How many of the last bytes the gear hash depends on. */
export const gearWindow = 32;

/** A gear hash, h = 2h + table[byte] modulo 2^32, that goes on from call to call; 0 at first. */
export interface GearScanner {
  /** Sets the hash to 0. */
  reset(): void;
  /** Takes `bytes[start..end)`. */
  roll(bytes: Uint8Array, start: number, end: number): void;
  /**
   * Takes bytes of `bytes[start..end)` up to one after which the hash is below 2^`bits`: the index behind it, or -1.
   * `bits` is 0 to 31.
   */
  scan(bytes: Uint8Array, start: number, end: number, bits: number): number;
}

/** Floating-point elements, little-endian, at any offset. */
export type FloatDtype = 'F64' | 'F32' | 'F16' | 'BF16';

export interface Kernels {
  /** A scanner of its own hash; scanners of several tables may take turns. `RangeError` when a table has not 256 words. */
  gearScanner(table: GearTable): GearScanner;
  /** Whether `bytes[start..end)` are all zero; true when there are none. */
  isZero(bytes: Uint8Array, start: number, end: number): boolean;
  /** The index of the first byte of `bytes[start..end)` that is not zero; `end` when all are. */
  endOfZeros(bytes: Uint8Array, start: number, end: number): number;
  /** The number of the first of `count` elements from `bytes[start]` on that is a NaN or an infinity; -1 when none is. */
  firstNonFinite(dtype: FloatDtype, bytes: Uint8Array, start: number, count: number): number;
  /** How many of `count` elements from `bytes[start]` on are NaNs or infinities. */
  countNonFinite(dtype: FloatDtype, bytes: Uint8Array, start: number, count: number): number;
  /** How often each of the 256 bytes is in `bytes[start..end)`; the caller's own. */
  histogram(bytes: Uint8Array, start: number, end: number): Uint32Array;
}

/** Bytes of one element. */
export const elementBytes: Readonly<Record<FloatDtype, number>> = { F64: 8, F32: 4, F16: 2, BF16: 2 };
