/**
 * What a kernel for the streams of tensors does, whoever does it: WebAssembly (wasm-streams.ts) or its plain twin
 * (twin/streams.ts), always with the same answer. All ranges are offsets in `bytes`; the caller has checked that they lie
 * there, and those of input and output are apart.
 *
 * A split and its join are exact for all bytes. Codes are canonical Huffman codes of at most `longestCode` bits, in four
 * lanes: lane k holds the codes of quarter k of the symbols (docs/format.md, Frames and codecs).
 */

export interface StreamKernels {
  readonly bytes: Uint8Array;

  /** `count` numbers of 16 bits, each rotated one bit to the left: the high bytes to `high`, the low ones to `low`. */
  splitFloat16(from: number, count: number, high: number, low: number): void;
  joinFloat16(to: number, count: number, high: number, low: number): void;
  /** `count` numbers of 32 bits to four streams at `streams`: the upper halves as above, then byte 1, then byte 0. */
  splitFloat32(from: number, count: number, streams: number): void;
  joinFloat32(to: number, count: number, streams: number): void;
  /** `width` bytes of each of `count` units of `stride` bytes, from `from` in the first, one after the other. */
  gatherField(from: number, stride: number, width: number, count: number, to: number): void;
  scatterField(to: number, stride: number, width: number, count: number, from: number): void;
  /**
   * 16 bytes of each row of a plan for each unit. A row is `terms` terms of 4 bytes o, r, m, l; byte i is all of
   * (byte o + i of the unit >> r & m) << l together.
   */
  mergeBits(from: number, stride: number, count: number, plan: number, rows: number, terms: number, to: number): void;
  /** Sets the bits again, which are 0 before. */
  spreadBits(to: number, stride: number, count: number, plan: number, rows: number, terms: number, from: number): void;
  /**
   * 32 numbers of 5 bits of each unit: number i < 16 is the low half of byte `nibbles` + i and above it bit i of the 32
   * bits at `bits`, number 16 + i the high half and bit 16 + i. The upper four bits of numbers i and 16 + i become the
   * halves of byte i of 16 bytes in `pairs`; the lowest bit of number i bit i of 4 bytes in `lows`.
   */
  mergeFifths(
    from: number,
    stride: number,
    count: number,
    bits: number,
    nibbles: number,
    pairs: number,
    lows: number,
  ): void;
  spreadFifths(
    to: number,
    stride: number,
    count: number,
    bits: number,
    nibbles: number,
    pairs: number,
    lows: number,
  ): void;
  /**
   * Of `count` numbers of `size` bytes the z of what is left when each is foretold from the `order` numbers (1 to 3) that lie
   * `distance` numbers apart before it, and its token (difference-kernels.ts). `order` · `distance` numbers lie before `from`.
   */
  differRows(
    from: number,
    count: number,
    size: 2 | 4,
    distance: number,
    order: number,
    isFloat: boolean,
    z: number,
    tokens: number,
  ): void;
  /** Makes `count` z the numbers again. */
  sumRows(numbers: number, count: number, size: 2 | 4, distance: number, order: number, isFloat: boolean): void;
  /** Copies a range; `copyWithin` is slow in shared memory. */
  copyRange(from: number, length: number, to: number): void;
  /** Makes a range 0; `fill` is slow there too. */
  clearRange(at: number, length: number): void;
  equalRanges(a: number, b: number, length: number): boolean;

  /** Counts the bytes of the four quarters of a range into four tables of 256 numbers of 32 bits at `tables`. */
  laneCounts(tables: number, from: number, count: number): void;
  /** A table of `encodeTableBytes` at `table` of the 256 code lengths at `lengths`, those of a complete code. */
  makeEncodeTable(lengths: number, table: number): void;
  /**
   * Writes the codes of two lanes [a, endA) and [b, endB) to the ranges [to, stop) of each, whose lengths are those that
   * the codes take.
   */
  encodeLanes(
    table: number,
    a: number,
    endA: number,
    toA: number,
    stopA: number,
    b: number,
    endB: number,
    toB: number,
    stopB: number,
  ): void;
  /** A table of `decodeTableBytes`; false unless the lengths are those of a complete code. */
  makeDecodeTable(lengths: number, table: number): boolean;
  /**
   * Reads `count` symbols to `to` from four lanes of these lengths, one after the other at `from`. False unless each lane
   * ends where its symbols do, unused bits being 0. `isShort` says that most codes have 5 bits or less, and changes
   * nothing but the speed.
   */
  decodeLanes(
    table: number,
    from: number,
    lengths: readonly [number, number, number, number],
    to: number,
    count: number,
    isShort: boolean,
  ): boolean;
}

/** Bits of the longest code. */
export const longestCode = 11;
/** Bytes of four tables of counters. */
export const laneCountsBytes = 4096;
/** 256 entries of 8 bytes. */
export const encodeTableBytes = 2048;
/** 2048 entries of 8 bytes, and 2048 of 2. */
export const decodeTableBytes: number = 2048 * 10;
/** Bytes of a term of a plan. */
export const planTermBytes = 4;
