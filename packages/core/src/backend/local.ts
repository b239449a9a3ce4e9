/**
 * A repository in a folder: one file an entry, its path is its key.
 *
 * `put` writes a file of its own in `tmp/`, brings its bytes to the disk, and only then gives it its name with `link`,
 * which fails when the name is taken: so an entry appears whole, once, and never replaces another. The folder is fsynced
 * before `put` resolves. What a killed put leaves is a file in `tmp/`, which `sweepTemporaries` removes.
 *
 * Calls of the file system block, which is fastest, but for writing large entries. Signals, timers and displays get their
 * turn before each entry that is read; between puts, writers give it to them.
 */

import { randomBytes } from 'node:crypto';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';

import { MbkError } from '../errors.ts';
import type { Backend, CallOptions, OpenedEntry, PutResult } from './backend.ts';
import { durableFolders } from './durable-folders.ts';
import { throwIfInterrupted } from './interrupted.ts';
import { checkKey, checkPrefix, temporariesFolder } from './key.ts';
import { orAbsent, sizeOfEntry } from './local-entry.ts';
import { linkError, localError } from './local-error.ts';
import { errnoOf, nodeFileSystem, type LocalFileSystem } from './local-file-system.ts';
import { localEntries } from './local-list.ts';
import { readShort, resolveLimit, resolveRange } from './range.ts';

export interface LocalBackendOptions {
  readonly fs?: LocalFileSystem;
  /** Random bytes for the names of temporary files. */
  readonly random?: (size: number) => Uint8Array;
}

/** Entries from here on are written while this thread does other things. */
const largeBytes = 1_048_576;
/** Entries that are listed before other things have their turn. */
const listedPerTurn = 256;

/** The backend in `folder`, an absolute path; the first put makes the folder when it is not there. */
export function localBackend(folder: string, options: LocalBackendOptions = {}): Backend {
  if (!isAbsolute(folder)) throw new TypeError(`expected an absolute path, got ${JSON.stringify(folder)}`);
  const { fs = nodeFileSystem, random = randomBytes } = options;
  const root = resolve(folder);
  const name = `folder ${root}`;
  const temporaries = join(root, temporariesFolder);
  const folders = durableFolders(fs, root);
  const pathOf = (key: string): string => {
    checkKey(key);
    return join(root, key);
  };

  return {
    name,

    async put(key, bytes, { signal } = {}) {
      const path = pathOf(key);
      const doing = `putting ${key} into ${name}`;
      throwIfInterrupted(signal, doing);
      const isLarge = bytes.reduce((size, part) => size + part.length, 0) >= largeBytes;
      const checkpoint = (): void => throwIfInterrupted(signal, doing);
      const giveItsName = (temporary: string): PutResult => {
        const result = giveName(temporary, path, doing);
        folders.sync(dirname(path));
        return result;
      };
      if (!isLarge) {
        return guard(doing, path, () => {
          folders.ensure(dirname(path));
          return withTemporary((temporary) => {
            writeFile(temporary, bytes, checkpoint);
            return giveItsName(temporary);
          });
        });
      }
      guard(doing, path, () => folders.ensure(dirname(path)));
      const temporary = guard(doing, temporaries, newTemporary);
      try {
        await writeLargeFile(temporary, bytes, checkpoint);
        return giveItsName(temporary);
      } catch (error) {
        throw localError(error, root, doing, path);
      } finally {
        guard(doing, path, () => forget(temporary));
      }
    },

    async get(key, options = {}) {
      const path = pathOf(key);
      const doing = `reading ${key} from ${name}`;
      await setImmediate();
      throwIfInterrupted(options.signal, doing);
      return guard(doing, path, () => {
        const fd = orAbsent(() => fs.openSync(path));
        if (fd === undefined) throw absent(key);
        try {
          const { kind, size } = fs.fstatSync(fd);
          if (kind !== 'file') throw absent(key);
          const { offset, length } = resolveRange(name, key, size, options);
          return readFile(fd, key, offset, length, options.into);
        } finally {
          fs.closeSync(fd);
        }
      });
    },

    // Threads read with the calls of this machine and no other.
    open: fs === nodeFileSystem ? open : undefined,

    async stat(key, { signal } = {}) {
      const path = pathOf(key);
      const doing = `looking up ${key} in ${name}`;
      await setImmediate();
      throwIfInterrupted(signal, doing);
      const size = guard(doing, path, () => sizeOfEntry(fs, path));
      return size === undefined ? undefined : { size };
    },

    async *list(prefix, options = {}) {
      checkPrefix(prefix);
      const limit = resolveLimit(options);
      const doing = `listing ${name}`;
      throwIfInterrupted(options.signal, doing);
      const entries = localEntries(fs, root, prefix);
      for (let count = 0; count < limit; count += 1) {
        const { done, value } = guard(doing, join(root, prefix), () => entries.next());
        if (done === true) return;
        if (count % listedPerTurn === 0) await setImmediate();
        throwIfInterrupted(options.signal, doing);
        yield value;
      }
    },

    async delete(key, { signal } = {}) {
      const path = pathOf(key);
      const doing = `deleting ${key} from ${name}`;
      throwIfInterrupted(signal, doing);
      guard(doing, path, () => {
        orAbsent(() => fs.unlinkSync(path));
        // Also when it was absent: another process may have removed the name and not yet brought that to the disk.
        orAbsent(() => folders.sync(dirname(path)));
      });
    },

    async now({ signal } = {}) {
      const doing = `reading the clock of ${name}`;
      throwIfInterrupted(signal, doing);
      return guard(doing, temporaries, () => withTemporary(timeOfNewFile));
    },

    async freeBytes({ signal } = {}) {
      const doing = `asking how much room ${name} has`;
      throwIfInterrupted(signal, doing);
      return guard(doing, root, () => fs.freeSync?.(root));
    },

    async sweepTemporaries(olderThanMs, { signal } = {}) {
      const doing = `sweeping ${temporaries}`;
      throwIfInterrupted(signal, doing);
      return guard(doing, temporaries, () => {
        const leftovers = (orAbsent(() => fs.readdirSync(temporaries)) ?? []).filter(isTemporary);
        if (leftovers.length === 0) return 0;
        const newestMs = withTemporary(timeOfNewFile) - olderThanMs;
        let count = 0;
        for (const leftover of leftovers) {
          throwIfInterrupted(signal, doing);
          const path = join(temporaries, leftover.name);
          const status = fs.statSync(path);
          if (status === undefined || status.mtimeMs > newestMs) continue;
          orAbsent(() => fs.unlinkSync(path));
          count += 1;
        }
        return count;
      });
    },
  };

  async function open(key: string, { signal }: CallOptions = {}): Promise<OpenedEntry> {
    const path = pathOf(key);
    const doing = `opening ${key} in ${name}`;
    await setImmediate();
    throwIfInterrupted(signal, doing);
    return guard(doing, path, () => {
      const fd = orAbsent(() => fs.openSync(path));
      if (fd === undefined) throw absent(key);
      const close = (): void => fs.closeSync(fd);
      try {
        const { kind, size } = fs.fstatSync(fd);
        if (kind !== 'file') throw absent(key);
        return { fd, size, close };
      } catch (error) {
        close();
        throw error;
      }
    });
  }

  /** Does `work`, turning what a filesystem call throws into an `MbkError`. */
  function guard<T>(doing: string, path: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw localError(error, root, doing, path);
    }
  }

  /** Gives `work` the name of a file that it may make; afterwards the name is gone. */
  function withTemporary<T>(work: (temporary: string) => T): T {
    const temporary = newTemporary();
    let result: T;
    try {
      result = work(temporary);
    } catch (error) {
      forget(temporary);
      throw error;
    }
    forget(temporary);
    return result;
  }

  function newTemporary(): string {
    folders.ensureFleeting(temporaries);
    return join(temporaries, Buffer.from(random(16)).toString('hex'));
  }

  /** Removes a temporary name. That it stays when this fails harms nothing, and must not hide what `work` came to. */
  function forget(temporary: string): void {
    try {
      fs.unlinkSync(temporary);
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
    }
  }

  /** The same without blocking this thread, where the file system can. */
  async function writeLargeFile(path: string, parts: readonly Uint8Array[], checkpoint: () => void): Promise<void> {
    const fd = fs.createSync(path, 0o400);
    try {
      for (const part of parts) {
        checkpoint();
        for (let done = 0; done < part.length;) {
          const left = part.length - done;
          const count = await (fs.write?.(fd, part, done, left) ?? fs.writeSync(fd, part, done, left));
          if (count === 0) throw nothingWritten(path);
          done += count;
        }
      }
      if (fs.fsync === undefined) fs.fsyncSync(fd);
      else await fs.fsync(fd);
    } finally {
      fs.closeSync(fd);
    }
    checkpoint();
  }

  function writeFile(path: string, parts: readonly Uint8Array[], checkpoint: () => void): void {
    // Read-only for everyone from the start: nothing changes the bytes of an entry.
    const fd = fs.createSync(path, 0o400);
    try {
      for (const part of parts) {
        checkpoint();
        for (let done = 0; done < part.length;) {
          const count = fs.writeSync(fd, part, done, part.length - done);
          if (count === 0) throw nothingWritten(path);
          done += count;
        }
      }
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    checkpoint();
  }

  function readFile(fd: number, key: string, offset: number, length: number, into?: Uint8Array): Uint8Array {
    const bytes = into !== undefined && length <= into.length ? into.subarray(0, length) : new Uint8Array(length);
    for (let done = 0; done < length;) {
      const count = fs.readSync(fd, bytes, done, length - done, offset + done);
      if (count === 0) throw readShort(name, key, offset + length, offset + done);
      done += count;
    }
    return bytes;
  }

  function giveName(temporary: string, path: string, doing: string): 'stored' | 'exists' {
    try {
      fs.linkSync(temporary, path);
      return 'stored';
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') {
        // A folder may have been removed by hand: the next put looks again.
        if (errnoOf(error) === 'ENOENT') folders.forget();
        throw linkError(error, root, doing, path);
      }
      // NFS sends a call again when the answer was lost: then the name that is taken is our own (see open(2), O_EXCL).
      if (fs.statSync(temporary)?.links === 2) return 'stored';
      // A folder or a dangling link takes the name and is no entry; or the entry was deleted this moment.
      if (sizeOfEntry(fs, path) === undefined) throw error;
      return 'exists';
    }
  }

  function timeOfNewFile(temporary: string): number {
    const fd = fs.createSync(temporary, 0o400);
    try {
      return Math.floor(fs.fstatSync(fd).mtimeMs);
    } finally {
      fs.closeSync(fd);
    }
  }

  function absent(key: string): MbkError {
    return new MbkError('entry-absent', `${key} is not in ${name}`, { details: { key, folder: root } });
  }
}

function nothingWritten(path: string): MbkError {
  return new MbkError('backend-failed', `nothing more can be written to ${path}`, { details: { path } });
}

function isTemporary(item: { name: string; kind: string }): boolean {
  return item.kind === 'file' && /^[0-9a-f]{32}$/.test(item.name);
}
