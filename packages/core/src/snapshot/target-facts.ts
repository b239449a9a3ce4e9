/** Gives restored files, folders and links their owner, mode and time. */
import fs from 'node:fs';
import { errnoOf } from '../backend/local-file-system.ts';
import { bufferOfBytes, type ByteString } from '../format/byte-name.ts';
import type { TreeEntry } from '../format/tree.ts';
import { utimesOf } from './file-time.ts';

export type TargetFacts = Pick<TreeEntry, 'mode' | 'owner' | 'mtime'>;

/** Hears which fact a file system refused to take; what was restored is whole all the same. */
export type OnRefusedFact = (fact: 'owner' | 'mode' | 'time', errno: string) => void;

export interface SetFactsOptions {
  /** Whether owners are restored; only root can. */
  readonly owners: boolean;
  readonly onRefused: OnRefusedFact;
}

/** Sets the facts of an open file or folder. */
export function setFacts(
  fd: number,
  { mode, owner, ...facts }: TargetFacts,
  { owners, onRefused }: SetFactsOptions,
): void {
  // The owner before the mode: changing it takes the set-user-id bits away.
  if (owners) attempt('owner', onRefused, () => fs.fchownSync(fd, owner[0], owner[1]));
  const isPrivileged = (mode & 0o6000) !== 0 && !hasOwner(fd, owner);
  // A program that ran as one user must not begin to run as whoever restores it.
  attempt('mode', onRefused, () => fs.fchmodSync(fd, isPrivileged ? mode & 0o1777 : mode));
  setTime(fd, facts, onRefused);
}

/** Sets the time of an open file or folder. */
export function setTime(fd: number, { mtime }: Pick<TargetFacts, 'mtime'>, onRefused: OnRefusedFact): void {
  const time = utimesOf(mtime);
  attempt('time', onRefused, () => fs.futimesSync(fd, time, time));
}

/** Sets the facts of the symbolic link at `location`; it has no mode of its own. */
export function setLinkFacts(
  location: ByteString,
  { owner, mtime }: TargetFacts,
  { owners, onRefused }: SetFactsOptions,
): void {
  const path = bufferOfBytes(location);
  if (owners) attempt('owner', onRefused, () => fs.lchownSync(path, owner[0], owner[1]));
  const time = utimesOf(mtime);
  attempt('time', onRefused, () => fs.lutimesSync(path, time, time));
}

function hasOwner(fd: number, owner: TargetFacts['owner']): boolean {
  const { uid, gid } = fs.fstatSync(fd);
  return uid === owner[0] && gid === owner[1];
}

function attempt(fact: 'owner' | 'mode' | 'time', onRefused: OnRefusedFact, call: () => void): void {
  try {
    call();
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined) throw error;
    onRefused(fact, errno);
  }
}
