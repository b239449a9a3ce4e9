/** Putting a segment, and the log entry that makes it live: shared by writers, merges and repair. */
import type { Key } from '../log.ts';
import { appendEntry, newId, type Pack, putStored, readLog, type Segment, type Steps, type World } from '../world.ts';

/** Puts a segment with the rows of these packs. No entry names it yet. */
export function* putSegment(w: World, packs: Iterable<Pack>): Steps<Segment> {
  const rows = new Map([...packs].map((pack) => [pack.key, pack]));
  // The salt: without it equal rows have equal bytes, so an equal name.
  const name = w.rules.segmentNamesNeverRecur ? String(newId(w)) : [...rows.keys()].sort().join('+');
  const segment: Segment = { kind: 'segment', key: `segment ${name}`, packs: rows };
  yield* putStored(w, segment);
  return segment;
}

/**
 * Makes a segment live, put after entry `since` was read, and drops others.
 * False if it may not be: somebody deleted it meanwhile, or the others are live no longer.
 */
export function* appendIndex(w: World, since: number, add: Key, drop: readonly Key[] = []): Steps<boolean> {
  if (!w.rules.indexLiveByLog) return true;
  for (;;) {
    const head = yield* readLog(w);
    if (w.rules.addRechecksSegment && namesBetween(w, 'delete', since, head.n).has(add)) return false;
    if (drop.some((key) => !head.segments.has(key))) return false;
    const entry = { operations: [{ op: 'index', add: [add], drop } as const] };
    if (yield* appendEntry(w, head.n + 1, entry)) return true;
  }
}

/** The names that entries since+1 to n delete, or declare lost. */
export function namesBetween(w: World, operation: 'delete' | 'lost', since: number, n: number): Set<Key> {
  const names = new Set<Key>();
  for (const { operations } of w.log.slice(since + 1, n + 1)) {
    for (const each of operations) {
      if (each.op === operation) for (const key of each.keys) names.add(key);
    }
  }
  return names;
}
