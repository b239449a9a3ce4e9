/**
 * Contexts of the symbols of a stream (docs/format.md, Streams with contexts): what is known of a symbol before it is read, and what the
 * symbols before it leave. The tables that say so to the kernels are made here.
 */
import { contextNextBytes, contextStates } from '@mbk/kernels';

/** What the symbols before leave: by number, as in frames. */
export const stateKinds = {
  none: 0,
  /** The upper four bits of the symbol before. */
  last: 1,
  /** A mean of the upper four bits of those before, of which the last counts a quarter. */
  mean: 2,
  /** The lowest bit of the symbol before. */
  lowest: 3,
  /** The upper two bits of the three before. */
  three: 4,
  /** A mean of how long numbers were whose tokens the symbols are. */
  lengths: 5,
} as const;
export type StateKind = (typeof stateKinds)[keyof typeof stateKinds];

/** Instead of the number of a stream: nothing is known, or what the scales of blocks say. */
export const knownNothing = 255;
export const knownOfBlocks = 254;

export interface ContextShape {
  readonly state: StateKind;
  /** The number of an earlier stream of as many bytes, whose bytes are known; or one of the above. */
  readonly known: number;
  /** The class of what is known, 0 to 15: shifted to the right by so much, less `lowClass`, no less than 0, no more than 15. */
  readonly classShift: number;
  readonly lowClass: number;
}

const classes = 16;
/** How many classes of states each kind has. */
const stateClasses: Readonly<Record<StateKind, number>> = { 0: 1, 1: 16, 2: 16, 3: 2, 4: 64, 5: 16 };

/** How many contexts there are; more than 256 are not to be had. */
export function contextsIn({ known, state }: Pick<ContextShape, 'known' | 'state'>): number {
  return (known === knownNothing ? 1 : classes) * stateClasses[state];
}

export const mostContexts = 256;

/** Sets 64 bytes for each of 256 known ones: the context, or what `tableOf` has for that. */
export function setContextMap(map: Uint8Array, shape: ContextShape, tableOf?: Uint8Array): void {
  const { known, state, classShift, lowClass } = shape;
  const states = stateClasses[state];
  const row = new Uint8Array(contextStates);
  let before = -1;
  for (let byte = 0; byte < 256; byte += 1) {
    const own = known === knownNothing ? 0 : Math.min(Math.max((byte >> classShift) - lowClass, 0), classes - 1);
    if (own !== before) {
      for (let at = 0; at < contextStates; at += 1) {
        const context = own * states + classOfState(at, state);
        row[at] = tableOf === undefined ? context : (tableOf[context] ?? 0);
      }
    }
    map.set(row, contextStates * byte);
    before = own;
  }
}

function classOfState(at: number, kind: StateKind): number {
  if (kind === stateKinds.mean || kind === stateKinds.lengths) return at >> 2;
  return Math.min(at, stateClasses[kind] - 1);
}

/** Tables of states, made when they are needed: some 40 of 16 KiB are all there are. */
export type NextTables = Map<number, Uint8Array>;

/** For each of 64 states 256 bytes: the state that each symbol of `bits` bits makes of it. */
export function contextNext(made: NextTables, kind: StateKind, bits: number): Uint8Array {
  const name = 16 * kind + bits;
  const known = made.get(name);
  if (known !== undefined) return known;
  const next = Uint8Array.from({ length: contextNextBytes }, (_, at) => nextState(kind, at >> 8, at & 255, bits));
  made.set(name, next);
  return next;
}

function nextState(kind: StateKind, state: number, symbol: number, bits: number): number {
  const upper = Math.min(symbol >> Math.max(bits - 4, 0), 15);
  switch (kind) {
    case stateKinds.none:
      return 0;
    case stateKinds.last:
      return upper;
    case stateKinds.mean:
      return meanOf(state, upper << 2);
    case stateKinds.lowest:
      return symbol & 1;
    case stateKinds.three:
      return ((state << 2) & 63) | Math.min(symbol >> Math.max(bits - 2, 0), 3);
    case stateKinds.lengths:
      return meanOf(state, (symbol < 4 ? 32 - Math.clz32(symbol) : (symbol >> 2) + 2) << 1);
  }
}

function meanOf(state: number, value: number): number {
  return Math.min((3 * state + value + 2) >> 2, contextStates - 1);
}
