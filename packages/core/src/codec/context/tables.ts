/**
 * The tables of a model with contexts, as bits (docs/format.md, The context coder): where there are several, of each
 * context 1 when its table is that of the one before, or 0 and its table, 4; then of each table its first and its last
 * symbol, 8 each, and, where these differ, the weights from first to last: how many bits it has, 4, and these but the first.
 */
import { contextWeightSum } from '@mbk/kernels';
import type { BitReader, BitWriter } from './bit-stream.ts';

export interface ContextTables {
  /** Of each context the number of its table. */
  readonly tableOf: Uint8Array;
  /** 256 weights of each table. */
  readonly weights: readonly Uint16Array[];
}

/** Tables of one model at most. */
export const mostTables = 16;
/** Bytes that tables may take: 256 contexts of 5 bits, and weights of 4 and up to 12 bits. */
export const mostTablesBytes: number = 160 + mostTables * (2 + 512);

/** Writes the tables of the first `contexts` contexts. */
export function writeTables(bits: Pick<BitWriter, 'put'>, { tableOf, weights }: ContextTables, contexts: number): void {
  let before = 0;
  for (const table of weights.length > 1 ? tableOf.subarray(0, contexts) : []) {
    bits.put(table === before ? 1 : 0, 1);
    if (table !== before) bits.put(table, 4);
    before = table;
  }
  for (const each of weights) {
    const first = each.findIndex((weight) => weight > 0);
    const last = each.findLastIndex((weight) => weight > 0);
    bits.put(first, 8);
    bits.put(last, 8);
    if (first === last) continue;
    for (const weight of each.subarray(first, last + 1)) {
      const length = 32 - Math.clz32(weight);
      bits.put(length, 4);
      bits.put(weight, Math.max(length - 1, 0));
    }
  }
}

/** Bits that `writeTables` takes. */
export function tablesBits(tables: ContextTables, contexts: number): number {
  let bits = 0;
  writeTables({ put: (_, count) => void (bits += count) }, tables, contexts);
  return bits;
}

/** So many tables, of so many contexts and of symbols below `symbols`; a text when they are none, which says why. */
export function readTables(
  bits: Pick<BitReader, 'get'>,
  { contexts, tables, symbols }: { readonly contexts: number; readonly tables: number; readonly symbols: number },
): ContextTables | string {
  const tableOf = new Uint8Array(contexts);
  let before = 0;
  for (let context = 0; tables > 1 && context < contexts; context += 1) {
    if (bits.get(1) === 0) before = bits.get(4);
    if (before >= tables) return `a context has table ${before} of ${tables}`;
    tableOf[context] = before;
  }
  const weights: Uint16Array[] = [];
  while (weights.length < tables) {
    const each = new Uint16Array(256);
    const first = bits.get(8);
    const last = bits.get(8);
    if (first > last || last >= symbols) return `a table has symbols ${first} to ${last} of ${symbols}`;
    if (first === last) each[first] = contextWeightSum;
    let sum = first === last ? contextWeightSum : 0;
    for (let symbol = first; first < last && symbol <= last; symbol += 1) {
      const length = bits.get(4);
      const weight = length === 0 ? 0 : (1 << (length - 1)) | bits.get(length - 1);
      each[symbol] = weight;
      sum += weight;
    }
    if (sum !== contextWeightSum) return `the weights of a table add up to ${sum}`;
    weights.push(each);
  }
  return { tableOf, weights };
}
