/**
 * What a writer checks before it commits: that nothing it relied on was given up meanwhile (docs/format.md, The protocol).
 *
 * A writer looks blobs up and reuses trees as the log stood when it opened. Before each try to put the next entry it has
 * read all entries there are, and calls this; unless every list is empty it stores those blobs again and rebuilds.
 * Condemned packs are fine: whoever deletes recomputes what is needed after this commit, and the commit rescues them.
 */
import type { EntryId, PackId } from '../format/ids.ts';
import type { Capture } from '../format/log-operations.ts';
import { captureKey, isDeleted, isExpired, lostAfter, type Fold } from './fold.ts';

export interface Reliance {
  /** Packs of deduplication hits and of bases, with the whole chain below each, and packs that this writer stored. */
  readonly packs: Iterable<PackId>;
  /** Segments and bundles that this writer stored. */
  readonly stored?: Iterable<EntryId> | undefined;
  /** Captures whose trees are reused by stat, or carried. */
  readonly captures: Iterable<Capture>;
  /** Whether any tree is reused by stat. */
  readonly reusesTrees?: boolean | undefined;
  /** n of the fold by which blobs were found known. */
  readonly sinceN: number;
}

export interface BrokenReliance {
  readonly deletedPacks: readonly PackId[];
  /** Of those relied on, packs that were declared lost after `sinceN`. */
  readonly lostPacks: readonly PackId[];
  readonly deletedStored: readonly EntryId[];
  /** Captures that expired after `sinceN`, also when that was taken back, and those that are expired now. */
  readonly expiredCaptures: readonly Capture[];
  /** Where trees are reused: any packs that were declared lost after `sinceN`. Their files may have lain in them. */
  readonly lostUnderTrees: readonly PackId[];
}

/** What of `reliance` no longer holds; every list must be empty before a commit. */
export function checkReliance(fold: Fold, reliance: Reliance): BrokenReliance {
  const { captures, stored = [], reusesTrees = false, sinceN } = reliance;
  const packs = [...reliance.packs];
  return {
    deletedPacks: packs.filter((pack) => isDeleted(fold, pack)),
    lostPacks: packs.filter((pack) => (fold.lost.get(pack) ?? 0) > sinceN),
    deletedStored: [...stored].filter((id) => isDeleted(fold, id)),
    expiredCaptures: [...captures].filter(
      (capture) =>
        isExpired(fold, capture.commit, capture.collection) || (fold.lifted.get(captureKey(capture))?.n ?? 0) > sinceN,
    ),
    lostUnderTrees: reusesTrees ? lostAfter(fold, sinceN) : [],
  };
}

/** Whether a commit may go ahead. */
export function isReliable(broken: BrokenReliance): boolean {
  const { deletedPacks, lostPacks, deletedStored, expiredCaptures, lostUnderTrees } = broken;
  return [deletedPacks, lostPacks, deletedStored, expiredCaptures, lostUnderTrees].every((list) => list.length === 0);
}
