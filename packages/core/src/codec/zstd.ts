/** Codec 1: one zstd frame (RFC 8878), through node:zlib's blocking calls: 20 µs against 175 µs for 4 KiB. */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { MbkError } from '../errors.ts';
import { type FrameCodec, noParameters } from './frame-codec.ts';

/** For text and what is like it: on 1 MiB frames of JSON 2 % more than zstd's own default, at up to twice its speed. */
export const zstdCodec: FrameCodec = zstdOfLevel(2);

/** Its fastest level: on weights as small as any, in less than half the time of level 3. */
export const fastZstdCodec: FrameCodec = zstdOfLevel(1);

/** What is smallest, at 2 to 5 MB/s: for archives. */
export const smallestZstdCodec: FrameCodec = zstdOfLevel(19);

/** Largest window that a decoder reserves memory for, as a power of two: the largest frame is 16 MiB. */
const windowLog = 24;

function zstdOfLevel(level: number): FrameCodec {
  return {
    number: 1,
    name: 'zstd',
    encode(plain) {
      const stored = zstdCompressSync(plain, {
        // One output buffer that holds the worst case: with small ones the native copies pile up until a collection.
        chunkSize: worstCase(plain.byteLength),
        pledgedSrcSize: plain.byteLength,
        params: { [constants.ZSTD_c_compressionLevel]: level },
      });
      return { stored, parameters: noParameters };
    },
    decode(stored, { plainLength, what }) {
      let plain: Uint8Array;
      try {
        plain = zstdDecompressSync(stored, {
          // A little room behind the end: a full buffer would make zlib ask for a second one.
          chunkSize: plainLength + 64,
          maxOutputLength: Math.max(1, plainLength),
          params: { [constants.ZSTD_d_windowLogMax]: windowLog },
        });
      } catch (cause) {
        throw new MbkError('value-invalid', `${what} does not decompress to ${plainLength} bytes`, { cause });
      }
      if (plain.byteLength !== plainLength) {
        throw new MbkError(
          'value-invalid',
          `${what} decompresses to ${plain.byteLength} bytes, its row says ${plainLength}`,
        );
      }
      return plain;
    },
  };
}

/** zstd's bound (ZSTD_COMPRESSBOUND), rounded up. */
function worstCase(length: number): number {
  return length + (length >>> 8) + 512;
}
