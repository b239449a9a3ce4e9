/**
 * A repository's log: opened, kept up to date, appended to (docs/format.md, The log and The protocol).
 *
 * Appending is the one commit point of everything that mbk does. No writer waits for another: who loses the race for a
 * number reads what came first, looks again whether its work still holds, and tries the next one.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Backend } from '../backend/backend.ts';
import type { Random } from '../crypto/hash.ts';
import type { Keys } from '../crypto/keyset.ts';
import { isMbkError, MbkError } from '../errors.ts';
import { logKey } from '../format/log-entry.ts';
import type { LogFinding } from '../format/log-state.ts';
import { applyEntry, replacedStateOf } from './apply-entry.ts';
import { entryName, readLinks, type Link, type LogDamage, type LogSource, type SoundLink } from './chain.ts';
import { checkRollback } from './check-rollback.ts';
import { entryCache } from './entry-cache.ts';
import { climb } from './find-head.ts';
import { hasNoEffect, type Fold } from './fold.ts';
import { readFoldCopy, writeFoldCopy } from './fold-copy.ts';
import { loadLog, type LoadedLog } from './load-log.ts';
import type { FoldCopyMark, LogMemory, LogPlace, SeenLog } from './log-memory.ts';
import { putEntry } from './put-entry.ts';
import { sealNext, type Draft } from './seal-next.ts';
import type { LogEntry } from './sealed-entry.ts';

export interface OpenLogOptions {
  readonly backend: Backend;
  readonly keys: Keys;
  readonly random: Random;
  /** This machine's clock, milliseconds since 1970. */
  readonly now: () => number;
  /** Name and version of the program, `mbk 0.1.0`. */
  readonly tool: string;
  /** Folder of local copies, an absolute path. */
  readonly cache?: string | undefined;
  /** What this host has seen of this log; without it a storage that was rolled back is not noticed. */
  readonly memory?: LogMemory | undefined;
  /** Told once when the memory cannot be kept: nothing else is wrong, but a storage that is rolled back from here on is not noticed. */
  readonly onMemoryProblem?: ((problem: MbkError) => void) | undefined;
  /** A place that the log must have, for hosts without a memory. */
  readonly expectHead?: LogPlace | undefined;
  /** Waits between tries. */
  readonly sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
  readonly signal?: AbortSignal | undefined;
}

/** An open log. Its values are those of the last `refresh` or `append`. */
export interface Log {
  /** Newest entry and its hash; one that is damaged is not counted. */
  readonly n: number;
  readonly hash: string;
  readonly fold: Fold;
  /** Everything that entries carried without effect, since the beginning. */
  readonly findings: readonly LogFinding[];
  /** What is wrong in the storage, as far as opening had to look. */
  readonly damage: readonly LogDamage[];
  /** Why local copies are not used. */
  readonly cacheProblem: MbkError | undefined;
  /** Reads what was appended since. Errors as `openLog`. */
  refresh(): Promise<void>;
  /**
   * Appends one entry with what `build` makes of the newest fold, and gives it; undefined when `build` gives undefined.
   *
   * `build` is called again, with the newer fold, whenever another writer was faster: it is where a writer looks again
   * whether what it relied on still holds (`log/writer-check.ts`). When this resolves the entry is stored and has had
   * its effect. Calls on one Log run one after the other.
   *
   * Errors: `log-race-lost`, `log-damaged` (until `repair log`), `role-denied`, `tag-exists`, RangeError for operations
   * that could have no effect for another reason, what `build` throws, what the backend throws.
   */
  append(
    build: (fold: Fold) => Draft | undefined | Promise<Draft | undefined>,
    options?: AppendOptions,
  ): Promise<Appended | undefined>;
  /** Reads entry n again, proved by the chain. Errors: `entry-absent`, `log-damaged`. */
  read(n: number): Promise<LogEntry>;
}

export interface AppendOptions {
  /** How often the race may be lost; 100 unless given. */
  readonly attempts?: number | undefined;
}

export interface Appended {
  readonly n: number;
  readonly hash: string;
  readonly entry: LogEntry;
  /** The fold right after it. */
  readonly fold: Fold;
  readonly findings: readonly LogFinding[];
}

const defaultAttempts = 100;
/** With so many entries to read, opening takes longer than it should: the fold is kept for the next time. */
const farEntries = 32;
/** Longest pause before the next try. */
const maxPauseMs = 1000;

/**
 * Opens the log of `keys.repository` in `backend`.
 *
 * Errors: `entry-absent` (there is no log), `log-rolled-back`, `log-damaged` (nothing of it can be used),
 * `operation-unknown`, `format-unsupported`, `local-state-failed` (the memory is there and cannot be read), and what the
 * backend throws.
 */
export async function openLog(options: OpenLogOptions): Promise<Log> {
  const { backend, keys, random, now, tool, memory, expectHead, signal } = options;
  const sleep = options.sleep ?? ((ms, abort) => pause(ms, undefined, { signal: abort }));
  const source: LogSource = { backend, keys, cache: entryCache(options.cache, random), signal };
  let isForgetful = false;
  let view = await load(await memory?.read());
  let queue: Promise<unknown> = Promise.resolve();

  return {
    get n() {
      return view.newest.n;
    },
    get hash() {
      return view.newest.hash;
    },
    get fold() {
      return view.fold;
    },
    get findings() {
      return [...view.fold.findings.values()];
    },
    get damage() {
      return view.damage;
    },
    get cacheProblem() {
      return source.cache.problem;
    },
    refresh: () => inTurn(refresh),
    append: (build, { attempts = defaultAttempts } = {}) => inTurn(() => append(build, attempts)),
    read: (n) => inTurn(() => readOne(n)),
  };

  /** Calls of one Log run one after the other: each begins with the fold that the last one left. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = queue.then(work);
    queue = turn.catch(() => undefined); // its caller is told; the next in turn is not concerned
    return turn;
  }

  async function load(seen: SeenLog | undefined): Promise<LoadedLog> {
    const copy = await readFoldCopy(source, seen?.fold);
    const loaded = await loadOrRolledBack(source, seen, copy);
    const unproven: LogDamage[] = [];
    const places = [
      [seen, 'this host has seen'],
      [expectHead, 'the caller expects'],
    ] as const;
    for (const [place, who] of places) {
      const damage = place === undefined ? undefined : await checkRollback(source, loaded, place, who);
      if (damage !== undefined) unproven.push(damage);
    }
    await orForgotten(async () => remember(loaded, seen, await copyIfFar(loaded)));
    return { ...loaded, damage: [...loaded.damage, ...unproven] };
  }

  /** Keeps the fold where the way to it was long and nothing on it was damaged. */
  async function copyIfFar({ fold, damage, replayed }: LoadedLog): Promise<FoldCopyMark | undefined> {
    const isWorth = memory !== undefined && options.cache !== undefined && replayed >= farEntries;
    return isWorth && damage.length === 0 && fold.gaps.length === 0 ? writeFoldCopy(source, fold, random) : undefined;
  }

  /**
   * A state folder that is full or read-only must not stop a restore, nor make a failure of an entry that is stored: what
   * cannot be remembered is told, once. Only a memory that is there and cannot be read on opening is an error.
   */
  async function orForgotten<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!isMbkError(error, 'local-state-failed')) throw error;
      if (!isForgetful) options.onMemoryProblem?.(error);
      isForgetful = true;
      return undefined;
    }
  }

  function rememberNewest(): Promise<void> {
    return orForgotten(async () => remember(view, await memory?.read()));
  }

  async function remember(
    { newest, checkedState }: Pick<LoadedLog, 'newest' | 'checkedState'>,
    seen: SeenLog | undefined,
    newCopy?: FoldCopyMark,
  ): Promise<void> {
    if (memory === undefined) return;
    const state = checkedState ?? seen?.state ?? null;
    if (seen !== undefined && seen.n >= newest.n && seen.state === state && newCopy === undefined) return;
    // A damaged head is not what was seen: the older, better memory stays.
    const place = seen !== undefined && seen.n > newest.n ? seen : newest;
    await memory.write({ n: place.n, hash: place.hash, at: now(), state, fold: newCopy ?? seen?.fold });
  }

  async function refresh(): Promise<void> {
    const { fold } = view;
    const exists = async (n: number): Promise<boolean> =>
      (await backend.stat(logKey(keys.repository, n), { signal })) !== undefined;
    const head = await climb(fold.n, exists);
    const isBlocked = view.damage.some((one) => one.blocksWriters);
    if (head === fold.n && !isBlocked) return;
    const last = view.links.at(-1);
    const links = await readLinks(source, { newest: head, oldest: fold.n + 1 });
    if (
      !isBlocked &&
      last?.hash === fold.hash &&
      links.every(isSound) &&
      links[0]?.entry.previous === fold.hash &&
      !replacesState(links)
    ) {
      for (const link of links) adopt(link, applyEntry(view.fold, link.entry).fold);
      await rememberNewest();
    } else {
      // Something is out of the ordinary: it is judged from the newest state on, like on opening.
      view = await load(laterOf(await orForgotten(async () => memory?.read()), view));
    }
  }

  function replacesState(links: readonly SoundLink[]): boolean {
    return links.some(({ entry }) => replacedStateOf(view.fold, entry) !== undefined);
  }

  function adopt(link: SoundLink, fold: Fold): void {
    // Only the newest link is asked for again; keeping them all would grow with the log.
    view = { ...view, fold, links: [link], newest: { n: link.n, hash: link.hash } };
  }

  /** What this process has seen counts as well as what the file says, also without a file. */
  function laterOf(seen: SeenLog | undefined, { newest, checkedState }: LoadedLog): SeenLog {
    if (seen !== undefined && seen.n >= newest.n) return seen;
    return { ...newest, at: now(), state: seen?.state ?? checkedState, fold: seen?.fold };
  }

  async function append(
    build: (fold: Fold) => Draft | undefined | Promise<Draft | undefined>,
    attempts: number,
  ): Promise<Appended | undefined> {
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      await refresh();
      refuseDamaged();
      const { fold } = view;
      const draft = await build(fold);
      if (draft === undefined) return undefined;
      const { key, bytes, entry, applied } = await sealNext(fold, draft, { backend, keys, random, tool, signal });
      refuseIneffective(applied.findings);
      if ((await putEntry(backend, key, bytes, { sleep, signal })) === 'stored') {
        adopt({ n: entry.n, hash: entry.hash, entry }, applied.fold);
        await source.cache.write(key, bytes);
        await rememberNewest();
        return { n: entry.n, hash: entry.hash, entry, fold: applied.fold, findings: applied.findings };
      }
      await sleep(jitter(attempt), signal);
    }
    throw new MbkError('log-race-lost', `other writers were faster ${attempts} times at appending to the log`, {
      details: { attempts, n: view.newest.n },
    });
  }

  function refuseDamaged(): void {
    const blocking = view.damage.filter((one) => one.blocksWriters);
    if (blocking.length === 0) return;
    throw new MbkError('log-damaged', `the log cannot be appended to: ${blocking.map(({ text }) => text).join('; ')}`, {
      details: { damage: blocking },
    });
  }

  /** Full jitter: any pause up to a bound that doubles. */
  function jitter(attempt: number): number {
    const [a = 0, b = 0] = random(2);
    return Math.floor((Math.min(maxPauseMs, 2 ** Math.min(attempt, 16)) * (a * 256 + b)) / 65_536);
  }

  async function readOne(n: number): Promise<LogEntry> {
    if (!Number.isSafeInteger(n) || n < 1 || n > view.fold.n) {
      throw new MbkError('entry-absent', `the log has entries 1 to ${view.fold.n}, not ${n}`, { details: { n } });
    }
    const links = await readLinks(source, { newest: Math.min(n + 1, view.fold.n), oldest: n });
    const [link] = links;
    if (link?.entry === undefined)
      throw new MbkError('log-damaged', link?.text ?? `${entryName(n)} cannot be read`, { details: { n } });
    return link.entry;
  }
}

/** Loads; a log that is gone altogether was rolled back when this host has seen it before. */
async function loadOrRolledBack(
  source: LogSource,
  seen: SeenLog | undefined,
  copy: Fold | undefined,
): Promise<LoadedLog> {
  try {
    return await loadLog(source, seen, copy);
  } catch (cause) {
    if (seen === undefined || !(cause instanceof MbkError) || cause.code !== 'entry-absent') throw cause;
    throw new MbkError('log-rolled-back', `the storage shows no log, and this host has seen entry ${seen.n}`, {
      details: { stored: { n: 0 }, remembered: { n: seen.n, hash: seen.hash } },
      cause,
    });
  }
}

function isSound(link: Link): link is SoundLink {
  return link.entry !== undefined && link.healed === undefined;
}

/** Before the put: an entry that would have no effect is not stored. */
function refuseIneffective(findings: readonly LogFinding[]): void {
  const finding = findings.find(hasNoEffect);
  if (finding === undefined) return;
  const text = `the operation ${finding.op} was refused: ${finding.text}`;
  if (['role-denied', 'actor-unknown', 'scope-wrong'].includes(finding.code)) throw new MbkError('role-denied', text);
  if (finding.code === 'tag-exists') throw new MbkError('tag-exists', text);
  throw new RangeError(`expected operations that fit the fold, got: ${text}`);
}
