/**
 * A writer: one snapshot of one collection (`docs/format.md`, "Writer").
 *
 * It opens at entry a, stores what is not known, and commits at n+1 after a check of the entries
 * from a+1 to n; a failed check sends it back to storing. A writer that crashed may start again
 * with its journal of packs whose put was acknowledged.
 */
import { chainOf, type Copy, MAX_DEPTH, type Resolution } from '../copies.ts';
import type { Blob, Capture, Entry, Fold, Key } from '../log.ts';
import { resolveForWriting, openView, type View } from '../view.ts';
import { appendEntry, newId, type Pack, putStored, readLog, type Steps, type World } from '../world.ts';
import { appendIndex, putSegment } from './index-entry.ts';
import { isStillTrue, newBundle, type SnapshotJob, type Work } from './work.ts';

interface Plan {
  readonly packs: readonly Pack[];
  /** Every pack that the snapshot stands on. */
  readonly relied: ReadonlySet<Key>;
}

export function* writer(w: World, job: SnapshotJob): Steps {
  let work: Work | undefined;
  for (;;) {
    const view = yield* openView(w);
    if (view === undefined) return;
    work ??= beginWork(w, view, job);
    const plan = planStoring(w, view, work);
    yield* store(w, plan, work);
    if (yield* commit(w, plan, work, view)) return;
  }
}

function beginWork(w: World, view: View, job: SnapshotJob): Work {
  const newest = newestCapture(w, view.fold, job.collection);
  const own = new Map([...job.journal].filter(([key]) => !isGone(view.fold, key)));
  return {
    job,
    content: new Set([...(job.reuse && newest !== undefined ? newest.blobs : []), ...job.fresh]),
    reused: job.reuse && mayReuse(w, view.fold, newest) ? newest : undefined,
    own,
    unindexed: new Set(own.keys()),
    pending: [],
    bundle: newBundle(w),
    bundleIsPut: false,
    checked: view.fold.n,
  };
}

function newestCapture(w: World, fold: Fold, collection: number): Capture | undefined {
  return [...fold.captures.values()].findLast(
    (capture) => capture.collection === collection && !(w.rules.reuseOnlyLiveCaptures && fold.expired.has(capture.id)),
  );
}

function mayReuse(w: World, fold: Fold, capture: Capture | undefined): boolean {
  return capture !== undefined && !(w.rules.reuseNotAcrossLost && fold.lastLost > capture.n);
}

function isGone(fold: Fold, key: Key): boolean {
  return fold.deleted.has(key) || fold.lost.has(key);
}

/** Decides what is known, what is stored and over what, and what the snapshot relies on. */
function planStoring(w: World, view: View, work: Work): Plan {
  const known = resolveForWriting(w, view, work.own.values());
  const relied = new Set<Key>();
  const copies: Copy[] = [];
  let pack = '';
  for (const blob of work.content) {
    if (work.reused?.blobs.has(blob) === true) continue;
    const hit = known.get(blob);
    if (hit === undefined) {
      if (pack === '' || work.job.packPerBlob) pack = `pack ${String(newId(w))}`;
      const copy = encode(known, work, blob, pack);
      copies.push(copy);
      known.set(blob, copy);
    }
    for (const key of reliance(w, known, known.get(blob), hit === undefined)) relied.add(key);
  }
  const names = new Set(copies.map((copy) => copy.pack));
  const packs = [...names].map((key): Pack => ({
    kind: 'pack',
    key,
    copies: copies.filter((copy) => copy.pack === key),
  }));
  return { packs, relied };
}

/** A copy over the base that the job names, where that is known and not too deep. */
function encode(known: Resolution, { job }: Work, blob: Blob, pack: Key): Copy {
  const base = known.get(job.bases.get(blob) ?? -1);
  if (base === undefined || base.depth >= MAX_DEPTH) return { blob, pack, depth: 0, bases: [] };
  return { blob, pack, depth: base.depth + 1, bases: [base.blob] };
}

function reliance(w: World, known: Resolution, copy: Copy | undefined, stored: boolean): ReadonlySet<Key> {
  if (copy === undefined) return new Set();
  const { reliesOnBasesItUses, reliesOnBasesOfHits } = w.rules;
  const whole = stored ? reliesOnBasesItUses : reliesOnBasesOfHits;
  return whole ? chainOf(known, copy) : new Set([copy.pack]);
}

/** Packs, then segments, then the bundle. */
function* store(w: World, plan: Plan, work: Work): Steps {
  const { packsBeforeIndex, indexBeforeEntry, catalogueBeforeEntry, journalAfterPut } = w.rules;
  for (const pack of plan.packs) {
    work.own.set(pack.key, pack);
    work.unindexed.add(pack.key);
  }
  if (!packsBeforeIndex) yield* storeSegment(w, work, true);
  for (const pack of plan.packs) {
    if (!journalAfterPut) yield* writeJournal(work, pack);
    yield* putStored(w, pack);
    if (journalAfterPut) yield* writeJournal(work, pack);
  }
  if (indexBeforeEntry) yield* storeSegment(w, work, work.job.interim);
  if (catalogueBeforeEntry) yield* storeBundle(w, work);
}

function* writeJournal({ job }: Work, pack: Pack): Steps {
  yield `write ${pack.key} into the journal`;
  job.journal.set(pack.key, pack);
}

/** Puts a segment for own packs that none has; with `live`, also the entry that names it. */
function* storeSegment(w: World, work: Work, live: boolean): Steps {
  const packs = [...work.unindexed].flatMap((key) => work.own.get(key) ?? []);
  if (packs.length === 0) return;
  const segment = yield* putSegment(w, packs);
  if (!live) work.pending.push(segment);
  else if (!(yield* appendIndex(w, work.checked, segment.key))) return;
  work.unindexed.clear();
}

function* storeBundle(w: World, work: Work): Steps {
  if (work.bundleIsPut) return;
  yield* putStored(w, work.bundle);
  work.bundleIsPut = true;
}

/** True when the snapshot stands in the log; false when something must be stored again. */
function* commit(w: World, plan: Plan, work: Work, view: View): Steps<boolean> {
  for (let attempt = 0; ; attempt++) {
    const head = yield* readLog(w);
    if (attempt === 0 || w.rules.writerRechecksAfterLostRace) {
      if (!isStillTrue(w, plan.relied, work, head)) return false;
    }
    const parent = w.rules.commitOnNewestHead ? head.head : view.fold.head;
    const capture = newId(w);
    if (yield* appendEntry(w, head.n + 1, advance(work, capture, parent))) {
      yield* storeLate(w, work);
      w.reported.push(capture);
      return true;
    }
  }
}

function advance({ job, content, bundle, pending }: Work, capture: number, parent: number): Entry {
  const operation = {
    op: 'advance',
    capture,
    collection: job.collection,
    blobs: content,
    bundle: bundle.key,
    parent,
  } as const;
  const add = pending.map(({ key }) => key);
  return { operations: [{ op: 'index', add, drop: [] }, operation] };
}

/** What the rules of order forbid: parts that are put after the entry that needs them. */
function* storeLate(w: World, work: Work): Steps {
  if (!w.rules.indexBeforeEntry) yield* storeSegment(w, work, true);
  if (!w.rules.catalogueBeforeEntry) yield* storeBundle(w, work);
}
