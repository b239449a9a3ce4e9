/**
 * What the catalogue needs of the log's fold: its head lines and tags, in the order of the log.
 */
import type { CommitId, EntryId, GitObjectId } from '../format/ids.ts';
import type { Line } from '../format/log-state.ts';
import type { Fold } from '../log/fold.ts';

/** An effective head line (docs/format.md, Operations): `to` became the head of `domain`. */
export interface CatalogueLine {
  readonly domain: string;
  /** The head before it; null for a first snapshot. */
  readonly from: CommitId | null;
  readonly to: CommitId;
  readonly bundle: EntryId;
  /** Full name of the tag that came with it, `healthcare/2025-01-01`. */
  readonly tag: string | null;
  readonly tagObject: GitObjectId | null;
  readonly line: { readonly takenAt: number };
}

/** A tag that holds now: one that was deleted is not among them. */
export interface CatalogueTag {
  readonly domain: string;
  /** Full name. */
  readonly name: string;
  readonly commit: CommitId;
  readonly object: GitObjectId;
  /** The bundle that holds the tag object. */
  readonly bundle: EntryId;
}

export interface CatalogueView {
  /** In log order; the lines of one domain form a chain by `from` and `to`. */
  readonly lines: readonly CatalogueLine[];
  /** Both those of head lines and those made later. */
  readonly tags: Iterable<CatalogueTag>;
}

/** What a fold of the log says of history, with whole lines: `n`, `at`, `actor` and the log line. */
export function viewOfFold(fold: Fold): CatalogueView & { readonly lines: readonly Line[] } {
  return { lines: [...fold.lines.values()], tags: [...fold.tags.values()] };
}

/** The newest line of each domain, in the order in which the domains first appeared. */
export function headsOf(view: CatalogueView): Map<string, CatalogueLine> {
  const heads = new Map<string, CatalogueLine>();
  for (const line of view.lines) heads.set(line.domain, line);
  return heads;
}
