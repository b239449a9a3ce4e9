/**
 * The random mix of a schedule: a short history, then actors of every kind at once, then a tidy
 * end in which everything is pruned, merged and read again.
 */
import { merger } from './actors/merge.ts';
import { pruner, sweeper } from './actors/prune.ts';
import { reader } from './actors/reader.ts';
import { repacker } from './actors/repack.ts';
import { repairer } from './actors/repair.ts';
import { expirer, unexpirer } from './actors/retention.ts';
import type { SnapshotJob } from './actors/work.ts';
import { writer } from './actors/writer.ts';
import { type Blob, liveCaptures } from './log.ts';
import type { Random } from './random.ts';
import type { Actor } from './scheduler.ts';
import { headFold, landInFlight, type Steps, type World } from './world.ts';

/** Few contents and collections, so that actors meet. */
const BLOBS = 4;
const COLLECTIONS = 2;

/** What lies in the repository before the actors begin; run in turn. */
export function drawHistory(w: World, random: Random): Actor[] {
  const history: Actor[] = [];
  const snapshots = 1 + random.below(3);
  for (let i = 0; i < snapshots; i++) {
    history.push({ name: `past ${String(i)}`, steps: writer(w, drawSnapshot(random)) });
  }
  if (random.chance(0.3)) history.push({ name: 'past repack', steps: drawRepack(w, random) });
  if (random.chance(0.5)) history.push({ name: 'past expire', steps: expirer(w, { index: 0 }) });
  if (random.chance(0.2)) history.push({ name: 'past merge', steps: merger(w, { count: 2 }) });
  return history;
}

/** The actors that run at once. */
export function drawActors(w: World, random: Random): Actor[] {
  const actors: Actor[] = [];
  const add = (name: string, steps: Steps): void => {
    actors.push({ name: `${name} ${String(actors.length)}`, steps, mortal: true });
  };
  const some = (most: number, name: string, draw: () => Steps): void => {
    for (let i = random.below(most + 1); i > 0; i--) add(name, draw());
  };
  for (let i = 1 + random.below(3); i > 0; i--) {
    actors.push(mortalWriter(w, random, drawSnapshot(random), actors.length));
  }
  const busy = random.chance(0.2);
  for (let i = 1 + random.below(busy ? 4 : 2); i > 0; i--) add('prune', drawPrune(w, random));
  some(2, 'expire', () => expirer(w, { index: random.below(2) }));
  some(1, 'merge', () => merger(w, { count: 2 + random.below(2) }));
  some(2, 'read', () => reader(w, { index: random.below(4) }));
  some(1, 'sweep', () => sweeper(w));
  if (random.chance(0.3)) add('repair', repairer(w));
  if (random.chance(0.2)) add('unexpire', unexpirer(w, { index: random.below(2) }));
  if (busy || random.chance(0.2)) some(busy ? 4 : 1, 'repack', () => drawRepack(w, random));
  if (random.chance(0.2)) actors.push({ name: 'damage', steps: damage(w, random.below(3)) });
  actors.push({ name: 'network', steps: network(w) });
  return actors;
}

/** A tidy end: deletes are finished, all is pruned and merged, every live capture is read. */
export function drawEnd(w: World): Actor[] {
  return [
    { name: 'last sweep', steps: sweeper(w) },
    { name: 'last prune', steps: pruner(w, { first: 'oldest' }) },
    { name: 'last merge', steps: merger(w, { count: 99 }) },
    ...liveCaptures(headFold(w)).map((_, index) => ({
      name: `last read ${String(index)}`,
      steps: reader(w, { index }),
    })),
  ];
}

/** A writer that half of the time starts again after it was killed, with its journal. */
function mortalWriter(w: World, random: Random, job: SnapshotJob, number: number): Actor {
  return {
    name: `writer ${String(number)}`,
    steps: writer(w, job),
    mortal: true,
    successor: () => (random.chance(0.5) ? mortalWriter(w, random, job, number) : undefined),
  };
}

function drawSnapshot(random: Random): SnapshotJob {
  const fresh: Blob[] = [];
  for (let i = 1 + random.below(3); i > 0; i--) fresh.push(random.below(BLOBS));
  const bases = new Map<Blob, Blob>();
  for (let blob = 0; blob < BLOBS; blob++) {
    const base = random.below(BLOBS);
    if (base !== blob && random.chance(0.5)) bases.set(blob, base);
  }
  return {
    collection: random.below(COLLECTIONS),
    fresh: [...new Set(fresh)],
    reuse: random.chance(0.4),
    bases,
    packPerBlob: random.chance(0.6),
    interim: random.chance(0.3),
    journal: new Map(),
  };
}

function drawPrune(w: World, random: Random): Steps {
  return pruner(w, { first: (['oldest', 'newest', 'raw'] as const)[random.below(3)] ?? 'raw' });
}

function drawRepack(w: World, random: Random): Steps {
  const base = random.chance(0.6) ? random.below(BLOBS) : undefined;
  return repacker(w, { blob: random.below(BLOBS), base });
}

/** The storage loses the bytes of a pack. */
function* damage(w: World, index: number): Steps {
  yield 'lose a pack';
  const packs = [...w.store.values()].flatMap((stored) => (stored.kind === 'pack' ? [stored] : []));
  const pack = packs[index];
  if (pack === undefined) return;
  w.note?.(`lost ${pack.key}`);
  w.damaged.set(pack.key, pack);
  w.store.delete(pack.key);
}

/** Puts that ended in doubt arrive late. */
function* network(w: World): Steps {
  for (let i = 0; i < 3; i++) {
    yield 'deliver a late put';
    landInFlight(w);
  }
}
