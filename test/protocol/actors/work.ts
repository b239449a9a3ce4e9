/** What a writer has in hand between its attempts, and the check that it makes before it commits. */
import type { Blob, Capture, Fold, Key } from '../log.ts';
import { type Bundle, newId, type Pack, type Segment, type World } from '../world.ts';
import { namesBetween } from './index-entry.ts';

export interface SnapshotJob {
  readonly collection: number;
  /** Contents that the walk finds new or changed. */
  readonly fresh: readonly Blob[];
  /** Everything else is as the newest capture has it, says the stat cache. */
  readonly reuse: boolean;
  /** Which blob a blob is stored over, if that is known. */
  readonly bases: ReadonlyMap<Blob, Blob>;
  readonly packPerBlob: boolean;
  /** Put an `index add` of its own before the commit. */
  readonly interim: boolean;
  /** Packs whose put was acknowledged; outlives a crash. */
  readonly journal: Map<Key, Pack>;
}

/** What the writer carries from one attempt to the next. */
export interface Work {
  readonly job: SnapshotJob;
  /** What the source folder holds. */
  readonly content: ReadonlySet<Blob>;
  /** The capture whose tree is reused by stat. */
  reused: Capture | undefined;
  /** Its own packs, and those of them that no live or pending segment has rows of. */
  readonly own: Map<Key, Pack>;
  readonly unindexed: Set<Key>;
  /** Put, and not yet named by an entry. */
  pending: Segment[];
  bundle: Bundle;
  bundleIsPut: boolean;
  /** Entries up to this one were checked. */
  checked: number;
}

/** A catalogue bundle under a new name. */
export function newBundle(w: World): Bundle {
  return { kind: 'bundle', key: `bundle ${String(newId(w))}` };
}

/** The check before n+1; forgets what it finds gone, so that the next attempt stores it again. */
export function isStillTrue(w: World, relied: ReadonlySet<Key>, work: Work, head: Fold): boolean {
  const { writerRechecksDeleted, writerRechecksOwn, writerRechecksExpired, writerRechecksLost } = w.rules;
  const since = work.checked;
  work.checked = head.n;
  const own = ownKeys(work);
  const deleted = namesBetween(w, 'delete', since, head.n);
  const lost = namesBetween(w, 'lost', since, head.n);
  const missing = [
    ...(writerRechecksDeleted ? relied.difference(own).intersection(deleted) : []),
    ...(writerRechecksOwn ? own.intersection(deleted) : []),
    ...(writerRechecksLost ? relied.union(own).intersection(lost) : []),
  ];
  const reuseEnds =
    work.reused !== undefined &&
    ((writerRechecksExpired && expiredBetween(w, since, head.n).has(work.reused.id)) ||
      (writerRechecksLost && lost.size > 0));
  if (reuseEnds) work.reused = undefined;
  for (const key of missing) forgetOwn(w, work, key);
  return !reuseEnds && missing.length === 0 && !isUnindexed(w, work);
}

/** Its segment was deleted before an entry of its own named it. */
function isUnindexed(w: World, work: Work): boolean {
  return w.rules.indexBeforeEntry && work.unindexed.size > 0;
}

function ownKeys({ own, pending, bundle }: Work): Set<Key> {
  return new Set([...own.keys(), ...pending.map(({ key }) => key), bundle.key]);
}

function forgetOwn(w: World, work: Work, key: Key): void {
  work.own.delete(key);
  work.unindexed.delete(key);
  if (work.bundle.key === key) {
    work.bundle = newBundle(w);
    work.bundleIsPut = false;
  }
  const gone = work.pending.find((segment) => segment.key === key);
  if (gone === undefined) return;
  work.pending = work.pending.filter((segment) => segment !== gone);
  for (const name of gone.packs.keys()) if (work.own.has(name)) work.unindexed.add(name);
}

function expiredBetween(w: World, since: number, n: number): Set<number> {
  const ids = new Set<number>();
  for (const { operations } of w.log.slice(since + 1, n + 1)) {
    for (const each of operations) if (each.op === 'expire') ids.add(each.capture);
  }
  return ids;
}
