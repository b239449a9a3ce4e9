import { MbkError } from '../errors.ts';

/**
 * Bytes that are at hand: a local copy of an entry, or memory. Reading blocks, so that a lookup in the index needs no
 * `await` and two callers can never both find a blob unknown.
 */
export interface ByteSource {
  readonly byteLength: number;
  /**
   * Exactly `length` bytes from `offset`, which the caller does not change; they may lie in `into`, which has room for
   * them, rather than in memory of their own. Errors: `entry-damaged` past the end.
   */
  read(offset: number, length: number, into?: Uint8Array): Uint8Array;
  close(): void;
}

/** A source over bytes in memory; what it gives are views. */
export function memorySource(bytes: Uint8Array): ByteSource {
  return {
    byteLength: bytes.byteLength,
    read(offset, length) {
      if (offset + length > bytes.byteLength) throw readPastEnd(offset, length, bytes.byteLength);
      return bytes.subarray(offset, offset + length);
    },
    close() {},
  };
}

export function readPastEnd(offset: number, length: number, byteLength: number): MbkError {
  return new MbkError('entry-damaged', `bytes ${offset} to ${offset + length} are past the end at ${byteLength}`);
}
