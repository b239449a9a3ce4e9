/**
 * What a stream says of its contexts (docs/format.md, Streams with contexts):
 *
 *   size  meaning
 *   1     number of tables less one, 0 to 15, and the kind of states in the upper half
 *   1     what is known: the number of a stream, 254 the scales of blocks, 255 nothing
 *   1     shift of the class
 *   1     least class
 *   …     bits: the tables
 */
import { bitReader, bitWriter } from '../context/bit-stream.ts';
import { type ContextTables, readTables, tablesBits, writeTables } from '../context/tables.ts';
import { type ContextShape, contextsIn, mostContexts, type StateKind, stateKinds } from './context-shape.ts';

export interface StreamModel extends ContextTables {
  readonly shape: ContextShape;
}

const headBytes = 4;

/** Writes a model to `bytes` from `start` on; the end of it. */
export function writeStreamModel(bytes: Uint8Array, { shape, tableOf, weights }: StreamModel, start: number): number {
  bytes[start] = (weights.length - 1) | (shape.state << 4);
  bytes[start + 1] = shape.known;
  bytes[start + 2] = shape.classShift;
  bytes[start + 3] = shape.lowClass;
  const bits = bitWriter(bytes, start + headBytes);
  writeTables(bits, { tableOf, weights }, contextsIn(shape));
  return bits.end();
}

/** Bytes that `writeStreamModel` takes. */
export function modelBytes({ shape, ...tables }: StreamModel): number {
  return headBytes + Math.ceil(tablesBits(tables, contextsIn(shape)) / 8);
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
  const bits = bitReader(bytes.subarray(headBytes));
  const read = readTables(bits, { contexts, tables: (head & 15) + 1, symbols: 256 });
  if (typeof read === 'string') return read;
  const end = bits.end();
  if (end === undefined || headBytes + end > bytes.length) return 'a model does not end where it should';
  return { model: { shape, ...read }, length: headBytes + end };
}

function stateOf(number: number): StateKind | undefined {
  return Object.values(stateKinds).find((kind) => kind === number);
}
