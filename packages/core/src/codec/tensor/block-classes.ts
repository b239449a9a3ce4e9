/**
 * What the scales of an affine block say of its numbers (docs/format.md, Streams with contexts): a weight is d·s·q − e·m, so q is
 * near e·m / d·s where weights are near 0. That ratio, of each group of numbers, is their class.
 */
import { viewOf } from '../../format/bytes.ts';
import type { BlockScales } from './transform.ts';

/** Of each kind: classes of q for each 1 of the ratio. */
const steps: Readonly<Record<BlockScales['kind'], number>> = { Q2_K: 4, Q4_K: 1, Q5_K: 0.5 };

/** Sets the class of each number of `units` blocks, whose streams begin at `at`, from `to` on. */
export function setBlockClasses(
  bytes: Uint8Array,
  { kind, group }: BlockScales,
  { at, units, to }: { readonly at: readonly number[]; readonly units: number; readonly to: number },
): void {
  const step = steps[kind];
  let end = to;
  for (let unit = 0; unit < units; unit += 1) {
    const [d, e] = factorsOf(bytes, kind, at, unit);
    for (let i = 0; i < 256 / group; i += 1) {
      const [s, m] = kind === 'Q2_K' ? pairOfQ2K(bytes, at, unit, i) : pairOfQ4K(bytes, at, unit, i);
      const ratio = ((e * m) / (d * s)) * step;
      // Not a number, and infinite, where d or s is 0.
      bytes.fill(ratio > 0 ? Math.min(Math.floor(ratio), 15) : 0, end, end + group);
      end += group;
    }
  }
}

const half = new Uint8Array(2);

function factorsOf(
  bytes: Uint8Array,
  kind: BlockScales['kind'],
  at: readonly number[],
  unit: number,
): readonly [d: number, e: number] {
  const first = kind === 'Q2_K' ? 1 : 0;
  const halfAt = (stream: number): number => {
    half[0] = bytes[(at[stream] ?? 0) + unit] ?? 0;
    half[1] = bytes[(at[stream + 1] ?? 0) + unit] ?? 0;
    return halfValue(viewOf(half).getUint16(0, true));
  };
  return [halfAt(first), halfAt(first + 2)];
}

/** The value of a 16-bit float, as if it had no infinity and no NaN. */
function halfValue(word: number): number {
  const exponent = (word >> 10) & 31;
  const mantissa = word & 1023;
  const value = exponent === 0 ? mantissa * 2 ** -24 : (mantissa + 1024) * 2 ** (exponent - 25);
  return word >> 15 === 0 ? value : -value;
}

function pairOfQ2K(bytes: Uint8Array, at: readonly number[], unit: number, i: number): readonly [number, number] {
  const byte = bytes[(at[0] ?? 0) + 16 * unit + i] ?? 0;
  return [byte & 15, byte >> 4];
}

/** Scale and minimum i of 8, of 6 bits each, in three fields of four bytes. */
function pairOfQ4K(bytes: Uint8Array, at: readonly number[], unit: number, i: number): readonly [number, number] {
  const byteOf = (field: number): number => bytes[(at[4 + field] ?? 0) + 4 * unit + (i & 3)] ?? 0;
  if (i < 4) return [byteOf(0) & 63, byteOf(1) & 63];
  const low = byteOf(2);
  return [(low & 15) | ((byteOf(0) >> 6) << 4), (low >> 4) | ((byteOf(1) >> 6) << 4)];
}
