/**
 * Packs read whole and checked on all cores. Where packs are files the jobs read them too; elsewhere, and where anything
 * is wrong, this thread reads and hands over, and what is read and not yet checked is bounded. What comes of it is the
 * same in both ways, with and without threads.
 */
import { isMbkError } from '../../errors.ts';
import { packKey } from '../../format/ids.ts';
import { limits } from '../../format/limits.ts';
import type { PackRow } from '../../format/segment-rows.ts';
import { independentSha256, platformSha256 } from '../../crypto/hash.ts';
import { boxesIn } from '../../pack/base-frames.ts';
import { type BasedFrame, checkBased } from '../../pack/check-pack.ts';
import type { BasePlan, BlobReader } from '../../pack/blob-reader.ts';
import type { PackContents } from '../../pack/pack-contents.ts';
import { recordOf } from '../../pool/error-record.ts';
import { isBadContent } from '../bad-content.ts';
import { crew } from '../../pool/crew.ts';
import { inOrder } from '../../pool/in-order.ts';
import { room } from '../../pool/room.ts';
import type { Repository } from '../../repository.ts';
import { readBuffers } from '../../pool/read-buffers.ts';
import {
  checkPackTask,
  type CheckBasedJob,
  type CheckedBased,
  type CheckedOpened,
  type CheckedPack,
  type CheckedProblem,
  type CheckOpenedJob,
  type CheckPackJob,
  type CheckPackSetup,
} from './check-pack-task.ts';
import type { Threads } from '../../pool/threads.ts';

export interface WholePacks {
  /** How many packs to have under way. */
  readonly ahead: number;
  /**
   * Reads a pack of `size` bytes and checks all of them; damage only after a second reading. Errors: those of the backend,
   * `role-denied`.
   */
  check(row: PackRow, size: number): Promise<CheckedWhole>;
  close(): Promise<void>;
}

export interface CheckedWhole extends Pick<CheckedPack, 'contents' | 'based'> {
  readonly problems: readonly CheckedProblem[];
  /** The pack itself where not even its footer can be read. */
  readonly bytes: Uint8Array | undefined;
}

export interface WholePacksOptions {
  readonly independent: boolean;
  /** Threads; 1 for none. */
  readonly jobs: number;
  /** Bytes of all the packs, and from how many on threads are started. */
  readonly bytes: number;
  readonly threadsFrom?: number | undefined;
  /** Threads that were started before. */
  readonly threads?: Threads | undefined;
  /** Bytes of the largest of the packs. */
  readonly largest: number;
}

/** With fewer bytes than these, starting threads takes longer than they save. */
const defaultThreadsFrom = 16 * 1024 * 1024;
/** Of packs that are read and not yet checked: one for each thread, and another while these fit. */
const aheadBytes = 50_331_648;
/** Of what frames are built upon, as it is stored, for each thread: as much as the longest of them needs. */
const basesEach = 12_582_912;

export function wholePacks(repository: Repository, options: WholePacksOptions): WholePacks {
  const { backend, keys, signal } = repository;
  const { independent, jobs, bytes, threads, largest, threadsFrom = defaultThreadsFrom } = options;
  const setup: CheckPackSetup = { keys, independent };
  const workers = crew({ task: 'check-pack', handlers: checkPackTask, setup, jobs, threads, signal });
  if (bytes >= threadsFrom || threads !== undefined) workers.start();
  const bufferBytes = Math.min(Math.max(largest, 1), limits.packBytes);
  const inMemory = workers.size * Math.max(1, Math.min(2, Math.floor(aheadBytes / (workers.size * bufferBytes))));
  const memory = room(inMemory * bufferBytes);
  const buffers = readBuffers({ bytes: bufferBytes, most: inMemory });
  const baseMemory = room(workers.size * basesEach);

  const checkOnce = async ({ kind, id }: PackRow, size: number): Promise<CheckedWhole> => {
    const length = Math.min(size, limits.packBytes);
    await memory.take(Math.max(length, bufferBytes));
    try {
      const read = await buffers.read((into) => backend.get(packKey(kind, id), { offset: 0, length, into, signal }));
      const job: CheckPackJob = { kind, id, ...read };
      const { contents, problems, based, buffer } = (await workers.run('check', job, {
        buffers: [read.buffer],
      })) as CheckedPack;
      const bytes = contents === undefined ? new Uint8Array(buffer).slice(0, read.length) : undefined;
      buffers.give(buffer);
      return { contents, problems, based, bytes };
    } finally {
      memory.give(Math.max(length, bufferBytes));
    }
  };

  /** Undefined where the backend opens no files, or the pack is not found sound in this way. */
  const checkOpened = async ({ kind, id }: PackRow, size: number): Promise<CheckedWhole | undefined> => {
    if (backend.open === undefined || size > limits.packBytes) return undefined;
    try {
      const { fd, close } = await backend.open(packKey(kind, id), { signal });
      try {
        const job: CheckOpenedJob = { kind, id, fd, size };
        const { contents, problems, based } = (await workers.run('checkOpened', job)) as CheckedOpened;
        return problems.length === 0 ? { contents, problems, based, bytes: undefined } : undefined;
      } finally {
        close();
      }
    } catch (error) {
      if (isMbkError(error, 'entry-absent', 'backend-failed', 'backend-read-short')) return undefined;
      throw error;
    }
  };

  /** All of a pack but for what its frames make of others. */
  const checkAlone = async (row: PackRow, size: number): Promise<CheckedWhole> => {
    const sound = await checkOpened(row, size);
    if (sound !== undefined) return sound;
    const checked = await checkOnce(row, size);
    // A read may go wrong once; the verdict falls on the second.
    return checked.problems.length === 0 ? checked : checkOnce(row, size);
  };

  /** In a thread, upon the copies that readers prefer; undefined when these cannot be read. */
  const checkPlanned = async (
    reader: BlobReader,
    based: BasedFrame,
    plan: BasePlan,
  ): Promise<CheckedBased | undefined> => {
    await baseMemory.take(plan.bytes);
    try {
      const bases = await reader.readPlanned(plan, { signal });
      if (bases === undefined) return undefined;
      const job: CheckBasedJob = { ...based, bases };
      return (await workers.run('checkBased', job, { buffers: boxesIn(bases) })) as CheckedBased;
    } finally {
      baseMemory.give(plan.bytes);
    }
  };

  /**
   * What is wrong with a frame that is built upon others. Where these cannot be read that is told where they are checked,
   * and whoever needs the frame is named there.
   */
  const checkFrame = async ({ row, frames }: PackContents, number: number): Promise<readonly CheckedProblem[]> => {
    const frame = frames[number];
    if (frame === undefined) throw new RangeError(`expected a frame below ${frames.length}, got ${number}`);
    const { offset, boxLength: length } = frame;
    const reader = await repository.blobs();
    const box = await backend.get(packKey(row.kind, row.id), { offset, length, signal });
    const based: BasedFrame = { key: reader.keyOf(row), row, number, frame, box };
    const plan = reader.planBases({ pack: row, frame });
    const checked = plan && (await checkPlanned(reader, based, plan));
    if (checked?.isBaseBad === false) return checked.problem === undefined ? [] : [checked.problem];
    let below: readonly Uint8Array[];
    try {
      below = await reader.readBases({ pack: row, frame }, { signal });
    } catch (error) {
      if (isBadContent(error) || isMbkError(error, 'blob-absent')) return [];
      throw error;
    }
    const problem = checkBased(based, below, independent ? independentSha256 : platformSha256);
    return problem === undefined ? [] : [{ ...problem, error: recordOf(problem.error), frame: number }];
  };

  return {
    get ahead() {
      return workers.size === 1 ? 1 : 2 * workers.size;
    },
    async check(row, size) {
      const checked = await checkAlone(row, size);
      const { contents, based, problems } = checked;
      if (contents === undefined || based.length === 0) return checked;
      const found: CheckedProblem[] = [];
      for await (const problem of inOrder(
        based,
        () => workers.size,
        (number) => checkFrame(contents, number),
      ))
        found.push(...problem);
      return { ...checked, problems: [...problems, ...found] };
    },
    close: workers.close,
  };
}
