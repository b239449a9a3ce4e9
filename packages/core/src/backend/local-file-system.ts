/**
 * The few filesystem calls that the folder backend makes, as an argument, so that tests count them, kill the process at
 * the n-th, make them fail, and take away what was not yet on disk when the power went.
 *
 * All calls block, because each is short and their order is the whole guarantee; but for writing large entries and
 * bringing them to the disk, which may take long while worker threads wait for answers. They throw what `node:fs` throws:
 * an `Error` with `code` such as 'ENOENT'.
 */

import fs from 'node:fs';
import { promisify } from 'node:util';

export interface LocalFileSystem {
  /** Opens a new file for writing at its start; 'EEXIST' when the name is taken. `mode` holds for later opens. */
  createSync(path: string, mode: number): number;
  /** Opens a file for reading. Never waits, whatever the path is; 'ELOOP' when it is a symbolic link. */
  openSync(path: string): number;
  /** Writes up to `length` bytes from `offset` of `bytes` behind what was written; returns how many it took. */
  writeSync(fd: number, bytes: Uint8Array, offset: number, length: number): number;
  /** The same without blocking this thread; large entries are written so where it is there. */
  write?(fd: number, bytes: Uint8Array, offset: number, length: number): Promise<number>;
  /** Reads up to `length` bytes at `position` of the file into `bytes` at `offset`; returns how many, 0 at the end. */
  readSync(fd: number, bytes: Uint8Array, offset: number, length: number, position: number): number;
  /** Brings the bytes of a file to the disk itself. */
  fsyncSync(fd: number): void;
  /** The same without blocking this thread. */
  fsync?(fd: number): Promise<void>;
  /** Brings the names in a folder to the disk itself. */
  syncFolderSync(path: string): void;
  closeSync(fd: number): void;
  fstatSync(fd: number): FileStatus;
  /** What is at the path, a symbolic link as itself; `undefined` when nothing is. */
  statSync(path: string): FileStatus | undefined;
  /** Gives a file a second name; 'EEXIST' when the name is taken: the one atomic test-and-set of a filesystem. */
  linkSync(path: string, newPath: string): void;
  unlinkSync(path: string): void;
  /** Makes one folder; 'EEXIST' when the name is taken. */
  mkdirSync(path: string, mode: number): void;
  /** What a folder holds, in any order. */
  readdirSync(path: string): FolderItem[];
  /** Bytes that this user may still write where the path is; `undefined` when nothing is there. */
  freeSync?(path: string): number | undefined;
}

export interface FileStatus {
  readonly kind: FileKind;
  readonly size: number;
  /** Last change of the bytes, in milliseconds since 1970 by the clock of the filesystem. */
  readonly mtimeMs: number;
  /** How many names the file has. */
  readonly links: number;
}

export interface FolderItem {
  readonly name: string;
  readonly kind: FileKind;
}

/** Links, pipes, sockets and devices are 'other': they hold no entry and lead to none. */
export type FileKind = 'file' | 'folder' | 'other';

const writeAsync = promisify(fs.write);
const fsyncAsync = promisify(fs.fsync);

/** The filesystem of this machine. */
export const nodeFileSystem: LocalFileSystem = {
  freeSync: (path) => {
    try {
      const { bavail, bsize } = fs.statfsSync(path);
      return bavail * bsize;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  },
  createSync: (path, mode) =>
    fs.openSync(path, fs.constants.O_CREAT | fs.constants.O_EXCL | fs.constants.O_WRONLY, mode),
  // O_NONBLOCK: a named pipe that somebody left in the folder must not hold the reader for ever.
  openSync: (path) => fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK),
  writeSync: (fd, bytes, offset, length) => fs.writeSync(fd, bytes, offset, length),
  write: async (fd, bytes, offset, length) => (await writeAsync(fd, bytes, offset, length, null)).bytesWritten,
  readSync: (fd, bytes, offset, length, position) => fs.readSync(fd, bytes, offset, length, position),
  fsyncSync: (fd) => fs.fsyncSync(fd),
  fsync: (fd) => fsyncAsync(fd),
  syncFolderSync: (path) => {
    const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
    try {
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  },
  closeSync: (fd) => fs.closeSync(fd),
  fstatSync: (fd) => fileStatus(fs.fstatSync(fd)),
  statSync: (path) => {
    const stats = fs.lstatSync(path, { throwIfNoEntry: false });
    return stats === undefined ? undefined : fileStatus(stats);
  },
  linkSync: (path, newPath) => fs.linkSync(path, newPath),
  unlinkSync: (path) => fs.unlinkSync(path),
  mkdirSync: (path, mode) => fs.mkdirSync(path, { mode }),
  readdirSync: (path) =>
    fs.readdirSync(path, { withFileTypes: true }).map((item) => ({ name: item.name, kind: fileKind(item) })),
};

function fileStatus(stats: fs.Stats): FileStatus {
  return { kind: fileKind(stats), size: stats.size, mtimeMs: stats.mtimeMs, links: stats.nlink };
}

function fileKind(item: fs.Stats | fs.Dirent): FileKind {
  if (item.isFile()) return 'file';
  return item.isDirectory() ? 'folder' : 'other';
}

/** The system's name of an error, such as 'ENOSPC'; `undefined` when no system call made it. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' && /^E[A-Z0-9]+$/.test(error.code) ? error.code : undefined;
}
