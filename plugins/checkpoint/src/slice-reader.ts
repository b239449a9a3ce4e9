/** A part of a file as a file of its own: a member of an archive that is stored as it is, or bytes in memory. */

import { memoryReader, type Reader } from '@mbk/plugin-sdk';

/** The bytes from `start`, so many; without siblings. RangeError for a read outside of them. */
export function sliceReader(reader: Reader, start: number, size: number): Reader {
  const read: Reader['read'] = (offset, length, options) => {
    if (offset < 0 || length < 0 || offset + length > size) {
      return Promise.reject(new RangeError(`expected a range within ${size} bytes, got ${offset} + ${length}`));
    }
    return reader.read(start + offset, length, options);
  };
  return {
    path: reader.path,
    size,
    read,
    async *stream(options) {
      const piece = 1 << 20;
      for (let at = 0; at < size; at += piece) yield await read(at, Math.min(piece, size - at), options);
    },
    sibling: () => Promise.resolve(undefined),
  };
}

/** Bytes that were unpacked. */
export function bytesReader(reader: Reader, bytes: Uint8Array): Reader {
  return memoryReader(reader.path, bytes);
}
