/**
 * Folders by handle in place of by path. Node has no `openat`; on Linux `/proc/self/fd/N/name` is the same: it finds
 * `name` in the folder that is open as N, wherever that was moved to and however long its path is.
 */
import fs from 'node:fs';
import { bufferOfBytes, type ByteString } from '../format/byte-name.ts';

const handles = '/proc/self/fd/';

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants;

/** Whether this system finds files below `/proc/self/fd/N`. */
export function hasFolderHandles(): boolean {
  return fs.existsSync('/proc/self/fd');
}

/** Opens the folder at `location`; 'ELOOP' or 'ENOTDIR' when it is a link or a file. */
export function openFolderHandle(location: ByteString): number {
  return fs.openSync(bufferOfBytes(location), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK);
}

/** Where file system calls find the folder that is open as `fd`. */
export function handleLocation(fd: number): ByteString {
  return `${handles}${fd}`;
}

/** Whether a location finds its file only as long as the handle of its folder is open. */
export function isFleeting(location: ByteString): boolean {
  return location.startsWith(handles);
}
