/**
 * Sketches: a few bytes of a tensor by which the likeliest of many that could be its kin is found without reading them
 * (docs/format.md, Trees and other blobs). They only rank: what is built upon is decided by what it takes.
 */
import { sketchBytes } from '../../format/layout-record.ts';

/** Units that it is taken from at most. */
export const sketchUnits = 2048;

/**
 * Of the first bytes of a tensor, at least those of `sketchUnits` units where it has so many: the last byte of units all
 * over them, which of a float has its sign and the upper bits of its exponent; 64 hex digits. Undefined where there is
 * no unit.
 */
export function sketchOf(head: Uint8Array, unit: number): string | undefined {
  const units = Math.min(sketchUnits, Math.floor(head.length / unit));
  if (units === 0) return undefined;
  const bytes = new Uint8Array(sketchBytes);
  for (let i = 0; i < sketchBytes; i += 1) bytes[i] = head[(Math.floor((i * units) / sketchBytes) + 1) * unit - 1] ?? 0;
  return Buffer.from(bytes.buffer).toString('hex');
}

/** Bits in which two sketches differ, 0 to 256. */
export function sketchDistance(a: string, b: string): number {
  let bits = 0;
  for (let i = 0; i < 2 * sketchBytes; i += 1) bits += ones[nibbleAt(a, i) ^ nibbleAt(b, i)] ?? 0;
  return bits;
}

const ones = Uint8Array.from({ length: 16 }, (_, nibble) => {
  return (nibble & 1) + ((nibble >> 1) & 1) + ((nibble >> 2) & 1) + (nibble >> 3);
});

function nibbleAt(digits: string, at: number): number {
  const code = digits.charCodeAt(at);
  return code < 58 ? code - 48 : code - 87;
}
