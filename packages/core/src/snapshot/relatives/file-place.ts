/** Blobs as they lie in the files that a run has read: sooner read there than from the store, and checked as those are. */
import fs from 'node:fs';
import { errnoOf } from '../../backend/local-file-system.ts';
import { sha256Hex } from '../../crypto/hash.ts';
import { bufferOfBytes, type ByteString } from '../../format/byte-name.ts';
import type { BlobId } from '../../format/ids.ts';

export interface FilePlace {
  readonly location: ByteString;
  /** Bytes from the start of the file. */
  readonly offset: number;
  readonly length: number;
}

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants;

/** Reads blob `id` from a file into `bytes`, which are as many; undefined when it holds others by now, or cannot be read. */
export function readPlace({ location, offset }: FilePlace, id: BlobId, bytes: Uint8Array): Uint8Array | undefined {
  let fd: number | undefined;
  try {
    fd = fs.openSync(bufferOfBytes(location), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (!fs.fstatSync(fd).isFile()) return undefined;
    for (let done = 0; done < bytes.length;) {
      const read = fs.readSync(fd, bytes, done, bytes.length - done, offset + done);
      if (read === 0) return undefined;
      done += read;
    }
    return sha256Hex(bytes) === id ? bytes : undefined;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}
