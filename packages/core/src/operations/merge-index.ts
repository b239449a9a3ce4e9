/**
 * Merges small index segments, so that look-ups and the state of the log stay short however many snapshots there are.
 *
 * A merge loses nothing and revives nothing: it leaves out the rows of packs that the log deleted or declared lost and no
 * others, and it has effect only if everything that it replaces is still live when its entry is put (docs/format.md, The
 * protocol, Index).
 */
import { sharedScope, type Keyset } from '../crypto/keyset.ts';
import type { SegmentId } from '../format/ids.ts';
import type { KnownOperation } from '../format/log-operations.ts';
import type { LiveSegment } from '../format/log-state.ts';
import { isDeleted, isLost, isTrustedActor, liveSegments, roleOf, type Fold } from '../log/fold.ts';
import type { Draft } from '../log/seal-next.ts';
import { buildSegment, type BuiltSegment } from '../pack/build-segment.ts';
import { chooseMerge } from '../pack/choose-merge.ts';
import type { Segment } from '../pack/segment.ts';
import type { Repository } from '../repository.ts';

export interface IndexMerge {
  /** Live segments that were replaced, and those that took their place. */
  readonly dropped: number;
  readonly added: number;
}

/** How many merges one call makes at most: each halves what is there, or nearly. */
const maxMerges = 8;

/**
 * Merges live segments as long as that is worth it; only an owner may, for others it does nothing.
 *
 * Only segments that a trusted actor named take part: under this actor's name the rows of a merged one are believed.
 * Errors: those of appending to the log, of reading segments and of the backend; nothing is lost by any of them.
 */
export async function mergeIndex(repository: Repository): Promise<IndexMerge> {
  let dropped = 0;
  let added = 0;
  for (; added < maxMerges; added += 1) {
    const replaced = await mergeOnce(repository);
    if (replaced === 0) break;
    dropped += replaced;
  }
  return { dropped, added };
}

/** `mergeIndex` at the end of work that is committed: whatever goes wrong is a notice and no error. */
export async function mergeIndexIfPossible(repository: Repository): Promise<void> {
  try {
    await mergeIndex(repository);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    repository.notice(`index segments were not merged, which a later snapshot tries again: ${why}`);
  }
}

/** How many segments one merge replaced; 0 when there was nothing to merge, or another host was faster. */
async function mergeOnce(repository: Repository): Promise<number> {
  const { backend, keys, log, random, signal } = repository;
  // Asked before the index is opened: most of the time there is nothing to do.
  if (roleOf(log.fold, keys.actor.id) !== 'owner' || chooseMerge(liveSegments(log.fold)).length === 0) return 0;
  const index = await repository.index();
  const { fold } = log;
  const choice = choose(repository, fold, index.segments);
  if (choice === undefined) return 0;
  const { keyset, segments } = choice;
  const drop = segments.map(({ id }) => id);
  const built = buildSegment(segments, {
    keys,
    keyset,
    random,
    drop: (pack) => isDeleted(fold, pack) || isLost(fold, pack),
  });
  await backend.put(built.key, built.parts, { signal });
  const appended = await log.append((newest) =>
    holds(repository, newest, built.id, drop) ? draftOf(keyset, built, drop) : undefined,
  );
  if (appended === undefined) {
    // Every number that was tried holds another's entry: this segment can never be named any more.
    await backend.delete(built.key, { signal });
    return 0;
  }
  index.addSegment(built);
  await repository.index();
  return drop.length;
}

interface MergeChoice {
  readonly keyset: Keyset;
  readonly segments: readonly Segment[];
}

/** What to merge: segments of one keyset that can be read and whose rows are believed. */
function choose({ keys }: Repository, fold: Fold, opened: readonly Segment[]): MergeChoice | undefined {
  const byId = new Map(opened.map((segment) => [segment.id, segment]));
  const trusted = liveSegments(fold).filter(({ actor }) => isTrustedActor(fold, actor, keys.actor.id));
  for (const keyset of keys.keysets.values()) {
    const live: LiveSegment[] = trusted.filter(({ id }) => byId.get(id)?.keyset === keyset.id);
    const segments = chooseMerge(live).flatMap(({ id }) => byId.get(id) ?? []);
    if (segments.length > 0) return { keyset, segments };
  }
  return undefined;
}

/** Whether the merge still fits the log: else it would bring back what is gone, or drop what it does not hold. */
function holds({ keys }: Repository, fold: Fold, merged: SegmentId, drop: readonly SegmentId[]): boolean {
  if (isDeleted(fold, merged)) return false;
  return drop.every((id) => {
    const row = fold.segments.get(id);
    return row !== undefined && isTrustedActor(fold, row.actor, keys.actor.id);
  });
}

function draftOf(keyset: Keyset, { id, blobs, byteLength }: BuiltSegment, drop: readonly SegmentId[]): Draft {
  const ops: KnownOperation[] = [{ op: 'index', add: [{ id, blobs, bytes: byteLength }], drop }];
  return keyset.scope === sharedScope ? { ops } : { ops: [], sections: [{ keyset: keyset.id, ops }] };
}
