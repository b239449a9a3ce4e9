/** Many short reads near each other as few longer ones: of an archive of small members each has a header of its own. */

import type { Reader } from '@mbk/plugin-sdk';

const longestShort = 4096;
const near = 16_384;

/** The same file. What it gives may be a view of more bytes; nobody changes it. */
export function windowReader(reader: Reader): Reader {
  let window: Uint8Array = new Uint8Array(0);
  let start = 0;
  const read: Reader['read'] = async (offset, length, options) => {
    if (offset >= start && offset + length <= start + window.length) {
      options?.signal?.throwIfAborted();
      return window.subarray(offset - start, offset - start + length);
    }
    if (length > longestShort || offset + length > reader.size) return reader.read(offset, length, options);
    // What is far from the last one stands alone: behind the header of a large member its bytes follow.
    const isNear = offset >= start && offset - start - window.length < near;
    window = await reader.read(offset, isNear ? Math.min(near, reader.size - offset) : length, options);
    start = offset;
    return window.subarray(0, length);
  };
  return { ...reader, read };
}
