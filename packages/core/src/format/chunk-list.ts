/**
 * Chunk lists: the content of a large file as leaves of chunks and nodes above them (docs/format.md, Trees).
 *
 * Decoding takes hostile bytes; how several blobs fit together, and with the size of the file, is for
 * `chunk-list-reader.ts` to check.
 */
import { MbkError } from '../errors.ts';
import { utf8 } from './bytes.ts';
import { canonicalText, parseJson } from './canonical-json.ts';
import { readFields } from './fields.ts';
import { asBlobId, type BlobId } from './ids.ts';
import { limits } from './limits.ts';
import { highestLevel } from './tree.ts';

/** A span of a file: a whole blob, a slice of one, or zeros. Lengths are 1 or more. */
export type Chunk =
  | { readonly kind: 'blob'; readonly id: BlobId; readonly length: number }
  | { readonly kind: 'slice'; readonly id: BlobId; readonly offset: number; readonly length: number }
  | { readonly kind: 'zero'; readonly length: number };

/** A blob of a chunk list as its parent node knows it. */
export interface ChunkListChild {
  readonly id: BlobId;
  /** Bytes of the file that its chunks cover, at least 1. */
  readonly bytes: number;
}

export interface ChunkListLeaf {
  readonly level: 0;
  readonly chunks: readonly Chunk[];
}

export interface ChunkListNode {
  /** 1 is right above leaves. */
  readonly level: number;
  readonly children: readonly ChunkListChild[];
}

/** Canonical text of one chunk, as it stands in a leaf. */
export function chunkText(chunk: Chunk): string {
  switch (chunk.kind) {
    case 'blob':
      return canonicalText([chunk.id, chunk.length]);
    case 'slice':
      return canonicalText([chunk.id, chunk.length, chunk.offset]);
    case 'zero':
      return canonicalText([0, chunk.length]);
  }
}

/** Canonical text of one child, as it stands in a node. */
export function chunkListChildText(child: ChunkListChild): string {
  return canonicalText({ bytes: child.bytes, id: child.id });
}

/** A leaf (level 0) or node of items that `chunkText` or `chunkListChildText` made, in order. */
export function encodeChunkListItems(level: number, items: readonly string[]): Uint8Array {
  const [start, end] = chunkLeafFrame;
  if (level === 0) return utf8(`${start}${items.join(',')}${end}`);
  return utf8(`{"children":[${items.join(',')}],"level":${level},"type":"chunks-node"}`);
}

/** What stands before and behind the chunks of a leaf. */
export const chunkLeafFrame: readonly [start: string, end: string] = ['{"chunks":[', '],"type":"chunks"}'];

/** The leaf or node of `bytes`, a blob named `what`; `value-invalid`. */
export function decodeChunkList(bytes: Uint8Array, what: string): ChunkListLeaf | ChunkListNode {
  if (bytes.byteLength > limits.blobBytes) {
    throw new MbkError('value-invalid', `${what}: ${bytes.byteLength} bytes, a blob has at most ${limits.blobBytes}`);
  }
  const fields = readFields(parseJson(bytes, what), what);
  if (fields.literal('type', 'chunks', 'chunks-node') === 'chunks') {
    return { level: 0, chunks: notEmpty(fields.array('chunks', decodeChunk, { max: limits.chunksInLeaf }), what) };
  }
  const children = fields.array('children', decodeChild, { max: limits.chunksInLeaf });
  return { level: fields.int('level', { min: 1, max: highestLevel }), children: notEmpty(children, what) };
}

function notEmpty<T>(items: readonly T[], what: string): readonly T[] {
  if (items.length === 0) throw new MbkError('value-invalid', `${what}: an empty part of a chunk list`);
  return items;
}

function decodeChunk(value: unknown, what: string): Chunk {
  if (!Array.isArray(value) || value.length < 2 || value.length > 3) {
    throw new MbkError('value-invalid', `${what}: expected [id, length], [id, length, offset] or [0, length]`);
  }
  const [id, length, offset] = value as readonly unknown[];
  if (id === 0 && value.length === 2) {
    return { kind: 'zero', length: readInt(length, 1, Number.MAX_SAFE_INTEGER, what) };
  }
  const blob = { id: asBlobId(id), length: readInt(length, 1, limits.blobBytes, what) };
  if (value.length === 2) return { kind: 'blob', ...blob };
  return { kind: 'slice', ...blob, offset: readInt(offset, 0, limits.blobBytes - blob.length, what) };
}

function readInt(value: unknown, min: number, max: number, what: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value;
  throw new MbkError('value-invalid', `${what}: expected an integer from ${min} to ${max}`);
}

function decodeChild(value: unknown, what: string): ChunkListChild {
  const fields = readFields(value, what);
  return { id: asBlobId(fields.hex('id', 32)), bytes: fields.int('bytes', { min: 1 }) };
}
