/**
 * Copies of blobs, what they are stored over, and which of them are whole.
 *
 * A copy is *whole* if each of its bases has a whole copy of smaller depth (`docs/format.md`,
 * "Depth"). Depth orders copies, so the bases of a whole copy never form a circle.
 */
import type { Blob, Key } from './log.ts';
import type { Rules } from './rules.ts';

export interface Copy {
  readonly blob: Blob;
  readonly pack: Key;
  readonly depth: number;
  readonly bases: readonly Blob[];
}

/** For each blob that has a whole copy, the shallowest. */
export type Resolution = Map<Blob, Copy>;

/** Deepest copy that may be written; the format says 8, fewer makes the limit matter here. */
export const MAX_DEPTH = 3;

/** Resolves blobs by the copies that may be used. */
export function resolveWhole(rules: Rules, copies: readonly Copy[]): Resolution {
  return rules.baseOfSmallerDepth ? resolveByDepth(copies) : resolveAtAnyDepth(copies);
}

/** Resolves blobs without a look at bases: what `knownIsWhole` forbids. */
export function resolveLoosely(copies: readonly Copy[]): Resolution {
  const found: Resolution = new Map();
  for (const copy of shallowestFirst(copies)) if (!found.has(copy.blob)) found.set(copy.blob, copy);
  return found;
}

/** The packs that a copy needs: its own and those of its bases, transitively. */
export function chainOf(resolution: Resolution, copy: Copy): Set<Key> {
  const copies = new Set([copy]);
  // A set's loop also visits what is added on the way; a circle ends because nothing is added twice.
  for (const { bases } of copies) {
    for (const blob of bases) {
      const base = resolution.get(blob);
      if (base !== undefined) copies.add(base);
    }
  }
  return new Set([...copies].map(({ pack }) => pack));
}

function resolveByDepth(copies: readonly Copy[]): Resolution {
  const whole: Resolution = new Map();
  // Bases are shallower, so by the time a copy is looked at, all that it can use is there.
  for (const copy of shallowestFirst(copies)) {
    if (whole.has(copy.blob)) continue;
    if (copy.bases.every((blob) => (whole.get(blob)?.depth ?? Infinity) < copy.depth)) {
      whole.set(copy.blob, copy);
    }
  }
  return whole;
}

/** Without the rule of depth a copy seems whole while each base has a copy that seems whole. */
function resolveAtAnyDepth(copies: readonly Copy[]): Resolution {
  let left = copies;
  for (;;) {
    const blobs = new Set(left.map(({ blob }) => blob));
    const next = left.filter(({ bases }) => bases.every((blob) => blobs.has(blob)));
    if (next.length === left.length) break;
    left = next;
  }
  const found: Resolution = new Map();
  for (const copy of left) found.set(copy.blob, copy);
  return found;
}

/**
 * The blobs that these copies really give back, whatever their depth says: the measure of the
 * invariants, independent of the rules above.
 */
export function decodable(copies: readonly Copy[], given: Iterable<Blob> = []): Set<Blob> {
  const blobs = new Set(given);
  for (let before = -1; before < blobs.size;) {
    before = blobs.size;
    for (const copy of copies) {
      if (copy.bases.every((blob) => blobs.has(blob))) blobs.add(copy.blob);
    }
  }
  return blobs;
}

function shallowestFirst(copies: readonly Copy[]): Copy[] {
  return copies.toSorted((a, b) => a.depth - b.depth);
}
