/**
 * What a chunker does: it takes the bytes of a file once, from start to end, in buffers of any size, and says where the
 * pieces of the file lie. It keeps no bytes; the caller keeps those from `needed` on.
 */

export interface Piece {
  /** A blob of its own; zeros that need no blob; or a part of the skeleton (docs/format.md, Chunking). */
  readonly kind: 'blob' | 'zero' | 'skeleton';
  /** Bytes from the start of the file. */
  readonly offset: number;
  /** At least 1. */
  readonly length: number;
  /** Of a piece of a tensor: what its bytes are said to be. */
  readonly element?: Element | undefined;
  /** Of a piece of a tensor: which one of the layout, and where in it the piece begins, in bytes. */
  readonly tensor?: { readonly number: number; readonly offset: number } | undefined;
}

/** What bytes are: a type of elements by its name, and the bytes of one element or block. A hint that may be wrong. */
export interface Element {
  readonly dtype: string;
  readonly unit: number;
  /** Bytes of a row of the tensor, whose elements lie under those of the row before; undefined where it has no rows. */
  readonly row?: number | undefined;
}

export interface PieceCutter {
  /** Takes the next bytes; returns the pieces that they ended, in the order of the file. */
  push(bytes: Uint8Array): Piece[];
  /** Says that the file ends here; returns the pieces that are left. */
  end(): Piece[];
  /** Offset in the file from which on bytes may be part of a piece that is still to come. */
  readonly needed: number;
}
