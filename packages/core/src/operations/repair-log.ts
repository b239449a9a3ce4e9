/**
 * `repair log`: a plan for every damaged entry of the log, and what carries it out.
 *
 * What can be done about an entry that is damaged in the storage, best first:
 *
 * 1. *Restore* it: this host has a copy whose hash is the one that the next entry has for it (or that this host remembers
 *    for the newest). The damaged bytes are deleted and the right ones put. Nothing is lost.
 *
 *    While the key is free somebody could put another entry there. In the middle of the log that would be damage again,
 *    and noticed; at the head it would be a fork. So a head gets a successor first, an *anchor* without operations: from
 *    then on every writer goes on behind the anchor, and a crash between delete and put leaves damage in the middle, that
 *    the next repair mends from the same copy.
 *
 * 2. Nothing, when a newer state folds it: what the entry did is known. Only its own record is gone. It is *left*.
 *
 * 3. Declare it *void*: what it said is unknown to whoever has no copy, so its operations are given up. For the newest
 *    entry that is all: nobody built on it. For an older one, hosts that read it while it was whole fold it and others do
 *    not, and two folds must not live side by side. So the void comes with a *state*, and everybody goes on from that
 *    state, those with a copy as well. The state is the fold past the gap: a domain whose next advance continues from a
 *    commit that the lost entry brought in is taken to stand there (`log/apply-entry.ts`), so history goes on without a
 *    break and only the lost line is missing. Index segments that the entry added are in the storage still, and
 *    `repair index` finds them.
 *
 * 4. *Remove* a key that is no entry of the chain at all (nothing stands below it, or it is larger than any entry).
 */
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Backend } from '../backend/backend.ts';
import type { Random } from '../crypto/hash.ts';
import type { Keys } from '../crypto/keyset.ts';
import { MbkError } from '../errors.ts';
import { limits, stateInterval } from '../format/limits.ts';
import { logKey, noPrevious } from '../format/log-entry.ts';
import type { KnownOperation } from '../format/log-operations.ts';
import { entryName, readLinks, type Link, type LogDamage, type LogSource } from '../log/chain.ts';
import { checkRollback } from '../log/check-rollback.ts';
import { entryCache } from '../log/entry-cache.ts';
import { hasNoEffect, roleOf, type Fold } from '../log/fold.ts';
import { loadLog, type LoadedLog } from '../log/load-log.ts';
import { logMemory, type LogMemory } from '../log/log-memory.ts';
import { putEntry } from '../log/put-entry.ts';
import { sealNext } from '../log/seal-next.ts';
import { peekOperations } from '../log/sealed-entry.ts';
import type { Repository } from '../repository.ts';

export interface RepairLogOptions {
  readonly backend: Backend;
  readonly keys: Keys;
  readonly random: Random;
  /** This machine's clock, milliseconds since 1970. */
  readonly now: () => number;
  /** Name and version of the program. */
  readonly tool: string;
  /** Folder of local copies: the one source that entries can be restored from. */
  readonly cache?: string | undefined;
  readonly memory?: LogMemory | undefined;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  readonly signal?: AbortSignal | undefined;
}

/** The options for an open repository: its log is read anew, also past what opening passed over. */
export function logRepairOptions(repository: Repository): RepairLogOptions {
  const { backend, keys, random, now, tool, cacheFolder, stateFolder, signal } = repository;
  const memory = logMemory(dirname(stateFolder), keys.repository, random);
  const sleep: RepairLogOptions['sleep'] = (ms, abort) => pause(ms, undefined, { signal: abort });
  return { backend, keys, random, now, tool, cache: cacheFolder, memory, sleep, signal };
}

/** What `repair log` would do; plain data. */
export interface LogRepairPlan {
  /** The newest entry when this was planned. */
  readonly head: number;
  readonly steps: readonly LogRepairStep[];
  /** Index segments in the storage that are not live; `repair index` looks whether they were lost with an entry. */
  readonly idleSegments: number;
}

/** One step of a repair, with a sentence for people. */
export type LogRepairStep =
  | { readonly kind: 'restore' | 'void'; readonly n: number; readonly hash: string; readonly text: string }
  | { readonly kind: 'anchor' | 'leave' | 'remove'; readonly n: number; readonly text: string }
  | { readonly kind: 'state'; readonly through: number; readonly text: string };

export interface LogRepaired {
  /** The newest entry now. */
  readonly n: number;
  readonly hash: string;
  /** What is still wrong. */
  readonly damage: readonly LogDamage[];
}

/** Reads the whole log from the storage and says what to do about each damaged entry. Errors as `openLog`. */
export async function planLogRepair(options: RepairLogOptions): Promise<LogRepairPlan> {
  const source = sourceOf(options);
  const loaded = await loadSeen(source, options.memory);
  const problems = await readProblems(source, loaded, options.memory);
  const steps = problems.map((link) => stepFor(link, loaded, options.keys));
  const strays = loaded.damage.filter(({ reason }) => reason === 'stray').map(({ n }) => n);

  const head = loaded.fold.n;
  const plan: LogRepairStep[] = [...(await Promise.all(strays.map((n) => strayStep(source, n)))), ...steps];
  if (steps.some(({ kind, n }) => kind === 'restore' && n === head)) {
    plan.unshift({
      kind: 'anchor',
      n: head + 1,
      text: `${entryName(head + 1)}, without operations, so that nothing can take the place of entry ${head}`,
    });
  }
  if (steps.some(({ kind, n }) => kind === 'void' && n < head)) {
    plan.push({
      kind: 'state',
      through: head,
      text: 'a state that everybody goes on from, with or without a copy of what was lost',
    });
  }
  return { head, steps: plan, idleSegments: await countIdleSegments(source, loaded.fold) };
}

/**
 * Carries a plan out. Only an owner may where it declares entries void.
 *
 * Killed at any moment it leaves a log that a new plan mends. Errors: `role-denied`, `log-race-lost` (the log moved since
 * the plan was made: plan again), `log-damaged` (a copy that was to be restored is gone), what the backend throws.
 */
export async function executeLogRepair(plan: LogRepairPlan, options: RepairLogOptions): Promise<LogRepaired> {
  const source = sourceOf(options);
  const { memory, keys, backend, signal } = options;
  const loaded = await loadSeen(source, memory);
  if (loaded.fold.n !== plan.head) throw moved(plan.head, loaded.fold.n);
  const voids = plan.steps.flatMap((step) =>
    step.kind === 'void' ? [{ op: 'void', n: step.n, hash: step.hash } as const] : [],
  );
  if (voids.length > 0 && roleOf(loaded.fold, keys.actor.id) !== 'owner') {
    throw new MbkError('role-denied', 'only an owner may declare a log entry void');
  }

  if (plan.steps.some(({ kind }) => kind === 'anchor')) await appendEntry(loaded.fold, [], options);
  for (const step of plan.steps) {
    if (step.kind === 'restore') await restore(source, step.n, step.hash, options);
    if (step.kind === 'remove') await backend.delete(logKey(keys.repository, step.n), { signal });
  }
  if (voids.length > 0) await voidEntries(await loadLog(source, await memory?.read()), voids, options);

  const repaired = await loadLog(source, undefined);
  await memory?.write({ ...repaired.newest, at: options.now(), state: repaired.checkedState });
  return { ...repaired.newest, damage: repaired.damage };
}

function sourceOf({ backend, keys, cache, random, signal }: RepairLogOptions): LogSource {
  return { backend, keys, cache: entryCache(cache, random), signal };
}

/** A storage that was rolled back is not repaired: that would make what is left of the log the truth. */
async function loadSeen(source: LogSource, memory: LogMemory | undefined): Promise<LoadedLog> {
  const seen = await memory?.read();
  const loaded = await loadLog(source, seen);
  if (seen !== undefined) await checkRollback(source, loaded, seen, 'this host has seen');
  return loaded;
}

/** Every link of the log whose bytes in the storage are not right, oldest first. */
async function readProblems(source: LogSource, { fold }: LoadedLog, memory: LogMemory | undefined): Promise<Link[]> {
  const remembered = await memory?.read();
  const problems: Link[] = [];
  let successor: Link | undefined;
  for (let newest = fold.n; newest >= 1; newest -= stateInterval) {
    const links: readonly Link[] = await readLinks(source, {
      newest,
      oldest: Math.max(1, newest - stateInterval + 1),
      successor,
      remembered,
      fromStorage: true,
    });
    problems.unshift(...links.filter((link) => link.entry === undefined || link.healed !== undefined));
    [successor] = links;
  }
  return problems;
}

function stepFor(link: Link, { fold, links }: LoadedLog, keys: Keys): Exclude<LogRepairStep, { kind: 'state' }> {
  const { n } = link;
  if (link.entry !== undefined) {
    return {
      kind: 'restore',
      n,
      hash: link.hash,
      text: `${link.healed?.text ?? entryName(n)}; this host has the right bytes`,
    };
  }
  const { reason, text } = link;
  if (n === fold.n && (reason === 'oversized' || reason === 'short')) return { kind: 'remove', n, text };
  if (fold.voided.has(n)) return { kind: 'leave', n, text: `${text}; it is void already` };
  if (n < (links[0]?.n ?? 1))
    return { kind: 'leave', n, text: `${text}; a later state holds what it did, and only its own record is lost` };
  const said = link.bytes === undefined ? undefined : peekOperations(link.bytes, keys);
  const lost =
    said === undefined ? 'what it said is lost' : `its operations are given up: ${said.join(', ') || 'none'}`;
  return { kind: 'void', n, hash: link.hash ?? noPrevious, text: `${text}; ${lost}` };
}

/** Junk is removed; an authentic entry was cut off from the log by a loss below it, and is not for a repair to remove. */
async function strayStep(source: LogSource, n: number): Promise<LogRepairStep> {
  const [link] = await readLinks(source, { newest: n, oldest: n, fromStorage: true });
  if (link?.entry === undefined)
    return { kind: 'remove', n, text: `${entryName(n)} continues nothing and cannot be read` };
  const text = `${entryName(n)} is authentic, and the entries below it are gone: bring them back from a copy of the storage`;
  return { kind: 'leave', n, text };
}

async function countIdleSegments({ backend, signal }: LogSource, fold: Fold): Promise<number> {
  const live = new Set<string>([...fold.segments.keys()].map((id) => `index/${id}`));
  let idle = 0;
  for await (const { key } of backend.list('index/', { signal })) if (!live.has(key)) idle += 1;
  return idle;
}

async function restore(source: LogSource, n: number, hash: string, { sleep }: RepairLogOptions): Promise<void> {
  const { backend, cache, keys, signal } = source;
  const key = logKey(keys.repository, n);
  const bytes = await cache.read(key, hash, limits.logEntryBytes);
  if (bytes === undefined)
    throw new MbkError('log-damaged', `the local copy of ${entryName(n)} is gone: plan again`, { details: { n } });
  await backend.delete(key, { signal });
  if ((await putEntry(backend, key, bytes, { sleep, signal })) === 'lost') {
    throw new MbkError('log-damaged', `something else was put in the place of ${entryName(n)}: plan again`, {
      details: { n },
    });
  }
}

async function voidEntries(
  { fold }: LoadedLog,
  voids: readonly KnownOperation[],
  options: RepairLogOptions,
): Promise<void> {
  const n = fold.n + 1;
  const isInside = voids.some((op) => op.op === 'void' && op.n < n - 1);
  await appendEntry(fold, voids, options, isInside);
}

/** Puts the next entry in spite of damage before it. */
async function appendEntry(
  fold: Fold,
  ops: readonly KnownOperation[],
  options: RepairLogOptions,
  withState = false,
): Promise<void> {
  const { backend, sleep, signal } = options;
  const { key, bytes, entry, applied } = await sealNext(fold, { ops }, { ...options, withState });
  const refused = applied.findings.find(hasNoEffect);
  if (refused !== undefined)
    throw new MbkError('role-denied', `${entryName(entry.n)} would have no effect: ${refused.text}`);
  if ((await putEntry(backend, key, bytes, { sleep, signal })) === 'lost') throw moved(fold.n, entry.n);
}

function moved(from: number, to: number): MbkError {
  return new MbkError('log-race-lost', `the log went from entry ${from} to ${to} since the repair was planned`, {
    remedy: 'Plan the repair again.',
  });
}
