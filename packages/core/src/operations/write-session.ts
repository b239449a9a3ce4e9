/**
 * A writing session on a repository: a blob writer over the index as the log stood when it opened, with the packs that
 * an interrupted run of this host left behind.
 */
import { join } from 'node:path';
import type { Compression } from '../codec/compression.ts';
import { isMbkError } from '../errors.ts';
import type { KnownOperation } from '../format/log-operations.ts';
import type { Fold } from '../log/fold.ts';
import type { Log } from '../log/open-log.ts';
import { checkReliance, isReliable, type BrokenReliance } from '../log/writer-check.ts';
import { adoptPacks } from '../pack/adopt-packs.ts';
import { blobWriter, type BlobWriter } from '../pack/blob-writer.ts';
import type { PackFilter, SegmentInfo } from '../pack/index-set.ts';
import { packJournal, type PackJournal } from '../pack/pack-journal.ts';
import { isUsable, type Repository } from '../repository.ts';
import type { CaptureRef } from '../snapshot/stat-cache.ts';

export interface WriteSession {
  readonly writer: BlobWriter;
  /** What the session relies on and no longer holds as of `fold`; undefined if all holds. */
  broken(fold: Fold, reused: readonly CaptureRef[]): BrokenReliance | undefined;
  /** Makes what is gone count for nothing: the next round stores it again. */
  invalidate(broken: BrokenReliance): void;
  /** Puts a segment of everything that is stored and not indexed; the operation that names it. */
  takeIndex(): Promise<KnownOperation[]>;
  /** Says that the log names what `takeIndex` gave. */
  indexed(): void;
  /** Indexes in the log what is stored so far. */
  checkpoint(log: Log): Promise<void>;
}

/** Something that the session relied on was deleted, lost or expired before it could commit. */
export class ReliedOnGone extends Error {
  override readonly name = 'ReliedOnGone';
  readonly broken: BrokenReliance;

  constructor(broken: BrokenReliance) {
    super('what the session relied on was given up meanwhile');
    this.broken = broken;
  }
}

export interface WriteSessionOptions {
  /** Of data blobs; `fast` unless given. */
  readonly compression?: Compression | undefined;
}

export async function openWriteSession(
  repository: Repository,
  { compression }: WriteSessionOptions = {},
): Promise<WriteSession> {
  const { backend, keys, log, processes, random, signal, stateFolder, packs: reader } = repository;
  // In a container the process that died may have had our own number.
  const isAlive = (pid: number): boolean => pid !== processes.self && processes.isRunning(pid);
  // Refreshes, and refuses at once what an append would refuse after everything was stored: a damaged newest entry.
  await log.append(() => undefined);
  const index = await repository.index();
  /** What was found known or reused since then holds as of this entry; a new round begins where the last one broke. */
  let sinceN = log.fold.n;
  let brokenAt = sinceN;
  /** The newest fold is asked: a pack that was deleted since is never a hit, one stored since may be. */
  const usable: PackFilter = (pack, actor, namedBy) => isUsable(log.fold, keys, pack, actor, namedBy);
  const folder = join(stateFolder, 'journal');
  const forgive = forgiver(repository);
  const adoption = await adoptPacks({ folder, backend, reader, index, isUsable: usable, isAlive, signal }).catch(
    forgive,
  );
  const journal = forgivingJournal(packJournal(folder, { pid: processes.self, random }), forgive);
  const writer = blobWriter({ backend, keys, random, index, isUsable: usable, compression, journal, signal });
  let taken: readonly SegmentInfo[] = [];
  /** Whether another actor named our segment before we did: then what it said of it stands. */
  const isForeign = (fold: Fold, { id }: SegmentInfo): boolean =>
    (fold.segments.get(id)?.actor ?? keys.actor.id) !== keys.actor.id;

  const session: WriteSession = {
    writer,
    broken(fold, reused) {
      const broken = checkReliance(fold, {
        packs: writer.reliedPacks,
        stored: taken.map(({ id }) => id),
        captures: reused,
        reusesTrees: reused.length > 0,
        sinceN,
      });
      const foreign = taken.filter((segment) => isForeign(fold, segment)).map(({ id }) => id);
      const found = { ...broken, deletedStored: [...broken.deletedStored, ...foreign] };
      if (isReliable(found)) return undefined;
      brokenAt = fold.n;
      return found;
    },
    invalidate({ deletedPacks, lostPacks, deletedStored }) {
      writer.invalidate([...deletedPacks, ...lostPacks]);
      const gone = new Set<string>(deletedStored);
      writer.untake(taken.map(({ id }) => id).filter((id) => gone.has(id)));
      taken = taken.filter(({ id }) => !gone.has(id));
      sinceN = brokenAt;
    },
    async takeIndex() {
      await writer.flush();
      const segment = await writer.takeSegment();
      if (segment !== undefined) taken = [...taken, segment];
      return taken.length === 0 ? [] : [{ op: 'index', add: taken, drop: [] }];
    },
    indexed() {
      writer.committed(taken.map(({ id }) => id));
      taken = [];
      try {
        adoption?.clear();
      } catch (error) {
        forgive(error);
      }
    },
    async checkpoint(to) {
      const ops = await session.takeIndex();
      if (ops.length === 0) return;
      // What is gone is found again at the commit, which can start over; until then nothing is named.
      const appended = await to.append((fold) => (session.broken(fold, []) === undefined ? { ops } : undefined));
      if (appended !== undefined) session.indexed();
    },
  };
  return session;
}

type Forgive = (error: unknown) => undefined;

/** Without the journal an interruption costs time and nothing else: what its folder refuses is told once, and no error. */
function forgiver(repository: Repository): Forgive {
  let isTold = false;
  return (error) => {
    if (!isMbkError(error, 'local-state-failed')) throw error;
    if (!isTold)
      repository.notice(`${error.message}; what an interruption leaves is found by \`mbk repair index\` alone`);
    isTold = true;
    return undefined;
  };
}

function forgivingJournal({ append, remove }: PackJournal, forgive: Forgive): PackJournal {
  const forgiving =
    <Argument>(work: (argument: Argument) => void) =>
    (argument: Argument): void => {
      try {
        work(argument);
      } catch (error) {
        forgive(error);
      }
    };
  return { append: forgiving(append), remove: forgiving(remove) };
}
