/**
 * The races that are known by name, from the reliability plan of this project and from what was
 * published about two-phase collectors; each with the rules that it is there to watch.
 */
import { merger } from './actors/merge.ts';
import { pruner, sweeper } from './actors/prune.ts';
import { reader } from './actors/reader.ts';
import { repacker } from './actors/repack.ts';
import { expirer } from './actors/retention.ts';
import type { SnapshotJob } from './actors/work.ts';
import { writer } from './actors/writer.ts';
import type { Race } from './explore.ts';
import type { Blob } from './log.ts';
import type { Rule } from './rules.ts';
import type { Actor } from './scheduler.ts';
import type { Steps, World } from './world.ts';

export interface NamedRace extends Race {
  /** Broken, one at a time, each of these makes this race lose something. */
  readonly watches: readonly Rule[];
}

const A = 0;
const B = 1;
const C = 2;
const X = 0;
const Y = 1;

/** A snapshot of one collection, and its capture expired. */
function forgotten(w: World, ...blobs: readonly Blob[]): Actor[] {
  return [actor('past', snapshot(w, blobs)), actor('past expire', expirer(w, { index: 0 }))];
}

function actor(name: string, steps: Steps): Actor {
  return { name, steps };
}

function snapshot(w: World, fresh: readonly Blob[], more: Partial<SnapshotJob> = {}): Steps {
  return writer(w, {
    collection: 0,
    fresh,
    reuse: false,
    bases: new Map(),
    packPerBlob: true,
    interim: false,
    journal: new Map(),
    ...more,
  });
}

const oldest = { first: 'oldest' } as const;
const newest = { first: 'newest' } as const;

export const races: readonly NamedRace[] = [
  {
    name: 'many snapshots beside two prunes, grace 0',
    history: (w) => forgotten(w, A, B),
    actors: (w) => [
      actor('writer 1', snapshot(w, [A])),
      actor('writer 2', snapshot(w, [A, B], { collection: 1 })),
      actor('prune 1', pruner(w, oldest)),
      actor('prune 2', pruner(w, newest)),
    ],
    preemptions: 2,
    kills: 0,
    watches: [
      'casPutIfAbsent',
      'commitOnNewestHead',
      'writerRechecksDeleted',
      'writerRechecksOwn',
      'writerRechecksAfterLostRace',
      'deleteRecomputesNeed',
      'deleteRecomputesAtItsHead',
      'deleteEntryBeforeBytes',
      'straysOnlyThroughLog',
    ],
  },
  {
    name: 'a writer asleep between its check and its commit',
    history: (w) => forgotten(w, A),
    actors: (w) => [
      actor('writer', snapshot(w, [A])),
      actor('other writer', snapshot(w, [B], { collection: 1 })),
      actor('prune', pruner(w, oldest)),
    ],
    preemptions: 3,
    kills: 0,
    watches: ['writerRechecksAfterLostRace', 'casPutIfAbsent'],
  },
  {
    name: 'a snapshot that relies by stat on a parent that expires',
    history: (w) => [actor('parent', snapshot(w, [A]))],
    actors: (w) => [
      actor('writer', snapshot(w, [B], { reuse: true })),
      actor('expire', expirer(w, { index: 0 })),
      actor('prune', pruner(w, oldest)),
    ],
    preemptions: 3,
    kills: 0,
    watches: ['writerRechecksExpired', 'deleteRecomputesAtItsHead'],
  },
  {
    name: 'two hosts that store X over Y and Y over X',
    history: () => [],
    actors: (w) => [
      actor('host 1', snapshot(w, [Y, X], { bases: new Map([[X, Y]]) })),
      actor('host 2', snapshot(w, [X, Y], { bases: new Map([[Y, X]]), collection: 1 })),
      actor('prune', pruner(w, { first: 'raw' })),
    ],
    preemptions: 3,
    kills: 0,
    watches: ['baseOfSmallerDepth', 'pruneFollowsBases'],
  },
  {
    name: 'an index merge that crosses a delete',
    history: (w) => [...forgotten(w, A), actor('past 2', snapshot(w, [B], { collection: 1 }))],
    actors: (w) => [
      actor('merge', merger(w, { count: 2 })),
      actor('prune', pruner(w, oldest)),
      actor('writer', snapshot(w, [A])),
    ],
    preemptions: 3,
    kills: 0,
    watches: ['addRechecksSegment', 'mergeKeepsCondemned', 'knownIsLive'],
  },
  {
    name: 'two merges of the same segments',
    history: (w) => [actor('past 1', snapshot(w, [A])), actor('past 2', snapshot(w, [B], { collection: 1 }))],
    actors: (w) => [
      actor('merge 1', merger(w, { count: 2 })),
      actor('merge 2', merger(w, { count: 2 })),
      actor('reader', reader(w, { index: 0 })),
    ],
    preemptions: 3,
    kills: 0,
    watches: ['segmentNamesNeverRecur'],
  },
  {
    name: 'two-phase collectors 1: a chunk goes between the look and the commit',
    history: (w) => forgotten(w, A, B),
    actors: (w) => [
      actor('writer', snapshot(w, [A, C])),
      actor('prune', pruner(w, oldest)),
      actor('sweep', sweeper(w)),
    ],
    preemptions: 3,
    kills: 0,
    watches: ['writerRechecksDeleted', 'writerRechecksOwn'],
  },
  {
    name: 'two-phase collectors 2: one commit rescues what a second collector has condemned',
    history: (w) => forgotten(w, A),
    actors: (w) => [
      actor('writer', snapshot(w, [A])),
      actor('collector 1', pruner(w, oldest)),
      actor('collector 2', pruner(w, oldest)),
    ],
    preemptions: 3,
    kills: 0,
    watches: ['deleteRecomputesNeed', 'deleteRecomputesAtItsHead'],
  },
  {
    name: 'a reader beside prunes that move the copies twice',
    history: (w) => [actor('past', snapshot(w, [A])), actor('past repack', repacker(w, { blob: A, base: undefined }))],
    actors: (w) => [
      actor('reader', reader(w, { index: 0 })),
      actor('prune 1', pruner(w, oldest)),
      actor('repack', repacker(w, { blob: A, base: undefined })),
      actor('prune 2', pruner(w, oldest)),
    ],
    preemptions: 2,
    kills: 0,
    watches: ['readerRereadsWhileLogMoves', 'deleteEntryBeforeBytes'],
  },
  {
    name: 'a hit over a base whose pack goes while its own pack stays',
    history: (w) => [
      actor('past Y', snapshot(w, [Y])),
      actor('past X and C', snapshot(w, [X, C], { bases: new Map([[X, Y]]), packPerBlob: false })),
      actor('past C', snapshot(w, [C], { collection: 1 })),
      actor('expire', expirer(w, { index: 0 })),
      actor('expire', expirer(w, { index: 0 })),
    ],
    actors: (w) => [actor('writer', snapshot(w, [X])), actor('prune', pruner(w, oldest))],
    preemptions: 3,
    kills: 0,
    watches: ['reliesOnBasesOfHits', 'knownIsWhole'],
  },
  {
    name: 'a writer is killed while others rely on its packs',
    history: () => [],
    actors: (w) => [
      { ...actor('writer 1', snapshot(w, [A], { interim: true })), mortal: true },
      actor('writer 2', snapshot(w, [A], { collection: 1 })),
      actor('prune', pruner(w, oldest)),
    ],
    preemptions: 2,
    kills: 1,
    watches: ['packsBeforeIndex', 'indexBeforeEntry', 'catalogueBeforeEntry'],
  },
];
