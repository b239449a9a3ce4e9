/**
 * Rollback memory: what this host has seen of a repository's log, kept apart from the cache.
 *
 * A storage that shows an older or another history than was seen before was rolled back or replaced; no key can tell,
 * only memory. One small file a repository, replaced whole and durably.
 */
import { join } from 'node:path';
import type { Random } from '../crypto/hash.ts';
import { isMbkError, MbkError } from '../errors.ts';
import { encodeCanonical, parseJson } from '../format/canonical-json.ts';
import { readFields, type Fields } from '../format/fields.ts';
import { asEntryId, type EntryId, type RepositoryId } from '../format/ids.ts';
import { readSmallFile, replaceFile } from './replace-file.ts';

/** A place in a log: entry n and the SHA-256 of its bytes. */
export interface LogPlace {
  readonly n: number;
  readonly hash: string;
}

/** A local copy of a fold: see `log/fold-copy.ts`. */
export interface FoldCopyMark {
  /** Its key in the cache. */
  readonly key: string;
  /** SHA-256 of its bytes. */
  readonly hash: string;
}

export interface SeenLog extends LogPlace {
  /** Local time, milliseconds since 1970. */
  readonly at: number;
  /** Newest state whose contents this host has compared with the entries that it folds. */
  readonly state: EntryId | null;
  readonly fold?: FoldCopyMark | undefined;
}

export interface LogMemory {
  /** What was seen last; undefined for the first time. `local-state-failed` when the file cannot be read or understood. */
  read(): Promise<SeenLog | undefined>;
  write(seen: SeenLog): Promise<void>;
}

/** Far above what the record takes. */
const maxBytes = 4096;

/** The memory of `repository` in the state folder, an absolute path. */
export function logMemory(folder: string, repository: RepositoryId, random: Random): LogMemory {
  const path = join(folder, `log-${repository}.json`);
  return {
    async read() {
      const bytes = await readSmallFile(path, maxBytes);
      if (bytes === undefined) return undefined;
      try {
        const fields = readFields(parseJson(bytes, path), path);
        const fold = fields.optional('fold', (here) => readMark(here.object('fold')));
        return {
          n: fields.int('n', { min: 1 }),
          hash: fields.hex('hash', 32),
          at: fields.int('at'),
          state: fields.nullable('state', (here) => asEntryId(here.hex('state', 32))),
          ...(fold === undefined ? {} : { fold }),
        };
      } catch (cause) {
        if (!isMbkError(cause, 'value-invalid')) throw cause;
        throw new MbkError('local-state-failed', `${path} does not hold what this host remembers of the log`, {
          details: { path },
          remedy: 'Restore the file, or remove it when you are sure that the storage was not rolled back.',
          cause,
        });
      }
    },
    write: ({ n, hash, at, state, fold }) =>
      replaceFile(path, encodeCanonical({ n, hash, at, state, fold: fold && { ...fold } }), { random, durable: true }),
  };
}

function readMark(fields: Fields): FoldCopyMark {
  return { key: fields.string('key', { max: 200 }), hash: fields.hex('hash', 32) };
}

/** Reads `n:hash`, as `--expect-head` takes it and reports print it. Errors: `usage-invalid`. */
export function parsePlace(text: string): LogPlace {
  const [, number = '', hash = ''] = /^([1-9][0-9]{0,15}):([0-9a-f]{64})$/.exec(text) ?? [];
  const n = Number(number);
  if (!Number.isSafeInteger(n) || n < 1)
    throw new MbkError('usage-invalid', `${JSON.stringify(text)} is no place in a log`, {
      remedy: 'Write it as n:hash, as the report prints it.',
    });
  return { n, hash };
}

/** A place as `--expect-head` takes it: `<n>:<hash>`. */
export function formatPlace({ n, hash }: LogPlace): string {
  return `${n}:${hash}`;
}
