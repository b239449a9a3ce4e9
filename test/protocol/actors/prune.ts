/**
 * Prune (`docs/format.md`, "Prune"): condemn at c, recompute need at d-1, delete at d, remove the
 * bytes. Grace and min-age are zero: nothing but the order of the log protects anybody.
 */
import { chainOf, type Resolution, resolveLoosely, resolveWhole } from '../copies.ts';
import type { Blob, Fold, Key } from '../log.ts';
import { blobsOfLiveCaptures, copiesOf, livePacks, openView, type View } from '../view.ts';
import { appendEntry, listKeys, readLog, removeStored, type Pack, type Steps, type World } from '../world.ts';

/** Which of two copies goes: the older, the newer, or the one that stands on nothing. */
export interface PruneJob {
  readonly first: 'oldest' | 'newest' | 'raw';
}

export function* pruner(w: World, job: PruneJob): Steps {
  const condemned = w.rules.condemnBeforeDelete ? yield* condemn(w, job) : new Set<Key>();
  const deleted = yield* deleteCondemned(w, job, condemned);
  for (const key of deleted) yield* removeStored(w, key);
}

/** Finishes what any prune deleted or any merge dropped; needs no note of who began it. */
export function* sweeper(w: World): Steps {
  const fold = yield* readLog(w);
  for (const key of yield* listKeys(w)) {
    if (fold.deleted.has(key) || fold.dropped.has(key)) yield* removeStored(w, key);
  }
}

/** Condemns whatever nothing live needs. */
function* condemn(w: World, job: PruneJob): Steps<ReadonlySet<Key>> {
  for (;;) {
    const view = yield* openView(w);
    if (view === undefined) return new Set();
    const listed = yield* listKeys(w);
    const strays = listed.filter((key) => isStray(view, key));
    if (!w.rules.straysOnlyThroughLog) for (const key of strays) yield* removeStored(w, key);
    const candidates = [...view.indexed.keys(), ...strays];
    const keys = droppable(w, view, inOrder(view, candidates, job)).difference(view.fold.condemned);
    if (keys.size === 0) return keys;
    const entry = { operations: [{ op: 'condemn', keys } as const] };
    if (yield* appendEntry(w, view.fold.n + 1, entry)) return keys;
  }
}

/** Deletes what is condemned, by whomever, and still not needed. */
function* deleteCondemned(w: World, job: PruneJob, condemned: ReadonlySet<Key>): Steps<ReadonlySet<Key>> {
  let first: { keys: ReadonlySet<Key>; spared: ReadonlySet<Key> } | undefined;
  for (;;) {
    const view = yield* openView(w);
    if (view === undefined) return new Set();
    const planned = planDelete(w, view, job, condemned);
    first ??= planned;
    const { keys, spared } = w.rules.deleteRecomputesAtItsHead ? planned : first;
    if (keys.size + spared.size === 0) return keys;
    if (!w.rules.deleteEntryBeforeBytes) for (const key of keys) yield* removeStored(w, key);
    const entry = { operations: [{ op: 'delete', keys, spared } as const] };
    if (yield* appendEntry(w, view.fold.n + 1, entry)) return keys;
  }
}

function planDelete(
  w: World,
  view: View,
  job: PruneJob,
  condemned: ReadonlySet<Key>,
): { keys: ReadonlySet<Key>; spared: ReadonlySet<Key> } {
  if (!w.rules.deleteRecomputesNeed) return { keys: condemned, spared: new Set() };
  const all = w.rules.condemnBeforeDelete ? view.fold.condemned : new Set(view.indexed.keys());
  const keys = droppable(w, view, inOrder(view, [...all], job));
  return { keys, spared: view.fold.condemned.difference(keys) };
}

function inOrder(view: View, keys: readonly Key[], { first }: PruneJob): readonly Key[] {
  if (first === 'oldest') return keys;
  if (first === 'newest') return keys.toReversed();
  const isRaw = (key: Key): boolean => view.indexed.get(key)?.copies.every(({ depth }) => depth === 0) === true;
  return [...keys.filter(isRaw), ...keys.filter((key) => !isRaw(key))];
}

/** Named by no entry: the left-over of a crash, or the work of somebody who has not committed yet. */
function isStray({ fold, indexed, segments }: View, key: Key): boolean {
  const named = indexed.has(key) || segments.has(key) || fold.dropped.has(key) || isBundleOfCommit(fold, key);
  return !named && !fold.lost.has(key) && !fold.deleted.has(key);
}

function isBundleOfCommit(fold: Fold, key: Key): boolean {
  return [...fold.captures.values()].some(({ bundle }) => bundle === key);
}

/** Those of the candidates that may go together: without them all that is needed is still whole. */
function droppable(w: World, view: View, candidates: readonly Key[]): Set<Key> {
  const { fold, indexed } = view;
  const mayGo = w.rules.pruneCountsOnlyWholeCopies ? allWhole : allCopied;
  const usable = w.rules.deleteKeepsCopyOutsideAllDeletions ? livePacks(view) : [...indexed.values()];
  const kept = new Map(usable.map((pack) => [pack.key, pack]));
  const whole = resolve(w, kept.values());
  const needed = blobsOfLiveCaptures(fold);
  const broken = w.rules.pruneKeepsWhatIsBroken ? packsOfBroken(kept, whole, needed) : new Set();
  const dropped = new Set<Key>();
  for (const key of candidates) {
    if (broken.has(key) || isGone(fold, key) || isNamed(view, key)) continue;
    const pack = kept.get(key);
    kept.delete(key);
    if (pack !== undefined && !mayGo(w, kept, whole, needed, pack)) kept.set(key, pack);
    else dropped.add(key);
  }
  return dropped;
}

function isGone(fold: Fold, key: Key): boolean {
  return fold.deleted.has(key) || fold.lost.has(key);
}

/** A segment or bundle condemned as a stray may be named by now. */
function isNamed({ fold, segments }: View, key: Key): boolean {
  return segments.has(key) || fold.dropped.has(key) || isBundleOfCommit(fold, key);
}

function allWhole(w: World, kept: ReadonlyMap<Key, Pack>, before: Resolution, needed: ReadonlySet<Blob>): boolean {
  const after = resolve(w, kept.values());
  return [...needed].every((blob) => after.has(blob) || !before.has(blob));
}

/** The local rule without a look at wholeness: a needed copy goes if one no deeper remains. */
function allCopied(
  _: World,
  kept: ReadonlyMap<Key, Pack>,
  _before: Resolution,
  needed: ReadonlySet<Blob>,
  pack: Pack,
): boolean {
  const left = copiesOf(kept.values());
  const shallowest = resolveLoosely([...left, ...pack.copies]);
  const blobs = new Set(needed);
  // A set's loop also visits what is added on the way.
  for (const blob of blobs) for (const base of shallowest.get(blob)?.bases ?? []) blobs.add(base);
  return pack.copies.every(
    ({ blob, depth }) => !blobs.has(blob) || left.some((copy) => copy.blob === blob && copy.depth <= depth),
  );
}

function resolve(w: World, packs: Iterable<Pack>): Resolution {
  const copies = copiesOf(packs);
  return w.rules.pruneFollowsBases ? resolveWhole(w.rules, copies) : resolveLoosely(copies);
}

/** Packs with copies of needed blobs that have no whole copy, and of the bases of those copies. */
function packsOfBroken(kept: ReadonlyMap<Key, Pack>, whole: Resolution, needed: ReadonlySet<Blob>): Set<Key> {
  const copies = copiesOf(kept.values());
  const broken = new Set([...needed].filter((blob) => !whole.has(blob)));
  const packs = new Set<Key>();
  for (const blob of broken) {
    for (const copy of copies.filter((each) => each.blob === blob)) {
      for (const key of chainOf(whole, copy)) packs.add(key);
      for (const base of copy.bases) if (!whole.has(base)) broken.add(base);
    }
  }
  return packs;
}
