/**
 * Packs read whole and checked on all cores. Where packs are files the jobs read them too; elsewhere, and where anything
 * is wrong, this thread reads and hands over, and what is read and not yet checked is bounded. What comes of it is the
 * same in both ways, with and without threads.
 */
import { isMbkError } from '../../errors.ts';
import { packKey } from '../../format/ids.ts';
import { limits } from '../../format/limits.ts';
import type { PackRow } from '../../format/segment-rows.ts';
import { crew } from '../../pool/crew.ts';
import { room } from '../../pool/room.ts';
import type { Repository } from '../../repository.ts';
import { readBuffers } from '../../pool/read-buffers.ts';
import {
  checkPackTask,
  type CheckedOpened,
  type CheckedPack,
  type CheckedProblem,
  type CheckOpenedJob,
  type CheckPackJob,
  type CheckPackSetup,
} from './check-pack-task.ts';
import type { Threads } from '../../pool/threads.ts';
import { basedChecker, type BasedPack } from './based-frames.ts';

export interface WholePacks {
  /** How many packs to have under way. */
  readonly ahead: number;
  /**
   * Reads a pack of `size` bytes and checks all of it but for what its frames make of others; damage only after a second
   * reading. Errors: those of the backend, `role-denied`.
   */
  check(row: PackRow, size: number): Promise<CheckedWhole>;
  /** Checks the frames that `check` left out. Errors: as those of `check`. */
  checkBased(packs: readonly BasedPack[]): Promise<readonly (readonly CheckedProblem[])[]>;
  close(): Promise<void>;
}

export interface CheckedWhole extends CheckedOpened {
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

  const checkAlone = async (row: PackRow, size: number): Promise<CheckedWhole> => {
    const sound = await checkOpened(row, size);
    if (sound !== undefined) return sound;
    const checked = await checkOnce(row, size);
    // A read may go wrong once; the verdict falls on the second.
    return checked.problems.length === 0 ? checked : checkOnce(row, size);
  };

  return {
    get ahead() {
      return workers.size === 1 ? 1 : 2 * workers.size;
    },
    check: checkAlone,
    checkBased: basedChecker(repository, { crew: workers, independent }),
    close: workers.close,
  };
}
