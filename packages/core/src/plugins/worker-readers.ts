/**
 * Files as a plugin reads them in its thread: by system calls of that thread, from memory, or through the main thread.
 * A reader notes which other files were asked for.
 */
import { memoryReader, type Reader, type ReadOptions } from '@mbk/plugin-sdk';
import fs from 'node:fs';
import { posix } from 'node:path';
import { bufferOfBytes, bytesOfText, type ByteString } from '../format/byte-name.ts';
import { readFeed } from './feed.ts';
import type { AskedFile, FileIdentity, PluginMain, SeenSibling } from './plugin-calls.ts';

export interface ReaderHost {
  readonly main: PluginMain;
  readonly root: ByteString | undefined;
  /** Says that the plugin gets on. */
  tick(): void;
  /** Runs what waits for somebody else. */
  waiting<T>(work: () => Promise<T>): Promise<T>;
}

export interface OpenedReader {
  readonly reader: Reader;
  readonly siblings: readonly SeenSibling[];
  close(): void;
}

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants;
const streamBytes = 1_048_576;
/** Longest single read: more is a length from a hostile file. */
const largestRead = 256 * 1_048_576;

/** Undefined if the file is not any more what it was, or cannot be read. */
export function openReader({ path, source }: AskedFile, host: ReaderHost): OpenedReader | undefined {
  const siblings: SeenSibling[] = [];
  const open: number[] = [];
  const close = (): void => {
    for (const fd of open.splice(0)) fs.closeSync(fd);
  };
  const note = (seen: SeenSibling): void => {
    if (siblings.length < mostSiblings && !siblings.some(({ path: known }) => known === seen.path)) siblings.push(seen);
  };
  const localSibling =
    (from: string) =>
    async (relative: string): Promise<Reader | undefined> => {
      host.tick();
      const place = resolvePath(from, relative);
      if (place === undefined || host.root === undefined) return undefined;
      const found = openBelow(host.root, place);
      note({ path: place, size: found?.stats.size ?? null, mtimeMs: found?.stats.mtimeMs ?? null });
      if (found === undefined) return undefined;
      open.push(found.fd);
      return fdReader({ path: place, fd: found.fd, size: found.stats.size, host, sibling: localSibling(place) });
    };
  const remoteSibling =
    (from: string, id: number) =>
    async (relative: string): Promise<Reader | undefined> => {
      const place = resolvePath(from, relative);
      if (place === undefined) return undefined;
      const found = await host.waiting(() => host.main.open(id, place));
      note({ path: place, size: found?.size ?? null, mtimeMs: null });
      if (found === undefined) return undefined;
      return remoteReader(place, {
        id: found.reader,
        size: found.size,
        host,
        sibling: remoteSibling(place, found.reader),
      });
    };

  switch (source.type) {
    case 'bytes': {
      const inner = memoryReader(path, source.bytes);
      return { reader: { ...inner, sibling: localSibling(path) }, siblings, close };
    }
    case 'open': {
      const { fd, size } = source;
      return { reader: fdReader({ path, fd, size, host, sibling: localSibling(path) }), siblings, close };
    }
    case 'file': {
      const found = openFile(source.location);
      if (found === undefined) return undefined;
      open.push(found.fd);
      if (source.identity !== undefined && !isSame(found.stats, source.identity)) {
        close();
        return undefined;
      }
      const { fd, stats } = found;
      return { reader: fdReader({ path, fd, size: stats.size, host, sibling: localSibling(path) }), siblings, close };
    }
    case 'remote': {
      const { reader: id, size } = source;
      return { reader: remoteReader(path, { id, size, host, sibling: remoteSibling(path, id) }), siblings, close };
    }
    case 'feed': {
      const { port, size } = source;
      const reader: Reader = {
        path,
        size,
        read: () => Promise.reject(new RangeError('a stream is read from its start to its end')),
        async *stream({ signal } = {}) {
          const pieces = readFeed(port);
          try {
            for (;;) {
              signal?.throwIfAborted();
              const next = await host.waiting(() => pieces.next());
              host.tick();
              if (next.done === true) return;
              yield next.value;
            }
          } finally {
            await pieces.return(undefined);
          }
        },
        sibling: async () => undefined,
      };
      return { reader, siblings, close: () => port.close() };
    }
  }
}

const mostSiblings = 1000;

/** The file at `path` below `root`, which no link leads out of. */
export function openBelow(
  root: ByteString,
  path: string,
): { readonly fd: number; readonly stats: fs.Stats } | undefined {
  const found = openFile(`${root}/${bytesOfText(path)}`);
  if (found === undefined) return undefined;
  try {
    const real = fs.readlinkSync(`/proc/self/fd/${found.fd}`, 'latin1');
    const base = fs.realpathSync(bufferOfBytes(root), 'latin1');
    if (real.startsWith(base === '/' ? base : `${base}/`)) return found;
  } catch {
    // Without /proc nothing says where a link led: as if there were no file.
  }
  fs.closeSync(found.fd);
  return undefined;
}

function openFile(location: ByteString): { readonly fd: number; readonly stats: fs.Stats } | undefined {
  let fd: number;
  try {
    fd = fs.openSync(bufferOfBytes(location), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch {
    return undefined;
  }
  const stats = fs.fstatSync(fd);
  if (stats.isFile()) return { fd, stats };
  fs.closeSync(fd);
  return undefined;
}

function isSame(stats: fs.Stats, { ctimeMs, dev, ino, mtimeMs, size }: FileIdentity): boolean {
  return (
    stats.dev === dev &&
    stats.ino === ino &&
    stats.size === size &&
    stats.mtimeMs === mtimeMs &&
    stats.ctimeMs === ctimeMs
  );
}

/** A path from the root, seen from the file at `from`; undefined if it leads out of the root. */
export function resolvePath(from: string, relative: string): string | undefined {
  if (relative === '' || relative.includes('\0')) return undefined;
  const place = relative.startsWith('/')
    ? posix.normalize(relative.slice(1))
    : posix.normalize(posix.join(posix.dirname(from), relative));
  const isInside = place !== '.' && place !== '..' && !place.startsWith('../') && !place.startsWith('/');
  return isInside ? place : undefined;
}

interface FdReaderOptions {
  readonly path: string;
  readonly fd: number;
  readonly size: number;
  readonly host: ReaderHost;
  readonly sibling: (relative: string) => Promise<Reader | undefined>;
}

export function fdReader({ path, fd, size, host, sibling }: FdReaderOptions): Reader {
  return readerOf(path, size, sibling, async (offset, length) => {
    host.tick();
    const bytes = new Uint8Array(length);
    for (let filled = 0; filled < length;) {
      const read = fs.readSync(fd, bytes, filled, length - filled, offset + filled);
      if (read === 0) throw new RangeError(`${path} became shorter than ${offset + length} bytes`);
      filled += read;
    }
    return bytes;
  });
}

interface RemoteReaderOptions {
  readonly id: number;
  readonly size: number;
  readonly host: ReaderHost;
  readonly sibling: (relative: string) => Promise<Reader | undefined>;
}

export function remoteReader(path: string, { id, size, host, sibling }: RemoteReaderOptions): Reader {
  return readerOf(path, size, sibling, async (offset, length) => {
    host.tick();
    return host.waiting(() => host.main.read(id, offset, length));
  });
}

function readerOf(
  path: string,
  size: number,
  sibling: (relative: string) => Promise<Reader | undefined>,
  readBytes: (offset: number, length: number) => Promise<Uint8Array>,
): Reader {
  const read = async (offset: number, length: number, { signal }: ReadOptions = {}): Promise<Uint8Array> => {
    signal?.throwIfAborted();
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0) {
      throw new RangeError(`expected an offset and a length in bytes, got ${offset} and ${length}`);
    }
    if (length > size - offset) {
      throw new RangeError(`expected a range within ${size} bytes, got ${offset} + ${length}`);
    }
    if (length > largestRead) throw new RangeError(`expected at most ${largestRead} bytes at once, got ${length}`);
    return readBytes(offset, length);
  };
  return {
    path,
    size,
    read,
    async *stream(options = {}) {
      for (let offset = 0; offset < size; offset += streamBytes) {
        yield await read(offset, Math.min(streamBytes, size - offset), options);
      }
    },
    sibling: async (relative, { signal } = {}) => {
      signal?.throwIfAborted();
      return sibling(relative);
    },
  };
}
