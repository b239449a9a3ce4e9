/** Which packs `mbk verify` reads when it is not to read all of them. */
import type { PackId } from '../../format/ids.ts';
import type { PackRow } from '../../format/segment-rows.ts';

export interface ChooseOptions {
  /** Part of the bytes, above 0 and at most 1; all unless given. */
  readonly sample?: number | undefined;
  /** Only packs that were not verified for so long. */
  readonly maxAgeMs?: number | undefined;
  /** When each pack was last read whole and found right. */
  readonly verifiedAt: ReadonlyMap<PackId, number>;
  readonly now: number;
  /** Picks among equals: a number from 0 to 1, without 1. */
  readonly pick: () => number;
}

/**
 * The packs to read: of those that are due, the ones that were not verified for longest, never verified ones first, and of
 * equals any, until the sample is reached. So samples taken again and again get round to every pack.
 */
export function choosePacks(rows: readonly PackRow[], options: ChooseOptions): PackRow[] {
  const { sample, maxAgeMs, verifiedAt, now, pick } = options;
  // A time ahead of the clock proves nothing.
  const lastOf = ({ id }: PackRow): number => {
    const at = verifiedAt.get(id);
    return at === undefined || at > now ? -Infinity : at;
  };
  const due = maxAgeMs === undefined ? [...rows] : rows.filter((row) => now - lastOf(row) >= maxAgeMs);
  if (sample === undefined) return due;
  const wanted = rows.reduce((sum, { size }) => sum + size, 0) * sample;
  const ranked = due
    .map((row) => ({ row, at: lastOf(row), chance: pick() }))
    .sort((a, b) => (a.at === b.at ? a.chance - b.chance : a.at < b.at ? -1 : 1));
  const chosen: PackRow[] = [];
  let bytes = 0;
  for (const { row } of ranked) {
    if (bytes >= wanted) break;
    chosen.push(row);
    bytes += row.size;
  }
  return chosen;
}
