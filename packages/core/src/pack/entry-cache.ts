/**
 * Local copies of entries, sealed as they are stored: a folder that answers "what are the bytes", never "does it exist".
 *
 * A copy is believed only after its SHA-256 is the one in its name. Losing the folder, or being unable to write it,
 * costs time and nothing else, so what its filesystem refuses is a miss and no error.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { dirname, join } from 'node:path';
import type { Backend } from '../backend/backend.ts';
import { type Random, sha256Hex } from '../crypto/hash.ts';
import { MbkError } from '../errors.ts';
import { toHex } from '../format/bytes.ts';
import { isHex } from '../format/ids.ts';
import { limits } from '../format/limits.ts';
import { type ByteSource, readPastEnd } from './byte-source.ts';
import { readTwice } from './read-twice.ts';

/** Keys are those of entries that are named by their SHA-256; any other is a TypeError. */
export interface EntryCache {
  /** The whole entry, undefined unless a sound copy is here. */
  get(key: string): Uint8Array | undefined;
  /** The entry by position; the caller closes it. */
  open(key: string): ByteSource | undefined;
  /** Keeps a copy; whether one is here now. */
  put(key: string, parts: readonly Uint8Array[]): boolean;
  /** Forgets the copies directly under `prefix` (such as `index`) whose keys are not among `keys`. */
  keepOnly(prefix: string, keys: ReadonlySet<string>): void;
}

export function entryCache(folder: string, { random }: { readonly random: Random }): EntryCache {
  const pathOf = (key: string): string => {
    nameOf(key);
    return join(folder, key);
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

    open(key) {
      const path = pathOf(key);
      return orMiss(() => {
        const fd = fs.openSync(path, 'r');
        if (orMiss(() => hashFile(fd)) === nameOf(key)) return fileSource(fd, key);
        fs.closeSync(fd);
        fs.unlinkSync(path);
        return undefined;
      });
    },

    put(key, parts) {
      const path = pathOf(key);
      const temporary = `${path}.${toHex(random(8))}`;
      const stored = orMiss(() => {
        fs.mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
        const fd = fs.openSync(temporary, 'wx', 0o600);
        try {
          for (const part of parts) {
            for (let done = 0; done < part.byteLength;) done += fs.writeSync(fd, part, done);
          }
        } finally {
          fs.closeSync(fd);
        }
        fs.renameSync(temporary, path);
        return true;
      });
      if (stored !== true) orMiss(() => fs.unlinkSync(temporary));
      return stored === true;
    },

    keepOnly(prefix, keys) {
      const names = orMiss(() => fs.readdirSync(join(folder, prefix))) ?? [];
      for (const name of names) {
        if (!keys.has(`${prefix}/${name}`)) orMiss(() => fs.unlinkSync(join(folder, prefix, name)));
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
      throw new MbkError('entry-damaged', `${key} does not match its name: its bytes were changed`, {
        details: { key },
      });
    }
    return read;
  });
  cache?.put(key, [bytes]);
  return bytes;
}

function nameOf(key: string): string {
  const name = key.slice(key.lastIndexOf('/') + 1);
  if (!isHex(name, 32)) throw new TypeError(`expected the key of an entry that is named by its SHA-256, got ${key}`);
  return name;
}

const readBytes = 1024 * 1024;

function hashFile(fd: number): string {
  const hasher = createHash('sha256');
  const buffer = new Uint8Array(readBytes);
  for (;;) {
    const length = fs.readSync(fd, buffer);
    if (length === 0) return hasher.digest('hex');
    hasher.update(buffer.subarray(0, length));
  }
}

function fileSource(fd: number, key: string): ByteSource {
  const byteLength = fs.fstatSync(fd).size;
  return {
    byteLength,
    read(offset, length) {
      if (offset + length > byteLength) throw readPastEnd(offset, length, byteLength);
      const bytes = new Uint8Array(length);
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
