/**
 * Coding of symbols, bytes, whose weights depend on a context (docs/format.md, The context coder), whoever does it:
 * WebAssembly (wasm-contexts.ts) or its plain twin (twin/twin-contexts.ts), always with the same answer. All ranges are
 * offsets in `bytes`; the caller has checked that they lie there, and those of input and output are apart.
 *
 * The symbols are in four lanes: lane k holds quarter k of them, ⌈count / 4⌉ or what is left. In each lane stands a state,
 * 0 at first, which every symbol moves on: `next[256 · state + symbol]`. The context of a symbol is
 * `map[64 · known + state]`, where `known` is a byte that the decoder has of each symbol before it reads any. So `next` and
 * `map` say what contexts are, and one loop serves them all:
 *
 *   known 0, next 0                    one context for all
 *   known the base's symbol, next 0    weights by the base's symbol
 *   next[state][symbol] = class        weights by the symbol before
 *   next[…] = a mean of both         weights by a mean of the symbols before
 */

export interface ContextKernels {
  readonly bytes: Uint8Array;

  /** Writes the context of each of `count` symbols to `contexts`. */
  findContexts(next: number, map: number, known: number, symbols: number, count: number, contexts: number): void;
  /** Adds `count` symbols to 256 counters of 32 bits for each context, those of context 0 first. */
  countContexts(counts: number, contexts: number, symbols: number, count: number): void;

  /** Adds up the counters of each of `contexts` contexts, to as many numbers of 32 bits at `sums`. */
  sumCounts(counts: number, contexts: number, sums: number): void;
  /** Replaces `count` bytes by what the 256 bytes at `table` have for each: contexts by those that they are joined to. */
  translate(bytes: number, count: number, table: number): void;

  /** The table of one context, `contextEncodeTableBytes`, of 256 weights of 16 bits, whose sum is `contextWeightSum`. */
  makeContextEncodeTable(weights: number, table: number): void;
  /**
   * Codes `count` symbols of these contexts to four lanes, one after the other from `to` on, and writes their lengths, four
   * numbers of 32 bits, to `sizes`; the end of the last lane. `tables` has the table of each context, one after the other;
   * a symbol that has no weight in its context makes lanes that nobody can read. `to` has `contextLanesRoom(count)`.
   */
  encodeContexts(tables: number, contexts: number, symbols: number, count: number, to: number, sizes: number): number;

  /** The table of one context, `contextDecodeTableBytes`; false unless the sum of the weights is `contextWeightSum`. */
  makeContextDecodeTable(weights: number, table: number): boolean;
  /**
   * Reads `count` symbols to `to` from four lanes of these lengths, one after the other at `from`. False unless each lane
   * is whole and ends where its symbols do. Every context that `map` may give has a table, and 64 bytes behind the lanes
   * may be looked at.
   */
  decodeContexts(
    tables: number,
    next: number,
    map: number,
    known: number,
    from: number,
    lengths: readonly [number, number, number, number],
    to: number,
    count: number,
  ): boolean;
}

/** States of a lane. */
export const contextStates = 64;
/** What the weights of a context add up to. */
export const contextWeightSum = 4096;
/** A byte for each state and symbol, each a state. */
export const contextNextBytes: number = contextStates * 256;
/** A byte for each known byte and state, each a context. */
export const contextMapBytes: number = 256 * contextStates;
/** Counters of one context. */
export const contextCountsBytes = 1024;
/** 256 entries of 16 bytes. */
export const contextEncodeTableBytes = 4096;
/** 4096 entries of 4 bytes. */
export const contextDecodeTableBytes = 16_384;

/** Bytes that encodeContexts may write for `count` symbols, before it has moved the lanes together. */
export function contextLanesRoom(count: number): number {
  return Math.ceil(count * 1.5) + 64;
}
