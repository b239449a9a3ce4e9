/**
 * Local copies of entries, sealed as they are stored: a folder that answers "what are the bytes", never "does it exist".
 *
 * A copy is believed only after its SHA-256 is the one in its name, now or when it was checked before (`proofOf`). Losing the folder, or being unable to write it,
 * costs time and nothing else, so what its filesystem refuses is a miss and no error.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { dirname, join } from 'node:path';
import type { Backend } from '../backend/backend.ts';
import { type Random, sha256Hex } from '../crypto/hash.ts';
import { releaseBytes } from '../crypto/release-bytes.ts';
import { isMbkError, MbkError } from '../errors.ts';
import { equalBytes, toHex } from '../format/bytes.ts';
import { isHex } from '../format/ids.ts';
import { limits } from '../format/limits.ts';
import { type ByteSource, readPastEnd } from './byte-source.ts';
import { readTwice } from './read-twice.ts';

/** Keys are those of entries that are named by their SHA-256; any other is a TypeError. */
export interface EntryCache {
  /** The whole entry, undefined unless a sound copy is here. */
  get(key: string): Uint8Array | undefined;
  /** The entry by position; the caller closes it. */
  open(key: string, options?: OpenCopyOptions): ByteSource | undefined;
  /** Where the copy lies if there is one, for another thread to open with `openCopy`. */
  pathOf(key: string): string;
  /** Keeps a copy; whether one is here now. */
  put(key: string, parts: readonly Uint8Array[]): boolean;
  /** The same part by part; undefined where it cannot be kept. */
  begin(key: string): NewCopy | undefined;
  /** Forgets the copy. */
  remove(key: string): void;
  /** Forgets the copies directly under `prefix` (such as `index`) whose keys are not among `keys`. */
  keepOnly(prefix: string, keys: ReadonlySet<string>): void;
}

export interface OpenCopyOptions {
  /**
   * What proves of a copy that it was checked, if it is what is kept beside it: bytes that nobody without a key can make,
   * of all that tells this entry from any other. Only for entries whose every part authenticates when it is read.
   */
  readonly proofOf?: ((source: ByteSource) => Uint8Array | undefined) | undefined;
  /** Whether its SHA-256 was checked just now. */
  readonly isChecked?: boolean | undefined;
}

/** A copy in the making. What was written of it is gone unless `finish` says that it is kept. */
export interface NewCopy {
  /** Whether it could be written; if not, the copy is abandoned. */
  append(part: Uint8Array): boolean;
  finish(): boolean;
  abandon(): void;
}

/** The copy at `path`, as it is: only for one that `entryCache.open` gave in this process. Undefined if it is gone. */
export function openCopy(path: string): ByteSource | undefined {
  return orMiss(() => fileSource(fs.openSync(path, 'r'), path));
}

/** Copies from this size on are worth a proof: below it, hashing takes less time than reading one more file. */
const proofBytes = 1024 * 1024;
const proofEnding = '.checked';

export function entryCache(folder: string, { random }: { readonly random: Random }): EntryCache {
  const pathOf = (key: string): string => {
    nameOf(key);
    return join(folder, key);
  };

  const remove = (path: string): void => {
    for (const file of [path + proofEnding, path]) orMiss(() => fs.unlinkSync(file));
  };

  const writeWhole = (path: string, parts: readonly Uint8Array[]): boolean => {
    const file = beginFile(path);
    return file !== undefined && parts.every((part) => file.append(part)) && file.finish();
  };

  /** Under another name until it is whole. */
  const beginFile = (path: string): NewCopy | undefined => {
    const temporary = `${path}.${toHex(random(8))}`;
    const fd = orMiss(() => {
      fs.mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      return fs.openSync(temporary, 'wx', 0o600);
    });
    if (fd === undefined) return undefined;
    const abandon = (): void => {
      orMiss(() => fs.closeSync(fd));
      orMiss(() => fs.unlinkSync(temporary));
    };
    const orAbandon = (work: () => void): boolean => {
      const isDone = orMiss(() => {
        work();
        return true;
      });
      if (isDone !== true) abandon();
      return isDone === true;
    };
    return {
      append: (part) =>
        orAbandon(() => {
          for (let done = 0; done < part.byteLength;) done += fs.writeSync(fd, part, done);
        }),
      finish() {
        const isRenamed = orAbandon(() => fs.renameSync(temporary, path));
        if (isRenamed) orMiss(() => fs.closeSync(fd));
        return isRenamed;
      },
      abandon,
    };
  };

  return {
    get(key) {
      const path = pathOf(key);
      return orMiss(() => {
        const bytes = fs.readFileSync(path);
        if (sha256Hex(bytes) === nameOf(key)) return bytes;
        fs.unlinkSync(path);
        return undefined;
      });
    },

    open(key, { proofOf, isChecked = false } = {}) {
      const path = pathOf(key);
      const source = openCopy(path);
      if (source === undefined) return undefined;
      const proof = source.byteLength < proofBytes ? undefined : proofOf?.(source);
      if (proof !== undefined) {
        const kept = orMiss(() => fs.readFileSync(path + proofEnding));
        if (kept !== undefined && equalBytes(kept, proof)) return source;
      }
      if (isChecked || hashSource(source) === nameOf(key)) {
        if (proof !== undefined) writeWhole(path + proofEnding, [proof]);
        return source;
      }
      source.close();
      remove(path);
      return undefined;
    },

    pathOf,

    put: (key, parts) => writeWhole(pathOf(key), parts),

    begin: (key) => beginFile(pathOf(key)),

    remove: (key) => remove(pathOf(key)),

    keepOnly(prefix, keys) {
      const names = orMiss(() => fs.readdirSync(join(folder, prefix))) ?? [];
      for (const name of names) {
        const key = name.endsWith(proofEnding) ? name.slice(0, -proofEnding.length) : name;
        if (!keys.has(`${prefix}/${key}`)) orMiss(() => fs.unlinkSync(join(folder, prefix, name)));
      }
    },
  };
}

export interface CachedGetOptions {
  /** What the entry must have, where the log says it; at most `maxBytes` otherwise. */
  readonly size?: number | undefined;
  /** 256 MiB unless given. */
  readonly maxBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The bytes of an entry that is named by its SHA-256, from the cache or else from the backend, whence a copy is kept.
 *
 * What comes back has that SHA-256; damage is read a second time before it is believed.
 * Errors: `entry-absent`, `entry-damaged`, `backend-read-short`, those of the backend.
 */
export async function cachedGet(
  backend: Backend,
  cache: EntryCache | undefined,
  key: string,
  options: CachedGetOptions = {},
): Promise<Uint8Array> {
  const name = nameOf(key);
  const copy = cache?.get(key);
  if (copy !== undefined) return copy;
  const { maxBytes = limits.packBytes, signal } = options;
  const bytes = await readTwice(async () => {
    const length = options.size ?? (await backend.stat(key, { signal }))?.size;
    if (length === undefined)
      throw new MbkError('entry-absent', `${key} is not in ${backend.name}`, { details: { key } });
    if (options.size === undefined && length > maxBytes) {
      throw new MbkError('entry-damaged', `${key} has ${length} bytes, more than the ${maxBytes} it may have`, {
        details: { key },
      });
    }
    const read = await backend.get(key, { offset: 0, length, signal });
    if (sha256Hex(read) !== name) {
      throw notItsName(key);
    }
    return read;
  });
  cache?.put(key, [bytes]);
  return bytes;
}

/** Bytes of one read of `fetchCopy`: several run at a time. */
const fetchBytes = 1024 * 1024;

/**
 * Brings a copy of an entry of `size` bytes into the cache without holding it whole; whether that could be done.
 *
 * Errors as of `cachedGet`: a copy is kept only if it has the SHA-256 of its name.
 */
export async function fetchCopy(
  backend: Backend,
  cache: EntryCache,
  key: string,
  { size, signal }: { readonly size: number; readonly signal?: AbortSignal | undefined },
): Promise<boolean> {
  return readTwice(async () => {
    const copy = cache.begin(key);
    if (copy === undefined) return false;
    try {
      const hasher = createHash('sha256');
      for (let offset = 0; offset < size || offset === 0; offset += fetchBytes) {
        const part = await backend.get(key, { offset, length: Math.min(fetchBytes, size - offset), signal });
        hasher.update(part);
        if (!copy.append(part)) return false;
        releaseBytes(part);
      }
      if (hasher.digest('hex') === nameOf(key)) return copy.finish();
      throw notItsName(key);
    } catch (error) {
      copy.abandon();
      throw error;
    }
  });
}

function notItsName(key: string): MbkError {
  return new MbkError('entry-damaged', `${key} does not match its name: its bytes were changed`, { details: { key } });
}

function nameOf(key: string): string {
  const name = key.slice(key.lastIndexOf('/') + 1);
  if (!isHex(name, 32)) throw new TypeError(`expected the key of an entry that is named by its SHA-256, got ${key}`);
  return name;
}

const readBytes = 1024 * 1024;

function hashSource(source: ByteSource): string | undefined {
  const hasher = createHash('sha256');
  const buffer = new Uint8Array(readBytes);
  try {
    for (let at = 0; at < source.byteLength; at += readBytes) {
      hasher.update(source.read(at, Math.min(readBytes, source.byteLength - at), buffer));
    }
  } catch (error) {
    if (isMbkError(error, 'local-state-failed')) return undefined;
    throw error;
  }
  return hasher.digest('hex');
}

function fileSource(fd: number, key: string): ByteSource {
  const byteLength = fs.fstatSync(fd).size;
  return {
    byteLength,
    read(offset, length, into) {
      if (offset + length > byteLength) throw readPastEnd(offset, length, byteLength);
      const bytes = into === undefined ? new Uint8Array(length) : into.subarray(0, length);
      for (let done = 0; done < length;) {
        const count = orMiss(() => fs.readSync(fd, bytes, done, length - done, offset + done)) ?? 0;
        if (count === 0) throw new MbkError('local-state-failed', `the local copy of ${key} cannot be read any more`);
        done += count;
      }
      return bytes;
    },
    close: () => fs.closeSync(fd),
  };
}

/** What `work` gives; undefined when the filesystem refuses. */
function orMiss<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) return undefined;
    throw error;
  }
}
