/** Where the tensors of a file lie: what `layout` answers, and the bounds it keeps. */

import type { Block } from './dtype.ts';

export interface LayoutTensor {
  /** Unique in the file; at most `limits.nameBytes` in UTF-8. */
  readonly name: string;
  /** A name of the canonical table (dtype.ts) where it has one, so that one tensor is known as such in every container. */
  readonly dtype: string;
  /** Elements by dimension, slowest first, as PyTorch prints them; empty for a scalar. */
  readonly shape: readonly number[];
  /** Of the first byte, from the start of the file. */
  readonly offset: number;
  /** Bytes; 0 for a tensor without elements. */
  readonly length: number;
  /** For a dtype outside the canonical table: how many elements share how many bytes. */
  readonly block?: Block;
  /** Of the elements in the file; little-endian unless it says otherwise. */
  readonly byteOrder?: 'big';
}

export interface Layout {
  /** The file format: `gguf`, `safetensors`, `pytorch-zip`. */
  readonly container: string;
  /** By offset, then length, then name; no two overlap, all lie inside the file. */
  readonly tensors: readonly LayoutTensor[];
}

export interface LayoutLimits {
  /** Most tensors in a file. */
  readonly tensors: number;
  /** Longest tensor name, bytes of UTF-8. */
  readonly nameBytes: number;
  readonly dimensions: number;
  /** Most bytes of header, directory or index that a plugin walks through to find the tensors. */
  readonly headerBytes: number;
}

/**
 * The limits a host uses unless it has reasons of its own. 100,000,000 is the longest header that safetensors allows;
 * 64 is the most dimensions that PyTorch and NumPy allow.
 */
export const layoutLimits: LayoutLimits = {
  tensors: 1_000_000,
  nameBytes: 65_536,
  dimensions: 64,
  headerBytes: 100_000_000,
};

/** A file that is of the plugin's kind and malformed; `code` is stable, `format/what`. */
export class LayoutError extends Error {
  override readonly name = 'LayoutError';
  readonly code: string;
  /** Where in the file, when one place is to blame. */
  readonly offset: number | undefined;

  constructor(code: string, message: string, offset?: number) {
    super(message);
    this.code = code;
    this.offset = offset;
  }
}

/** By name as well: a plugin may bring its own copy of this package. */
export function isLayoutError(error: unknown): error is LayoutError {
  if (error instanceof LayoutError) return true;
  return error instanceof Error && error.name === 'LayoutError' && 'code' in error && typeof error.code === 'string';
}
