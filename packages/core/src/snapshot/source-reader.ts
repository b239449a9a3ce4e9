/** An open file of the source as plugins read it. */
import type { Reader } from '@mbk/plugin-sdk';
import { displayBytes } from '../format/byte-name.ts';
import type { OpenSource } from './capture-file.ts';

/** For threads of this process too, by its number. */
export interface SourceReader extends Reader {
  readonly fd: number;
}

const streamBytes = 1_048_576;

/**
 * Reads `file` as long as it is open. Bytes that are gone since it was opened are a RangeError, as those beyond its end.
 * Knows no siblings: a layout speaks of one file.
 */
export function sourceReader(file: OpenSource): SourceReader {
  const path = displayBytes(file.walked.path);
  const { size } = file.facts;
  const reader: SourceReader = {
    fd: file.fd,
    path,
    size,
    async read(offset, length, { signal } = {}) {
      signal?.throwIfAborted();
      if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0) {
        throw new RangeError(`expected an offset and a length in bytes, got ${offset} and ${length}`);
      }
      if (length > size - offset)
        throw new RangeError(`expected a range within ${size} bytes, got ${offset} + ${length}`);
      const bytes = new Uint8Array(length);
      for (let filled = 0; filled < length;) {
        const read = file.read(bytes.subarray(filled), offset + filled);
        if (read === 0) throw new RangeError(`${path} became shorter than ${offset + length} bytes`);
        filled += read;
      }
      return bytes;
    },
    async *stream(options = {}) {
      for (let offset = 0; offset < size; offset += streamBytes) {
        yield await reader.read(offset, Math.min(streamBytes, size - offset), options);
      }
    },
    sibling: async () => undefined,
  };
  return reader;
}
