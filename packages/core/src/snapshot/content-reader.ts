/** Reads any part of a stored file, for plugins: by its chunk list, blob by blob, the last few of which are kept. */
import { MbkError } from '../errors.ts';
import type { BlobId } from '../format/ids.ts';
import type { FileContent } from '../format/tree.ts';
import type { ReadBlob } from './blobs.ts';
import { readChunks, type PlacedChunk } from './chunk-list-reader.ts';

export interface ContentReader {
  readonly size: number;
  /** Exactly those bytes, which are the caller's. RangeError beyond the end; else the errors of `readBlob`. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** What a span is made of: spans of the same parts hold the same bytes. */
  chunksOf(offset: number, length: number): Promise<readonly string[]>;
}

const mostKept = 4;

export function contentReader(readBlob: ReadBlob, content: FileContent, signal?: AbortSignal): ContentReader {
  const kept = new Map<BlobId, Uint8Array>();
  let loading: Promise<readonly PlacedChunk[]> | undefined;

  const load = (): Promise<readonly PlacedChunk[]> => (loading ??= loadChunks());
  const loadChunks = async (): Promise<readonly PlacedChunk[]> => {
    const chunks: PlacedChunk[] = [];
    for await (const chunk of readChunks(readBlob, content, { signal })) chunks.push(chunk);
    return chunks;
  };

  const blobOf = async (id: BlobId): Promise<Uint8Array> => {
    const known = kept.get(id);
    if (known !== undefined) return known;
    const bytes = await readBlob(id, 'data');
    const [oldest] = kept.keys();
    if (kept.size >= mostKept && oldest !== undefined) kept.delete(oldest);
    kept.set(id, bytes);
    return bytes;
  };

  return {
    size: content.size,

    async read(offset, length) {
      if (offset + length > content.size) {
        throw new RangeError(`expected a range within ${content.size} bytes, got ${offset} + ${length}`);
      }
      const result = new Uint8Array(length);
      const chunks = await load();
      for (let i = chunkAt(chunks, offset); i < chunks.length; i += 1) {
        const chunk = chunks[i];
        if (chunk === undefined || chunk.position >= offset + length) break;
        const from = Math.max(offset, chunk.position);
        const to = Math.min(offset + length, chunk.position + chunk.length);
        if (chunk.kind === 'zero' || from >= to) continue;
        const bytes = await blobOf(chunk.id);
        const start = (chunk.kind === 'slice' ? chunk.offset : 0) + from - chunk.position;
        if (start + to - from > bytes.length) {
          throw new MbkError('value-invalid', `blob ${chunk.id} has ${bytes.length} bytes, fewer than its chunk says`);
        }
        result.set(bytes.subarray(start, start + to - from), from - offset);
      }
      return result;
    },

    async chunksOf(offset, length) {
      const chunks = await load();
      const names: string[] = [];
      for (let i = chunkAt(chunks, offset); i < chunks.length; i += 1) {
        const chunk = chunks[i];
        if (chunk === undefined || chunk.position >= offset + length) break;
        const from = Math.max(0, offset - chunk.position);
        const to = Math.min(chunk.length, offset + length - chunk.position);
        const base = chunk.kind === 'slice' ? chunk.offset : 0;
        names.push(chunk.kind === 'zero' ? `zeros ${to - from}` : `${chunk.id} ${base + from} ${base + to}`);
      }
      return names;
    },
  };
}

/** Place of the chunk that holds the byte at `offset`. */
function chunkAt(chunks: readonly PlacedChunk[], offset: number): number {
  let low = 0;
  let high = chunks.length;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if ((chunks[middle]?.position ?? 0) <= offset) low = middle;
    else high = middle;
  }
  return low;
}
