/**
 * The world that actors share: a write-once backend and the log in it.
 *
 * An actor is a generator that yields before each call of the backend, with the call's name; so
 * whatever it does between two yields is one call and its own thinking. The scheduler decides who
 * goes on, and may drop an actor at any yield: that is a crash.
 *
 * Two simplifications, both without loss: reading the log is one step, because entries are
 * immutable and the last GET (the one that finds nothing) decides what was read; rows of a
 * segment are whole packs, because nothing in the protocol is finer.
 */
import type { Blob, Entry, Fold, Key } from './log.ts';
import { emptyFold, foldEntry } from './log.ts';
import type { Copy } from './copies.ts';
import type { Rules } from './rules.ts';

/** An actor, or a part of one that returns T. */
export type Steps<T = void> = Generator<string, T, void>;

export interface Pack {
  readonly kind: 'pack';
  readonly key: Key;
  readonly copies: readonly Copy[];
}

export interface Segment {
  readonly kind: 'segment';
  readonly key: Key;
  /** Rows, by pack: what its footer says. */
  readonly packs: ReadonlyMap<Key, Pack>;
}

export interface Bundle {
  readonly kind: 'bundle';
  readonly key: Key;
}

export type Stored = Pack | Segment | Bundle;

/** What the network and the storage may do to a call; the scheduler decides. */
export interface Weather {
  /** A put ends without an answer. */
  readonly doubt: () => boolean;
  /** Such a put was carried out (else it may still be, later). */
  readonly arrived: () => boolean;
  /** A LIST answers with what it answered before. */
  readonly stale: () => boolean;
}

export interface World {
  readonly rules: Rules;
  readonly weather: Weather;
  readonly store: Map<Key, Stored>;
  /** Entries by number; entry 0 does not exist and is empty here. */
  readonly log: Entry[];
  readonly folds: Fold[];
  /** Puts that nobody waits for any more and that may still arrive. */
  readonly inFlight: Stored[];
  /** Packs whose bytes the storage itself lost. */
  readonly damaged: Map<Key, Pack>;
  /** Names in any delete entry ever put: their bytes may go at any time. */
  readonly everDeleted: Set<Key>;
  /** Captures that a writer reported as done. */
  readonly reported: number[];
  /** What an actor found lost. */
  readonly losses: string[];
  /** What happened in a call, for the trace. */
  readonly note: ((text: string) => void) | undefined;
  lastListing: readonly Key[];
  nextId: number;
  /** Set by calls after which the invariants must be looked at again. */
  changed: boolean;
}

export function createWorld(rules: Rules, weather: Weather, note?: (text: string) => void): World {
  return {
    rules,
    weather,
    note,
    store: new Map(),
    log: [{ operations: [] }],
    folds: [emptyFold],
    inFlight: [],
    damaged: new Map(),
    everDeleted: new Set(),
    reported: [],
    losses: [],
    lastListing: [],
    nextId: 1,
    changed: false,
  };
}

/** A number never given before. */
export function newId(w: World): number {
  return w.nextId++;
}

/** The fold of all entries there are. */
export function headFold(w: World): Fold {
  return w.folds.at(-1) ?? emptyFold;
}

/** LIST of one and GETs upward until absent. */
export function* readLog(w: World): Steps<Fold> {
  yield 'read the log';
  return headFold(w);
}

/** Puts bytes until the put is acknowledged. */
export function* putStored(w: World, stored: Stored): Steps {
  do yield `put ${describe(stored)}`;
  while (!tryPut(w, stored));
}

function tryPut(w: World, stored: Stored): boolean {
  if (!w.weather.doubt()) {
    w.store.set(stored.key, stored);
    return true;
  }
  if (w.weather.arrived()) w.store.set(stored.key, stored);
  else w.inFlight.push(stored);
  w.note?.('in doubt');
  return false;
}

/** Lets one put arrive that nobody waits for any more. */
export function landInFlight(w: World): void {
  const stored = w.inFlight.shift();
  if (stored !== undefined) w.store.set(stored.key, stored);
}

export function* removeStored(w: World, key: Key): Steps {
  yield `remove ${key}`;
  w.store.delete(key);
  w.changed = true;
}

export function* listKeys(w: World): Steps<readonly Key[]> {
  yield 'list';
  const stale = w.weather.stale();
  if (!stale) w.lastListing = [...w.store.keys()];
  return w.lastListing;
}

/** Puts entry n; true if it is this one that stands there now. */
export function* appendEntry(w: World, n: number, entry: Entry): Steps<boolean> {
  let doubted = false;
  for (;;) {
    yield `put log/${String(n)} ${describeEntry(entry)}`;
    if (w.rules.casPutIfAbsent && w.log[n] !== undefined) {
      yield `compare log/${String(n)}`;
      const mine = w.log[n] === entry || (doubted && !w.rules.inDoubtIsCompared);
      w.note?.(mine ? 'mine' : 'lost the race');
      return mine;
    }
    doubted = w.weather.doubt();
    if (!doubted || w.weather.arrived()) writeEntry(w, n, entry);
    if (!doubted) return true;
    w.note?.('in doubt');
  }
}

function writeEntry(w: World, n: number, entry: Entry): void {
  w.log[n] = entry;
  w.folds.length = n;
  // One turn, unless entry n was replaced: then all that follow fold anew.
  for (const each of w.log.slice(n)) w.folds.push(foldEntry(w.rules, headFold(w), each));
  for (const operation of entry.operations) {
    if (operation.op === 'delete') for (const key of operation.keys) w.everDeleted.add(key);
  }
  w.changed = true;
}

function describe(stored: Stored): string {
  if (stored.kind === 'pack') return `${stored.key} (${stored.copies.map(describeCopy).join(' ')})`;
  if (stored.kind === 'segment') return `${stored.key} [${[...stored.packs.keys()].join(' ')}]`;
  return stored.key;
}

function describeCopy(copy: Copy): string {
  return blobName(copy.blob) + copy.bases.map((base) => `/${blobName(base)}`).join('');
}

/** A letter for a blob. */
export function blobName(blob: Blob): string {
  return String.fromCharCode(65 + blob);
}

function describeEntry(entry: Entry): string {
  return entry.operations
    .map((operation) => {
      switch (operation.op) {
        case 'advance':
          return `advance ${String(operation.capture)}:${[...operation.blobs].map(blobName).join('')}`;
        case 'index':
          return `index +${operation.add.join(' ')} -${operation.drop.join(' ')}`;
        case 'expire':
        case 'unexpire':
          return `${operation.op} ${String(operation.capture)}`;
        case 'condemn':
        case 'delete':
        case 'lost':
          return `${operation.op} ${[...operation.keys].join(' ')}`;
      }
    })
    .join(', ');
}
