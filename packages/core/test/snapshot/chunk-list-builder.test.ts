import { describe, expect, test } from 'vitest';
import { sha256Hex } from '../../src/crypto/hash.ts';
import { decodeChunkList, type Chunk, type ChunkListNode } from '../../src/format/chunk-list.ts';
import { asBlobId } from '../../src/format/ids.ts';
import { chunkListBuilder } from '../../src/snapshot/chunk-list-builder.ts';
import { readChunks } from '../../src/snapshot/chunk-list-reader.ts';
import { blobStore, collect } from './blob-store.ts';

const chunkOf = (i: number): Chunk => ({
  kind: 'blob',
  id: asBlobId(sha256Hex(Buffer.from(String(i)))),
  length: 1000 + i,
});

describe('chunk list builder', () => {
  test('ends leaves after whole chunks whose id ends in eight zero bits, or at 1,024', async () => {
    const { store, read } = blobStore();
    const builder = chunkListBuilder(store);
    const chunks: Chunk[] = [];
    for (let i = 0; i < 6000; i += 1) {
      const whole = chunkOf(i);
      // A long stretch of slices and zeros, which end no leaf whatever their id is.
      if (i > 1000 && i < 4000 && whole.kind === 'blob') {
        chunks.push(
          i % 2 === 0
            ? { kind: 'slice', id: asBlobId('00'.repeat(32)), length: 7, offset: 3 }
            : { kind: 'zero', length: i },
        );
      } else chunks.push(whole);
    }
    for (const chunk of chunks) await builder.add(chunk);
    const { id, bytes } = await builder.finish();
    const size = chunks.reduce((sum, { length }) => sum + length, 0);
    expect(bytes).toBe(size);

    const root = decodeChunkList(await read(id, 'chunks'), 'root') as ChunkListNode;
    expect(root.level).toBe(1);
    const counts: number[] = [];
    for (const child of root.children) {
      const leaf = decodeChunkList(await read(child.id, 'chunks'), 'leaf');
      counts.push('chunks' in leaf ? leaf.chunks.length : -1);
    }
    const expected: number[] = [];
    let count = 0;
    for (const chunk of chunks) {
      count += 1;
      if (count < 1024 && !(chunk.kind === 'blob' && chunk.id.endsWith('00'))) continue;
      expected.push(count);
      count = 0;
    }
    if (count > 0) expected.push(count);
    expect(counts).toEqual(expected);
    expect(Math.max(...counts)).toBe(1024);

    const content = { size, sha256: asBlobId('11'.repeat(32)), chunks: id };
    const placed = await collect(readChunks(read, content));
    let position = 0;
    for (const [i, chunk] of chunks.entries()) {
      expect(placed[i]).toEqual({ ...chunk, position });
      position += chunk.length;
    }
    expect(placed.length).toBe(chunks.length);
  });

  test('a changed chunk rewrites one leaf and the nodes above it', async () => {
    const { store, blobs } = blobStore();
    const build = async (changed: number): Promise<void> => {
      const builder = chunkListBuilder(store);
      for (let i = 0; i < 20_000; i += 1) await builder.add(i === changed ? chunkOf(-1) : chunkOf(i));
      await builder.finish();
    };
    await build(-1);
    const before = blobs.size;
    await build(10_000);
    expect(blobs.size - before).toBeLessThanOrEqual(5);
  });
});
