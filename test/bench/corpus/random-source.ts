/**
 * Fast random numbers that repeat with their seed on every machine: sfc32 for bits, a ziggurat for the normal
 * distribution (Marsaglia and Tsang, 2000). For benchmark data, never for secrets.
 */

export interface RandomSource {
  /** A number in [0, 1). */
  uniform(): number;
  /** A whole number from 0 up to, and without, `limit`, which is at most 2^32. */
  below(limit: number): number;
  fillBytes(target: Uint8Array): void;
  /** Normally distributed numbers with this standard deviation. */
  fillNormal(target: Float32Array, deviation: number): void;
}

/** Numbers that follow from all of `seed`: whole numbers, of which 32 bits count. */
export function randomSource(...seed: readonly number[]): RandomSource {
  const state = seededState(seed);
  const uniform = (): number => (nextBits(state) >>> 0) / 2 ** 32;
  return {
    uniform,
    below: (limit) => Math.floor(uniform() * limit),
    fillBytes(target) {
      for (let at = 0; at < target.length; at += 4) {
        const word = nextBits(state);
        // Past the end of an array nothing is written.
        target[at] = word;
        target[at + 1] = word >>> 8;
        target[at + 2] = word >>> 16;
        target[at + 3] = word >>> 24;
      }
    },
    fillNormal: (target, deviation) => fillNormal(target, deviation, state),
  };
}

/** Three words that are mixed and one that counts: Chris Doty-Humphrey's small fast counting generator, sfc32. */
function seededState(seed: readonly number[]): Int32Array {
  const state = Int32Array.of(0x243f6a88, 0x85a308d3, 0x13198a2e, 1);
  for (const word of seed) {
    // A multiplier of 2^32 / golden ratio spreads small numbers over all bits.
    state[0] = (state[0] ?? 0) ^ Math.imul(word, 0x9e3779b1);
    state[1] = (state[1] ?? 0) ^ word;
    for (let round = 0; round < 12; round += 1) nextBits(state);
  }
  return state;
}

/** 32 random bits as a signed number. */
function nextBits(state: Int32Array): number {
  const a = state[0] ?? 0;
  const b = state[1] ?? 0;
  const c = state[2] ?? 0;
  const counter = state[3] ?? 0;
  const sum = (((a + b) | 0) + counter) | 0;
  put(state, b ^ (b >>> 9), (c + (c << 3)) | 0, (((c << 21) | (c >>> 11)) + sum) | 0, (counter + 1) | 0);
  return sum;
}

/** Where the tail begins, and the area of each of the 128 layers. */
const tail = 3.442619855899;
const area = 9.91256303526217e-3;

const { limits, widths, heights } = zigguratTables();

function fillNormal(target: Float32Array, deviation: number, state: Int32Array): void {
  // The same steps as `nextBits`, on variables of this loop: three times as fast.
  let a = state[0] ?? 0;
  let b = state[1] ?? 0;
  let c = state[2] ?? 0;
  let counter = state[3] ?? 0;
  for (let at = 0; at < target.length; at += 1) {
    const word = (((a + b) | 0) + counter) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + word) | 0;
    counter = (counter + 1) | 0;
    const layer = word & 127;
    if (Math.abs(word) < (limits[layer] ?? 0)) {
      // Ninety-eight in a hundred lie inside their layer for certain.
      target[at] = word * (widths[layer] ?? 0) * deviation;
    } else {
      put(state, a, b, c, counter);
      const found = normalAtEdge(word, layer, state);
      a = state[0] ?? 0;
      b = state[1] ?? 0;
      c = state[2] ?? 0;
      counter = state[3] ?? 0;
      // Refused: this place is tried again.
      if (found === undefined) at -= 1;
      else target[at] = found * deviation;
    }
  }
  put(state, a, b, c, counter);
}

function put(state: Int32Array, a: number, b: number, c: number, counter: number): void {
  state[0] = a;
  state[1] = b;
  state[2] = c;
  state[3] = counter;
}

function normalAtEdge(word: number, layer: number, state: Int32Array): number | undefined {
  const open = (): number => ((nextBits(state) >>> 0) + 0.5) / 2 ** 32;
  if (layer === 0) {
    for (;;) {
      const x = -Math.log(open()) / tail;
      const y = -Math.log(open());
      if (y + y > x * x) return word > 0 ? tail + x : -tail - x;
    }
  }
  const x = word * (widths[layer] ?? 0);
  const [low, high] = [heights[layer] ?? 0, heights[layer - 1] ?? 0];
  return low + open() * (high - low) < Math.exp(-0.5 * x * x) ? x : undefined;
}

function zigguratTables(): { limits: Float64Array; widths: Float64Array; heights: Float64Array } {
  const [limits, widths, heights] = [new Float64Array(128), new Float64Array(128), new Float64Array(128)];
  const scale = 2 ** 31;
  let x = tail;
  let before = tail;
  const base = area / Math.exp(-0.5 * x * x);
  limits[0] = (x / base) * scale;
  widths[0] = base / scale;
  heights[0] = 1;
  widths[127] = x / scale;
  heights[127] = Math.exp(-0.5 * x * x);
  for (let layer = 126; layer >= 1; layer -= 1) {
    x = Math.sqrt(-2 * Math.log(area / x + Math.exp(-0.5 * x * x)));
    limits[layer + 1] = (x / before) * scale;
    before = x;
    heights[layer] = Math.exp(-0.5 * x * x);
    widths[layer] = x / scale;
  }
  return { limits, widths, heights };
}
