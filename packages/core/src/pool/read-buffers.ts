/**
 * Memory that is read into and handed over, used again when it comes back: new memory costs as much as reading into it,
 * since the system clears it page by page, and waits for the collector when it was used.
 */

export interface ReadBuffers {
  /** What `read` gives, at the start of a buffer that holds nothing else and may change hands. */
  read(read: (into: Uint8Array) => Promise<Uint8Array>): Promise<BufferRead>;
  /** Takes a buffer back that nobody uses any more. */
  give(buffer: ArrayBuffer): void;
}

export interface BufferRead {
  readonly buffer: ArrayBuffer;
  readonly length: number;
}

/** Keeps at most `most` buffers of `bytes`. */
export function readBuffers({ bytes, most }: { readonly bytes: number; readonly most: number }): ReadBuffers {
  const spare: ArrayBuffer[] = [];
  const give = (buffer: ArrayBuffer): void => {
    if (buffer.byteLength === bytes && spare.length < most) spare.push(buffer);
    else buffer.transfer(0); // not left to the collector
  };
  return {
    async read(read) {
      const own = spare.pop() ?? new ArrayBuffer(bytes);
      let got: Uint8Array;
      try {
        got = await read(new Uint8Array(own));
      } catch (error) {
        give(own);
        throw error;
      }
      const { buffer, byteOffset, byteLength: length } = got;
      if (buffer === own) return { buffer: byteOffset === 0 ? own : new Uint8Array(got).buffer, length };
      give(own);
      // Another array: it may be a part of something that is not ours to give away.
      return {
        buffer: buffer instanceof ArrayBuffer && buffer.byteLength === length ? buffer : got.slice().buffer,
        length,
      };
    },
    give,
  };
}
