/**
 * Folders inside a target, found without ever following a link out of it.
 *
 * On Linux each folder is opened in its parent by handle, so what is written goes into the folder that was checked,
 * whatever a path leads to a moment later. Elsewhere each folder on the way is looked at just before it is used, which
 * leaves a moment to somebody who swaps folders for links meanwhile.
 */
import fs from 'node:fs';
import { errnoOf } from '../backend/local-file-system.ts';
import { MbkError } from '../errors.ts';
import { bufferOfBytes, displayBytes, type ByteString } from '../format/byte-name.ts';
import { handleLocation, hasFolderHandles, openFolderHandle } from './folder-handles.ts';

export interface TargetDirectories {
  /** Where file system calls find the folder at `path` (`''` is the target itself), until the next call here. */
  locate(path: ByteString): ByteString;
  /** What `call` gives for the folder at `path`, which stays open and where it is meanwhile. */
  use<T>(path: ByteString, call: (folder: UsedFolder) => T): T;
  /** Keeps the folder at `path` for other threads, until it is released. */
  hold(path: ByteString): HeldFolder;
  /** Call it after a folder was removed. */
  forget(path: ByteString): void;
  close(): void;
}

export interface UsedFolder {
  readonly fd: number;
  readonly location: ByteString;
}

export interface HeldFolder {
  /** What `locateHeld` finds it by. */
  readonly place: ByteString;
  release(): void;
}

/** Where file system calls of any thread find a held folder, given its place. */
export function locateHeld(root: ByteString, handles: boolean): (place: ByteString) => ByteString {
  return handles ? (place) => place : byPath(root).locate;
}

/** 'target-unsafe' where a link or a file stands in place of a folder; otherwise the system's errors. */
export function targetDirectories(root: ByteString, handles: boolean = hasFolderHandles()): TargetDirectories {
  return handles ? byHandle(root) : byPath(root);
}

/** The folder that `path` lies in, and its name there. */
export function splitPath(path: ByteString): { readonly directory: ByteString; readonly name: ByteString } {
  const slash = path.lastIndexOf('/');
  return { directory: path.slice(0, Math.max(slash, 0)), name: path.slice(slash + 1) };
}

/** Open folders; a walk through a target needs few of those that it used before. */
const handlesKept = 64;

const { O_DIRECTORY, O_RDONLY } = fs.constants;

function byHandle(root: ByteString): TargetDirectories {
  const rootFd = fs.openSync(bufferOfBytes(root), O_RDONLY | O_DIRECTORY);
  /** The one that was used last is last. */
  const kept = new Map<ByteString, number>();
  /** In use, so not to be closed. */
  const used: number[] = [rootFd];
  /** How many hold a folder, and whether it was forgotten meanwhile. */
  const held = new Map<number, { holders: number; isForgotten: boolean }>();

  const open = (path: ByteString): number => {
    if (path === '') return rootFd;
    const { directory, name } = splitPath(path);
    const fd = kept.get(path) ?? openIn(open(directory), name, path);
    kept.delete(path);
    kept.set(path, fd);
    if (kept.size > handlesKept) closeOldest(fd);
    return fd;
  };

  const closeOldest = (newest: number): void => {
    for (const [path, fd] of kept) {
      if (fd === newest || used.includes(fd) || held.has(fd)) continue;
      kept.delete(path);
      fs.closeSync(fd);
      return;
    }
  };

  const forget = (isForgotten: (path: ByteString) => boolean): void => {
    for (const [path, fd] of kept) {
      if (!isForgotten(path)) continue;
      kept.delete(path);
      // Its number must not become that of another folder while threads use it.
      const hold = held.get(fd);
      if (hold === undefined) fs.closeSync(fd);
      else hold.isForgotten = true;
    }
  };

  const release = (fd: number): void => {
    const hold = held.get(fd);
    if (hold === undefined) return;
    hold.holders -= 1;
    if (hold.holders > 0) return;
    held.delete(fd);
    if (hold.isForgotten) fs.closeSync(fd);
    else if (kept.size > handlesKept) closeOldest(rootFd);
  };

  return {
    locate: (path) => handleLocation(open(path)),
    use(path, call) {
      const fd = open(path);
      used.push(fd);
      try {
        return call({ fd, location: handleLocation(fd) });
      } finally {
        used.pop();
      }
    },
    hold(path) {
      const fd = open(path);
      const hold = held.get(fd) ?? { holders: 0, isForgotten: false };
      hold.holders += 1;
      held.set(fd, hold);
      return { place: handleLocation(fd), release: () => release(fd) };
    },
    forget: (removed) => forget((path) => path === removed || path.startsWith(`${removed}/`)),
    close() {
      forget(() => true);
      fs.closeSync(rootFd);
    },
  };
}

function openIn(parent: number, name: ByteString, path: ByteString): number {
  try {
    return openFolderHandle(`${handleLocation(parent)}/${name}`);
  } catch (error) {
    const errno = errnoOf(error);
    throw errno === 'ELOOP' || errno === 'ENOTDIR' ? notAFolder(path, error) : error;
  }
}

function byPath(root: ByteString): TargetDirectories {
  const locate = (path: ByteString): ByteString => {
    let location = root;
    for (const name of path === '' ? [] : path.split('/')) {
      location = `${location}/${name}`;
      if (!fs.lstatSync(bufferOfBytes(location)).isDirectory()) throw notAFolder(path);
    }
    return location;
  };
  return {
    locate,
    use(path, call) {
      const location = locate(path);
      const fd = fs.openSync(bufferOfBytes(location), O_RDONLY | O_DIRECTORY);
      try {
        return call({ fd, location });
      } finally {
        fs.closeSync(fd);
      }
    },
    hold(path) {
      locate(path);
      return { place: path, release: () => undefined };
    },
    forget: () => undefined,
    close: () => undefined,
  };
}

function notAFolder(path: ByteString, cause?: unknown): MbkError {
  const shown = displayBytes(path);
  const message = `a link or a file stands in the target on the way to ${shown}, where a folder is needed`;
  return new MbkError('target-unsafe', message, { cause, details: { path: shown } });
}
