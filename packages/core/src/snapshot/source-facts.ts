/** What a source's file system says of a file, and how its errors are told to people. */
import type { Stats } from 'node:fs';
import { errnoOf } from '../backend/local-file-system.ts';
import { displayBytes, type ByteString } from '../format/byte-name.ts';
import type { FileTime } from '../format/tree.ts';
import { timeOfMs } from './file-time.ts';

export interface SourceFacts {
  /** As floating-point numbers: beyond 2^53 two numbers can look the same, so they prove a change, not a file. */
  readonly dev: number;
  readonly ino: number;
  /** Names of the file. */
  readonly links: number;
  /** Bytes. */
  readonly size: number;
  /** Whether fewer blocks are taken than the size needs. */
  readonly sparse: boolean;
  /** Permission bits, 0 to 0o7777. */
  readonly mode: number;
  readonly owner: readonly [uid: number, gid: number];
  readonly mtime: FileTime;
  /** Milliseconds since 1970, exactly as the file system library gives them: what the stat cache compares. */
  readonly mtimeMs: number;
  readonly ctimeMs: number;
}

/** The facts of plain (not bigint) stats, which cost half as much. */
export function sourceFacts(stats: Stats): SourceFacts {
  return {
    dev: stats.dev,
    ino: stats.ino,
    links: stats.nlink,
    size: stats.size,
    // POSIX counts blocks of 512 bytes, whatever the file system uses.
    sparse: stats.blocks * 512 < stats.size,
    mode: stats.mode & 0o7777,
    owner: [stats.uid, stats.gid],
    mtime: timeOfMs(stats.mtimeMs),
    mtimeMs: stats.mtimeMs,
    ctimeMs: stats.ctimeMs,
  };
}

/** Whether nothing says that the file is another one or was written to. */
export function isUnchanged(a: SourceFacts, b: SourceFacts): boolean {
  return a.dev === b.dev && a.ino === b.ino && a.size === b.size && a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs;
}

/** Something of the source that a snapshot could not take, and goes on without. */
export interface SourceProblem {
  readonly path: ByteString;
  readonly reason: ProblemReason;
  /** One sentence with the path, for people. */
  readonly message: string;
}

/** `special` is a socket, pipe or device; `vanished` was there a moment before. */
export type ProblemReason = 'vanished' | 'denied' | 'unreadable' | 'special' | 'too-long';

/** The problem that a system error at `path` is; anything else is thrown again. */
export function problemOf(error: unknown, path: ByteString, doing: string): SourceProblem {
  const errno = errnoOf(error);
  if (errno === undefined || !/^E[A-Z0-9]+$/.test(errno)) throw error;
  const reason = reasons[errno] ?? 'unreadable';
  return { path, reason, message: `${doing} ${displayBytes(path) || 'the source folder'} failed: ${errno}` };
}

const reasons: Readonly<Record<string, ProblemReason>> = {
  ENOENT: 'vanished',
  // Also a folder that became a file, or a file that became a link, between two calls.
  ENOTDIR: 'vanished',
  ELOOP: 'vanished',
  EACCES: 'denied',
  EPERM: 'denied',
  ENAMETOOLONG: 'too-long',
};
