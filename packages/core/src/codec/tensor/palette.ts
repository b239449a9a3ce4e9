/**
 * Tensors of few different values, such as masks and codebooks: the values, and of each unit which of them it is
 * (docs/format.md, The tensor codec).
 */

export interface Palette {
  /** Bytes of a value: 2, 4 or 8. */
  readonly unit: number;
  /** Each once, as little-endian numbers that rise. */
  readonly values: Uint8Array;
  /** Which of them the value at `at` is; undefined for one that is not among them. */
  indexOf(bytes: Uint8Array, at: number): number | undefined;
}

export const mostValues = 256;
/** Twice as many as there are values at least. */
const slots = 1024;

/** The values of all whole units; undefined when they are too many, or there are none. */
export function paletteOf(plain: Uint8Array, unit: number): Palette | undefined {
  const seen = valueTable();
  const end = plain.length - (plain.length % unit);
  for (let at = 0; at < end; at += unit) {
    if (seen.find(lowOf(plain, at, unit), highOf(plain, at, unit)) !== undefined) continue;
    if (seen.size >= mostValues) return undefined;
    seen.add(lowOf(plain, at, unit), highOf(plain, at, unit));
  }
  if (seen.size === 0) return undefined;
  const values = seen.values().toSorted(([low, high], [otherLow, otherHigh]) => high - otherHigh || low - otherLow);
  const bytes = new Uint8Array(values.length * unit);
  const view = new DataView(bytes.buffer);
  for (const [i, [low, high]] of values.entries()) {
    if (unit === 2) view.setUint16(2 * i, low, true);
    else view.setUint32(unit * i, low, true);
    if (unit === 8) view.setUint32(8 * i + 4, high, true);
  }
  return paletteIn(bytes, unit);
}

/** The palette of these values; undefined when they do not rise. */
export function paletteIn(values: Uint8Array, unit: number): Palette | undefined {
  const table = valueTable();
  for (let at = 0; at < values.length; at += unit) {
    const [low, high] = [lowOf(values, at, unit), highOf(values, at, unit)];
    const before = at - unit;
    const isAbove =
      at === 0 ||
      highOf(values, before, unit) < high ||
      (highOf(values, before, unit) === high && lowOf(values, before, unit) < low);
    if (!isAbove) return undefined;
    table.add(low, high);
  }
  return { unit, values, indexOf: (bytes, at) => table.find(lowOf(bytes, at, unit), highOf(bytes, at, unit)) };
}

function lowOf(bytes: Uint8Array, at: number, unit: number): number {
  const half = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
  return unit === 2 ? half : (half | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)) >>> 0;
}

function highOf(bytes: Uint8Array, at: number, unit: number): number {
  return unit === 8 ? lowOf(bytes, at + 4, 4) : 0;
}

interface ValueTable {
  readonly size: number;
  /** Number of a value, in the order in which they were added. */
  find(low: number, high: number): number | undefined;
  /** Adds one that is not among them, of `mostValues` at most. */
  add(low: number, high: number): void;
  values(): readonly (readonly [low: number, high: number])[];
}

function valueTable(): ValueTable {
  const lows = new Uint32Array(mostValues);
  const highs = new Uint32Array(mostValues);
  /** Numbers of values, from 1. */
  const table = new Uint16Array(slots);
  let size = 0;
  /** The slot of a value, or the free one where it would go. */
  const slotOf = (low: number, high: number): number => {
    let slot = Math.imul(low ^ Math.imul(high, 0x85eb_ca6b), 0x9e37_79b1) >>> 22;
    for (;;) {
      const number = (table[slot] ?? 0) - 1;
      if (number < 0 || (lows[number] === low && highs[number] === high)) return slot;
      slot = (slot + 1) % slots;
    }
  };
  return {
    get size() {
      return size;
    },
    find(low, high) {
      const number = table[slotOf(low, high)] ?? 0;
      return number === 0 ? undefined : number - 1;
    },
    add(low, high) {
      const slot = slotOf(low, high);
      lows[size] = low;
      highs[size] = high;
      size += 1;
      table[slot] = size;
    },
    values: () => Array.from({ length: size }, (_, i) => [lows[i] ?? 0, highs[i] ?? 0] as const),
  };
}
