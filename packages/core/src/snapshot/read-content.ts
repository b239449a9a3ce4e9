/** Reads the content of a file entry as bytes, in order, and proves them. */
import { createHash } from 'node:crypto';
import { zeroBlock } from '../chunker/zeros.ts';
import { MbkError } from '../errors.ts';
import type { FileContent } from '../format/tree.ts';
import type { ReadBlob } from './blobs.ts';
import { readChunks, type PlacedChunk } from './chunk-list-reader.ts';

export interface ReadContentOptions {
  /** Name of the file in messages. */
  readonly what: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The bytes of `content`, in parts that the caller does not change; holds one blob at a time.
 *
 * Every part was checked against its blob's id before it is given. After the last one the whole is compared with the
 * SHA-256 of the file: `entry-damaged`. Other errors: `value-invalid` (a chunk does not fit its blob), and those of
 * `readBlob`.
 */
export async function* readContent(
  readBlob: ReadBlob,
  content: FileContent,
  { what, signal }: ReadContentOptions,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  for await (const chunk of readChunks(readBlob, content, { signal })) {
    for (const part of chunk.kind === 'zero' ? zeroParts(chunk.length) : [await readChunk(readBlob, chunk, what)]) {
      hash.update(part);
      yield part;
    }
  }
  const found = hash.digest('hex');
  if (found !== content.sha256) {
    throw new MbkError('entry-damaged', `${what}: its bytes do not have the SHA-256 that was recorded`, {
      details: { file: what, expected: content.sha256, found },
    });
  }
}

async function readChunk(
  readBlob: ReadBlob,
  chunk: Exclude<PlacedChunk, { kind: 'zero' }>,
  what: string,
): Promise<Uint8Array> {
  const blob = await readBlob(chunk.id, 'data');
  const offset = chunk.kind === 'slice' ? chunk.offset : 0;
  const fits = chunk.kind === 'slice' ? offset + chunk.length <= blob.length : chunk.length === blob.length;
  if (!fits) {
    const span = `${offset} to ${offset + chunk.length}`;
    throw new MbkError('value-invalid', `${what}: bytes ${span} of blob ${chunk.id}, which has ${blob.length}`);
  }
  return blob.subarray(offset, offset + chunk.length);
}

function* zeroParts(length: number): Generator<Uint8Array> {
  for (let left = length; left > 0; left -= zeroBlock.length) {
    yield zeroBlock.subarray(0, Math.min(left, zeroBlock.length));
  }
}
