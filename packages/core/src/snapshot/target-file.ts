/** Writes the bytes of one file of a target, in any order, with holes where a sparse file has them. */
import fs from 'node:fs';
import { zeroBlock } from '../chunker/zeros.ts';
import { pathOfBytes, type ByteString } from '../format/byte-name.ts';
import { setFacts, type SetFactsOptions, type TargetFacts } from './target-facts.ts';

export interface TargetContent {
  /** Bytes. */
  readonly size: number;
  /** Whether zero runs are holes. */
  readonly sparse: boolean;
}

export interface TargetWriter {
  /** Writes all of `bytes` at `position`, within the size. */
  write(bytes: Uint8Array, position: number): void;
  /** Zeros from `position` on: a hole in a sparse file, so nothing else may be written there. */
  zeros(position: number, length: number): void;
}

export interface NewFile extends TargetWriter {
  /** For threads that write and read parts of it, within the size; closed by `seal` and `drop`. */
  readonly fd: number;
  /** Gives it its size and facts and closes it; on the disk itself before it returns if `fsync`. */
  seal(facts: TargetFacts, options: SetFactsOptions & { readonly fsync: boolean }): void;
  /** Closes it unfinished, unless it is closed. */
  drop(): void;
}

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDWR } = fs.constants;

/** Opens a new file, of that mode as far as the system gives it; 'EEXIST' when anything is at `location`. */
export function createFile(location: ByteString, mode: number): number {
  return fs.openSync(pathOfBytes(location), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
}

/** Makes a new file, for its owner only until it has its facts; 'EEXIST' when anything is at `location`. */
export function newFile(location: ByteString, { size, sparse }: TargetContent): NewFile {
  const fd = createFile(location, 0o600);
  let end = 0;
  let isOpen = true;

  const close = (): void => {
    if (isOpen) fs.closeSync(fd);
    isOpen = false;
  };

  const writeFully = (bytes: Uint8Array, position: number): void => {
    writeWithin(fd, size, bytes, position);
    end = Math.max(end, position + bytes.length);
  };

  return {
    fd,
    write: writeFully,

    zeros(position, length) {
      // Without holes in the source, zeros take the room that they took there.
      if (sparse) return;
      for (let done = 0; done < length; done += zeroBlock.length) {
        writeFully(zeroBlock.subarray(0, Math.min(zeroBlock.length, length - done)), position + done);
      }
    },

    seal(facts, options) {
      try {
        if (end < size) fs.ftruncateSync(fd, size);
        setFacts(fd, facts, options);
        if (options.fsync) fs.fsyncSync(fd);
      } finally {
        close();
      }
    },

    drop: close,
  };
}

/** Writes all of `bytes` at `position` of a file that gets `size` bytes; two threads may write other parts of one file. */
export function writeWithin(fd: number, size: number, bytes: Uint8Array, position: number): void {
  if (position + bytes.length > size) {
    throw new RangeError(`expected bytes within ${size}, got ${position} + ${bytes.length}`);
  }
  for (let done = 0; done < bytes.length;) {
    done += fs.writeSync(fd, bytes, done, bytes.length - done, position + done);
  }
}
