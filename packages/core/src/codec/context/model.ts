/**
 * What stored bytes say of symbols that are coded with contexts: which contexts there are, which table each has, and the
 * weights of the tables (docs/format.md, The context coder):
 *
 *   offset  size  meaning
 *   0       1     number of tables less one, 0 to 15
 *   1       1     bit 0: classes of what is known tell contexts apart; bit 1: states do; bits 2 and 3: shift of states;
 *                 bits 4 and 5: gain, 1 << it; bits 6 and 7: 0
 *   2       1     least state, once it is shifted
 *   3       2     least class
 *   5       –     bits: the tables
 */
import { contextNextBytes, contextStates } from '@mbk/kernels';
import { bitReader, bitWriter } from './bit-stream.ts';
import { type ContextTables, mostTables, mostTablesBytes, readTables, writeTables } from './tables.ts';

/** How contexts are made of what is known and what was before. */
export interface ContextShape {
  /** Whether classes of what is known tell contexts apart, and which is the least. */
  readonly hasClasses: boolean;
  readonly lowClass: number;
  /** The same for states, of which this many low bits are left out. */
  readonly hasStates: boolean;
  readonly stateShift: number;
  readonly lowState: number;
  /** How much a symbol moves the state, as a power of two: 0 to 2. */
  readonly gain: number;
}

export interface ContextModel extends ContextTables {
  readonly shape: ContextShape;
}

/** Classes of what is known, and of states. */
const classes = 16;

const headBytes = 5;
/** Bytes that a model may take. */
export const mostModelBytes: number = headBytes + mostTablesBytes;

export function contextsOf({ hasClasses, hasStates }: ContextShape): number {
  return (hasClasses ? classes : 1) * (hasStates ? classes : 1);
}

/** How many bits a symbol has that is a z; a token tells the same of its z. */
export const lengthOfSymbol = (symbol: number): number => 32 - Math.clz32(symbol);
export const lengthOfToken = (token: number): number => (token < 4 ? lengthOfSymbol(token) : (token >> 2) + 2);

/** The table of states: a mean of how long symbols were, times 1 << `gain`, of which the last counts a quarter. */
export function nextOf(lengthOf: (symbol: number) => number, gain: number): Uint8Array {
  const next = new Uint8Array(contextNextBytes);
  for (let symbol = 0; symbol < 256; symbol += 1) {
    const length = lengthOf(symbol) << gain;
    for (let state = 0; state < contextStates; state += 1)
      next[256 * state + symbol] = Math.min((3 * state + length + 2) >> 2, contextStates - 1);
  }
  return next;
}

/** Bytes of a map for classes of what is known. */
export const classMapBytes: number = classes * contextStates;

/** What each class and state gives: its context, or what `tableOf` has for that. */
export function mapOf(shape: ContextShape, tableOf?: Uint8Array): Uint8Array {
  const { hasClasses, hasStates, stateShift, lowState } = shape;
  const map = new Uint8Array(classMapBytes);
  const step = hasStates ? classes : 1;
  for (let state = 0; state < contextStates; state += 1) {
    const shifted = hasStates ? Math.min(Math.max((state >> stateShift) - lowState, 0), classes - 1) : 0;
    for (let known = 0; known < classes; known += 1) {
      const context = (hasClasses ? known * step : 0) + shifted;
      map[known * contextStates + state] = tableOf === undefined ? context : (tableOf[context] ?? 0);
    }
  }
  return map;
}

/** Writes a model to `bytes` from `start` on; the end of it. */
export function writeModel(bytes: Uint8Array, { shape, tableOf, weights }: ContextModel, start: number): number {
  bytes[start] = weights.length - 1;
  bytes[start + 1] =
    (shape.hasClasses ? 1 : 0) | (shape.hasStates ? 2 : 0) | (shape.stateShift << 2) | (shape.gain << 4);
  bytes[start + 2] = shape.lowState;
  bytes[start + 3] = shape.lowClass & 255;
  bytes[start + 4] = shape.lowClass >> 8;
  const bits = bitWriter(bytes, start + headBytes);
  writeTables(bits, { tableOf, weights }, contextsOf(shape));
  return bits.end();
}

/** A model, and how many bytes it takes. */
export interface ReadModel {
  readonly model: ContextModel;
  readonly length: number;
}

/** The model that `bytes` begin with, whose symbols are below `symbols`; a text when there is none, which says why. */
export function readModel(bytes: Uint8Array, symbols: number): ReadModel | string {
  const [tables = 0, flags = 0, lowState = 0, low = 0, high = 0] = bytes;
  if (bytes.length < headBytes) return 'it ends in a model';
  if (tables >= mostTables || flags >> 6 !== 0 || flags >> 4 === 3) return 'a model has an unknown head';
  const shape: ContextShape = {
    hasClasses: (flags & 1) !== 0,
    lowClass: low | (high << 8),
    hasStates: (flags & 2) !== 0,
    stateShift: (flags >> 2) & 3,
    lowState,
    gain: (flags >> 4) & 3,
  };
  const bits = bitReader(bytes.subarray(headBytes));
  const read = readTables(bits, { contexts: contextsOf(shape), tables: tables + 1, symbols });
  if (typeof read === 'string') return read;
  const end = bits.end();
  if (end === undefined || headBytes + end > bytes.length) return 'a model does not end where it should';
  return { model: { shape, ...read }, length: headBytes + end };
}
