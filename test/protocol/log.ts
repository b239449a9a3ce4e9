/**
 * Entries of the log and their fold: what is live, condemned, deleted, lost and expired after
 * entry n. A fold is immutable, so actors may hold on to the one they read.
 */
import type { Rules } from './rules.ts';

/** Name of an entry of the backend: a pack, a segment or a catalogue bundle. */
export type Key = string;
/** A blob is known by its content; the model's contents are small numbers. */
export type Blob = number;

export type Operation =
  | {
      readonly op: 'advance';
      readonly capture: number;
      readonly collection: number;
      readonly blobs: ReadonlySet<Blob>;
      readonly bundle: Key;
      /** Entry of the parent commit, 0 for none. */
      readonly parent: number;
    }
  | { readonly op: 'index'; readonly add: readonly Key[]; readonly drop: readonly Key[] }
  | { readonly op: 'expire' | 'unexpire'; readonly capture: number }
  | { readonly op: 'condemn' | 'lost'; readonly keys: ReadonlySet<Key> }
  /** `spared`: condemned before, needed after all; they are condemned no longer. */
  | { readonly op: 'delete'; readonly keys: ReadonlySet<Key>; readonly spared: ReadonlySet<Key> };

export interface Entry {
  readonly operations: readonly Operation[];
}

export interface Capture {
  readonly id: number;
  readonly collection: number;
  readonly blobs: ReadonlySet<Blob>;
  readonly bundle: Key;
  /** The entry that committed it, and the one of its commit's parent. */
  readonly n: number;
  readonly parent: number;
}

export interface Fold {
  readonly n: number;
  /** Entry of the newest commit, 0 for none. The model has one domain. */
  readonly head: number;
  readonly segments: ReadonlySet<Key>;
  /** Segments that were live once. */
  readonly dropped: ReadonlySet<Key>;
  readonly condemned: ReadonlySet<Key>;
  /** Deleted name → the entry that deleted it. */
  readonly deleted: ReadonlyMap<Key, number>;
  readonly lost: ReadonlyMap<Key, number>;
  readonly captures: ReadonlyMap<number, Capture>;
  readonly expired: ReadonlySet<number>;
  /** The newest entry that declared a pack lost, 0 for none. */
  readonly lastLost: number;
}

/** How many entries a fold remembers a deletion for when `deletedIsForever` is broken. */
const SHORT_MEMORY = 2;

export const emptyFold: Fold = {
  n: 0,
  head: 0,
  segments: new Set(),
  dropped: new Set(),
  condemned: new Set(),
  deleted: new Map(),
  lost: new Map(),
  captures: new Map(),
  expired: new Set(),
  lastLost: 0,
};

/** The fold after one more entry. */
export function foldEntry(rules: Rules, before: Fold, entry: Entry): Fold {
  let fold: Fold = { ...before, n: before.n + 1 };
  for (const operation of entry.operations) fold = applyOperation(fold, operation);
  return rules.deletedIsForever ? fold : forgetOldDeletions(fold);
}

/** The captures that nobody expired. */
export function liveCaptures(fold: Fold): Capture[] {
  return [...fold.captures.values()].filter(({ id }) => !fold.expired.has(id));
}

function applyOperation(fold: Fold, operation: Operation): Fold {
  switch (operation.op) {
    case 'advance': {
      const { capture: id, collection, blobs, bundle, parent } = operation;
      const capture: Capture = { id, collection, blobs, bundle, parent, n: fold.n };
      return { ...fold, head: fold.n, captures: new Map(fold.captures).set(id, capture) };
    }
    case 'index': {
      const segments = new Set(fold.segments);
      const dropped = new Set(fold.dropped);
      for (const key of operation.add) segments.add(key);
      for (const key of operation.drop) if (segments.delete(key)) dropped.add(key);
      for (const key of operation.add) if (segments.has(key)) dropped.delete(key);
      return { ...fold, segments, dropped };
    }
    case 'expire':
      return { ...fold, expired: new Set(fold.expired).add(operation.capture) };
    case 'unexpire': {
      const expired = new Set(fold.expired);
      expired.delete(operation.capture);
      return { ...fold, expired };
    }
    case 'condemn':
      return { ...fold, condemned: fold.condemned.union(operation.keys) };
    case 'delete':
      return {
        ...fold,
        condemned: fold.condemned.difference(operation.keys).difference(operation.spared),
        deleted: withNames(fold.deleted, operation.keys, fold.n),
      };
    case 'lost':
      return { ...fold, lost: withNames(fold.lost, operation.keys, fold.n), lastLost: fold.n };
  }
}

/** The first entry that names a key is the one that counts. */
function withNames(names: ReadonlyMap<Key, number>, more: ReadonlySet<Key>, n: number): ReadonlyMap<Key, number> {
  const result = new Map(names);
  for (const key of more) if (!result.has(key)) result.set(key, n);
  return result;
}

function forgetOldDeletions(fold: Fold): Fold {
  const deleted = new Map([...fold.deleted].filter(([, n]) => n > fold.n - SHORT_MEMORY));
  return { ...fold, deleted };
}
