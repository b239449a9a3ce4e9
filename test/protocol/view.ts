/** What an actor sees of a repository at one entry: the fold and the rows of the live segments. */
import { type Copy, chainOf, type Resolution, resolveLoosely, resolveWhole } from './copies.ts';
import { type Blob, type Fold, type Key, liveCaptures } from './log.ts';
import { listKeys, type Pack, readLog, type Segment, type Steps, type World } from './world.ts';

export interface View {
  readonly fold: Fold;
  /** Live segments, by name. */
  readonly segments: ReadonlyMap<Key, Segment>;
  /** Every pack with rows in them, deleted and lost ones included. */
  readonly indexed: ReadonlyMap<Key, Pack>;
}

/** Opens at the head; undefined if a live segment is gone, which only a broken rule brings about. */
export function* openView(w: World): Steps<View | undefined> {
  let fold = yield* readLog(w);
  for (;;) {
    const names = w.rules.indexLiveByLog
      ? fold.segments
      : (yield* listKeys(w)).filter((key) => key.startsWith('segment'));
    yield 'read the segments';
    const segments = readSegments(w, names);
    if (segments !== undefined) return { fold, segments, indexed: packsOf(segments.values()) };
    const head = yield* readLog(w);
    if (head.n === fold.n) return undefined;
    fold = head;
  }
}

/** Undefined if one is missing; who goes by LIST takes what is there. */
function readSegments(w: World, names: Iterable<Key>): Map<Key, Segment> | undefined {
  const segments = new Map<Key, Segment>();
  for (const name of names) {
    const stored = w.store.get(name);
    if (stored?.kind === 'segment') segments.set(name, stored);
    else if (w.rules.indexLiveByLog) return undefined;
  }
  return segments;
}

/** The packs that the rows of some segments name. */
export function packsOf(segments: Iterable<Segment>): Map<Key, Pack> {
  const packs = new Map<Key, Pack>();
  for (const segment of segments) for (const [key, pack] of segment.packs) packs.set(key, pack);
  return packs;
}

/** The packs that readers may use: neither deleted nor lost. */
export function livePacks({ fold, indexed }: View): Pack[] {
  return [...indexed.values()].filter(({ key }) => !fold.deleted.has(key) && !fold.lost.has(key));
}

/** Where readers and `unexpire` find each blob. */
export function resolveForReading(w: World, view: View): Resolution {
  return resolveWhole(w.rules, copiesOf(livePacks(view)));
}

/** Where a writer may rely on blobs: its own packs and those that are known. */
export function resolveForWriting(w: World, view: View, own: Iterable<Pack>): Resolution {
  const { fold, indexed } = view;
  const { knownIsLive, knownIsNotCondemned, knownIsWhole } = w.rules;
  const packs = new Map([...own].map((pack) => [pack.key, pack]));
  for (const [key, pack] of indexed) {
    if (knownIsLive && (fold.deleted.has(key) || fold.lost.has(key))) continue;
    if (knownIsNotCondemned && fold.condemned.has(key)) continue;
    packs.set(key, pack);
  }
  const copies = copiesOf(packs.values());
  return knownIsWhole ? resolveWhole(w.rules, copies) : resolveLoosely(copies);
}

export function copiesOf(packs: Iterable<Pack>): Copy[] {
  return [...packs].flatMap((pack) => pack.copies);
}

/** Every blob that a live capture lists. */
export function blobsOfLiveCaptures(fold: Fold): Set<Blob> {
  return new Set(liveCaptures(fold).flatMap(({ blobs }) => [...blobs]));
}

/** The packs behind all of these blobs; undefined if one has no whole copy. */
export function packsBehind(resolution: Resolution, blobs: Iterable<Blob>): Set<Key> | undefined {
  let packs = new Set<Key>();
  for (const blob of blobs) {
    const copy = resolution.get(blob);
    if (copy === undefined) return undefined;
    packs = packs.union(chainOf(resolution, copy));
  }
  return packs;
}
