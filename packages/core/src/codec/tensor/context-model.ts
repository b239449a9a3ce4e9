/**
 * What a stream says of its contexts (docs/format.md, Streams with contexts):
 *
 *   size  meaning
 *   1     number of tables less one, 0 to 15, and the kind of states in the upper half
 *   1     what is known: the number of a stream, 254 the scales of blocks, 255 nothing
 *   1     shift of the class
 *   1     least class
 *   …     bits: where there are several tables, of each context 1 when its table is that of the one before, or 0 and its
 *         table, 4; then of each table its first and its last symbol, 8 each, and, where these differ, the weights from
 *         first to last: how many bits it has, 4, and these but the first
 */
import { contextWeightSum } from '@mbk/kernels';
import { bitReader, bitWriter } from '../context/bit-stream.ts';
import { type ContextShape, contextsIn, mostContexts, type StateKind, stateKinds } from './context-shape.ts';

export interface StreamModel {
  readonly shape: ContextShape;
  /** Of each context the number of its table. */
  readonly tableOf: Uint8Array;
  /** 256 weights of each table. */
  readonly weights: readonly Uint16Array[];
}

export const mostTables = 16;

const headBytes = 4;
const lengthOf = (weight: number): number => 32 - Math.clz32(weight);

/** Writes a model to `bytes` from `start` on; the end of it. */
export function writeStreamModel(bytes: Uint8Array, { shape, tableOf, weights }: StreamModel, start: number): number {
  bytes[start] = (weights.length - 1) | (shape.state << 4);
  bytes[start + 1] = shape.known;
  bytes[start + 2] = shape.classShift;
  bytes[start + 3] = shape.lowClass;
  const bits = bitWriter(bytes, start + headBytes);
  let before = 0;
  for (const table of weights.length > 1 ? tableOf.subarray(0, contextsIn(shape)) : []) {
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
      bits.put(lengthOf(weight), 4);
      bits.put(weight, Math.max(lengthOf(weight) - 1, 0));
    }
  }
  return bits.end();
}

/** Bytes that `writeStreamModel` takes. */
export function modelBytes({ shape, tableOf, weights }: StreamModel): number {
  let bits = 0;
  let before = 0;
  for (const table of weights.length > 1 ? tableOf.subarray(0, contextsIn(shape)) : []) {
    bits += table === before ? 1 : 5;
    before = table;
  }
  for (const each of weights) {
    bits += 16;
    const first = each.findIndex((weight) => weight > 0);
    const last = each.findLastIndex((weight) => weight > 0);
    if (first === last) continue;
    for (const weight of each.subarray(first, last + 1)) bits += 4 + Math.max(lengthOf(weight) - 1, 0);
  }
  return headBytes + Math.ceil(bits / 8);
}

/** The model that `bytes` begin with, and how many bytes it takes; a text when there is none, which says why. */
export function readStreamModel(bytes: Uint8Array): { readonly model: StreamModel; readonly length: number } | string {
  const [head = 0, known = 0, classShift = 0, lowClass = 0] = bytes;
  const kind = stateOf(head >> 4);
  if (bytes.length < headBytes) return 'it ends in a model';
  if (kind === undefined || classShift > 7) return 'a model has an unknown head';
  const shape = { state: kind, known, classShift, lowClass };
  const contexts = contextsIn(shape);
  if (contexts > mostContexts) return `a model has ${contexts} contexts`;
  const tables = (head & 15) + 1;
  const bits = bitReader(bytes.subarray(headBytes));
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
    if (first > last) return `a table has symbols ${first} to ${last}`;
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
  const end = bits.end();
  if (end === undefined || headBytes + end > bytes.length) return 'a model does not end where it should';
  return { model: { shape, tableOf, weights }, length: headBytes + end };
}

function stateOf(number: number): StateKind | undefined {
  return Object.values(stateKinds).find((kind) => kind === number);
}
