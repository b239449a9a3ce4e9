/** Reads the content of a file entry as its chunks (docs/format.md, Content). */
import { throwIfInterrupted } from '../backend/interrupted.ts';
import { MbkError } from '../errors.ts';
import { decodeChunkList, type Chunk } from '../format/chunk-list.ts';
import type { BlobId } from '../format/ids.ts';
import type { FileContent } from '../format/tree.ts';
import type { ReadBlob } from './blobs.ts';

/** A chunk and where it lies in the file, in bytes. */
export type PlacedChunk = Chunk & { readonly position: number };

export interface ReadChunksOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * The chunks of `content` in the order of the file: together exactly its size.
 *
 * Throws 'value-invalid' when a list does not fit together or not with the size, before anything behind the misfit.
 */
export async function* readChunks(
  readBlob: ReadBlob,
  content: FileContent,
  { signal }: ReadChunksOptions = {},
): AsyncGenerator<PlacedChunk> {
  if (content.size === 0) return;
  if (content.chunks === undefined) {
    yield { kind: 'blob', id: content.sha256, length: content.size, position: 0 };
    return;
  }
  let position = 0;
  for await (const chunk of readPart(readBlob, content.chunks, content.size, undefined, signal)) {
    yield { ...chunk, position };
    position += chunk.length;
  }
}

/** The chunks below `id`, which must be of `level` (any, at the root) and cover `bytes`. */
async function* readPart(
  readBlob: ReadBlob,
  id: BlobId,
  bytes: number,
  level: number | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Chunk> {
  throwIfInterrupted(signal, 'reading a chunk list');
  const what = `chunk list ${id}`;
  const part = decodeChunkList(await readBlob(id, 'chunks'), what);
  if (level !== undefined && part.level !== level) {
    throw new MbkError('value-invalid', `${what}: level ${part.level}, its parent says ${level}`);
  }
  const lengths =
    'chunks' in part ? part.chunks.map((chunk) => chunk.length) : part.children.map((child) => child.bytes);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  if (total !== bytes) throw new MbkError('value-invalid', `${what}: covers ${total} bytes, expected ${bytes}`);
  if ('chunks' in part) {
    yield* part.chunks;
    return;
  }
  for (const child of part.children) yield* readPart(readBlob, child.id, child.bytes, part.level - 1, signal);
}
