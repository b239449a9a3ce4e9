/** A file whose parts are written at their places in any order, so that several files grow beside each other. */

import { closeSync, openSync, writeSync } from 'node:fs';

export interface PlacedFile {
  /** Writes all of the bytes, from that place on. */
  write(position: number, bytes: Uint8Array): void;
  close(): void;
}

/** Makes the file anew. */
export function placedFile(path: string): PlacedFile {
  const handle = openSync(path, 'w');
  return {
    write(position, bytes) {
      for (let done = 0; done < bytes.length;)
        done += writeSync(handle, bytes, done, bytes.length - done, position + done);
    },
    close: () => closeSync(handle),
  };
}

/** The bytes of numbers, not copied. */
export function bytesOf(numbers: Uint8Array | Uint16Array | Float32Array): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}
