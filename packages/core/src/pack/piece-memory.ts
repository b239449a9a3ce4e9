/**
 * Memory for pieces of tensors, which is used again: the system clears new memory page by page, which takes as long as
 * reading into it.
 */
import { releaseBytes } from '../crypto/release-bytes.ts';
import { parameters } from '../format/limits.ts';

export interface PieceMemory {
  /** Memory of `length` bytes that nobody else holds; what lies in it is left over from others. */
  take(length: number): Uint8Array<ArrayBuffer>;
  /** Takes back memory that nobody else holds, wherever it is from; the array may be of no bytes afterwards, a piece is. */
  give(bytes: Uint8Array): void;
}

/** Memory that is new each time, and let go at once. */
export const newMemory: PieceMemory = { take: (length) => new Uint8Array(length), give: releaseBytes };

/** Keeps the memory of at most `most` pieces, beside what is in use. */
export function pieceMemory(most: number): PieceMemory {
  const { pieceBytes } = parameters;
  const spare: ArrayBuffer[] = [];
  return {
    take(length) {
      // Half a piece and less is not worth the memory of a whole one.
      if (length > pieceBytes || length <= pieceBytes / 2) return newMemory.take(length);
      return new Uint8Array(spare.pop() ?? new ArrayBuffer(pieceBytes), 0, length);
    },
    give(bytes) {
      const { buffer } = bytes;
      const isPiece = buffer instanceof ArrayBuffer && buffer.byteLength === pieceBytes && bytes.byteOffset === 0;
      // Handed on as another buffer: whoever still uses it, or gives it twice, finds nothing, and not the next piece.
      if (isPiece && spare.length < most) spare.push(buffer.transfer());
      else newMemory.give(bytes);
    },
  };
}
