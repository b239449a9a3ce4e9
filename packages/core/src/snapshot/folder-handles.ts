/**
 * Folders by handle in place of by path. Node has no `openat`; on Linux `/proc/PID/fd/N/name` is the same: it finds
 * `name` in the folder that is open as N, wherever that was moved to and however long its path is. Through `/proc/self`,
 * a link, each call would take 1 to 2 µs more.
 */
import fs from 'node:fs';
import { bufferOfBytes, type ByteString } from '../format/byte-name.ts';

const itself = '/proc/self';
let handles: ByteString | undefined;

/** Where this process has its open files. Its number there need not be the one that it knows: the mount decides. */
function findHandles(): ByteString {
  handles ??= `/proc/${fs.readlinkSync(itself)}/fd/`;
  return handles;
}

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants;

/** Whether this system finds files below `/proc/PID/fd/N`. */
export function hasFolderHandles(): boolean {
  return fs.existsSync(`${itself}/fd`);
}

/** Opens the folder at `location`; 'ELOOP' or 'ENOTDIR' when it is a link or a file. */
export function openFolderHandle(location: ByteString): number {
  return fs.openSync(bufferOfBytes(location), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK);
}

/** Where file system calls find the folder that is open as `fd`. */
export function handleLocation(fd: number): ByteString {
  return `${findHandles()}${fd}`;
}

/** Whether a location finds its file only as long as the handle of its folder is open. */
export function isFleeting(location: ByteString): boolean {
  return /^\/proc\/\d+\/fd\//.test(location);
}
