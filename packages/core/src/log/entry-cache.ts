/**
 * Local copies of log entries and states, under the keys that they have in the storage.
 *
 * A copy answers "what are the bytes", never "does it exist", and is believed only when its hash is the one asked for.
 * Losing the cache costs time; a cache that cannot be used is done without, and says why.
 */
import { join } from 'node:path';
import { sha256Hex, type Random } from '../crypto/hash.ts';
import { isMbkError, type MbkError } from '../errors.ts';
import { readSmallFile, replaceFile } from './replace-file.ts';

export interface EntryCache {
  /** The copy of the entry under `key` whose SHA-256 is `hash`, of at most `limit` bytes. */
  read(key: string, hash: string, limit: number): Promise<Uint8Array | undefined>;
  write(key: string, bytes: Uint8Array): Promise<void>;
  /** Why the cache is no longer used. */
  readonly problem: MbkError | undefined;
}

/** The cache in `folder`, an absolute path; without one nothing is kept. */
export function entryCache(folder: string | undefined, random: Random): EntryCache {
  let problem: MbkError | undefined;
  /** Undefined, from here on for every call, once the folder fails. */
  const attempt = async <T>(work: (folder: string) => Promise<T>): Promise<T | undefined> => {
    if (folder === undefined || problem !== undefined) return undefined;
    try {
      return await work(folder);
    } catch (error) {
      if (!isMbkError(error, 'local-state-failed')) throw error;
      problem = error;
      return undefined;
    }
  };
  return {
    async read(key, hash, limit) {
      const bytes = await attempt((here) => readSmallFile(join(here, key), limit));
      return bytes !== undefined && sha256Hex(bytes) === hash ? bytes : undefined;
    },
    async write(key, bytes) {
      await attempt((here) => replaceFile(join(here, key), bytes, { random, durable: false }));
    },
    get problem() {
      return problem;
    },
  };
}
