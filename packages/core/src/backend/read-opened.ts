/** Reads an entry that `Backend.open` gave, on any thread of this process. */
import fs from 'node:fs';
import { MbkError } from '../errors.ts';
import { errnoOf } from './local-file-system.ts';

/** What fits is read into the same memory again and again, which stays in the caches of a processor. */
const sliceBytes = 65_536;

export interface OpenedBytes {
  readonly byteLength: number;
  /** Exactly `length` bytes from `offset`, which hold until the next call. Errors: `backend-read-short`, `backend-failed`. */
  read(offset: number, length: number): Uint8Array;
}

/** The first `byteLength` bytes of the file `fd`. */
export function readOpened(fd: number, byteLength: number): OpenedBytes {
  const slice = new Uint8Array(sliceBytes);
  return {
    byteLength,
    read(offset, length) {
      if (offset + length > byteLength) throw tooShort(offset + length);
      const bytes = length <= sliceBytes ? slice.subarray(0, length) : new Uint8Array(length);
      readOpenedInto(fd, offset, bytes);
      return bytes;
    },
  };
}

/** Fills `bytes` from `offset` of the file `fd` on. Errors: `backend-read-short`, `backend-failed`. */
export function readOpenedInto(fd: number, offset: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) {
    const count = readSome(fd, bytes, done, offset + done);
    if (count === 0) throw tooShort(offset + bytes.length);
    done += count;
  }
}

function readSome(fd: number, bytes: Uint8Array, done: number, position: number): number {
  try {
    return fs.readSync(fd, bytes, done, bytes.length - done, position);
  } catch (cause) {
    const errno = errnoOf(cause);
    if (errno === undefined) throw cause;
    throw new MbkError('backend-failed', `an opened entry cannot be read: ${errno}`, { details: { errno }, cause });
  }
}

function tooShort(needed: number): MbkError {
  return new MbkError('backend-read-short', `an opened entry is too short: ${needed} bytes are needed`);
}
