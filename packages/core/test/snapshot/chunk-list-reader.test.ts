import { describe, expect, test } from 'vitest';
import { asBlobId, type BlobId } from '../../src/format/ids.ts';
import { emptySha256 } from '../../src/format/tree.ts';
import { readChunks } from '../../src/snapshot/chunk-list-reader.ts';
import { blobStore, collect, type BlobStore } from './blob-store.ts';

const id = asBlobId('ab'.repeat(32));

describe('reading the chunks of a file', () => {
  test('a file without bytes has none, one without a list has one', async () => {
    const { read, reads } = blobStore();
    expect(await collect(readChunks(read, { size: 0, sha256: emptySha256 }))).toEqual([]);
    expect(await collect(readChunks(read, { size: 5, sha256: id }))).toEqual([
      { kind: 'blob', id, length: 5, position: 0 },
    ]);
    expect(reads).toEqual([]);
  });

  const leaf = (blobs: BlobStore, ...lengths: number[]): BlobId => {
    return blobs.put('chunks', { chunks: lengths.map((length) => [id, length]), type: 'chunks' });
  };
  const node = (blobs: BlobStore, level: number, ...children: unknown[]): BlobId => {
    return blobs.put('chunks', { children, level, type: 'chunks-node' });
  };

  test('nodes of several levels are read in order', async () => {
    const blobs = blobStore();
    const low = node(blobs, 1, { bytes: 3, id: leaf(blobs, 1, 2) }, { bytes: 3, id: leaf(blobs, 3) });
    const root = node(
      blobs,
      2,
      { bytes: 6, id: low },
      { bytes: 3, id: node(blobs, 1, { bytes: 3, id: leaf(blobs, 1, 2) }) },
    );
    const chunks = await collect(readChunks(blobs.read, { size: 9, sha256: id, chunks: root }));
    expect(chunks.map(({ length, position }) => [length, position])).toEqual([
      [1, 0],
      [2, 1],
      [3, 3],
      [1, 6],
      [2, 7],
    ]);
  });

  const cases: readonly [string, number, (blobs: BlobStore) => BlobId][] = [
    ['covers less than the file', 4, (b) => leaf(b, 1, 2)],
    ['covers more than the file', 2, (b) => leaf(b, 1, 2)],
    ['has a child that covers less than its parent says', 4, (b) => node(b, 1, { bytes: 4, id: leaf(b, 3) })],
    ['has children that cover more than the file', 3, (b) => node(b, 1, { bytes: 4, id: leaf(b, 4) })],
    ['has a leaf where a node should be', 1, (b) => node(b, 2, { bytes: 1, id: leaf(b, 1) })],
    [
      'has lengths whose sum is no number that is exact',
      3,
      (b) => b.put('chunks', { chunks: Array(8).fill([0, Number.MAX_SAFE_INTEGER]), type: 'chunks' }),
    ],
  ];

  test.each(cases)('a list that %s is refused before its first chunk', async (_, size, build) => {
    const blobs = blobStore();
    const chunks = readChunks(blobs.read, { size, sha256: id, chunks: build(blobs) });
    await expect(chunks.next()).rejects.toMatchObject({ code: 'value-invalid' });
  });

  test('stops when it is interrupted', async () => {
    const blobs = blobStore();
    const content = { size: 1, sha256: id, chunks: leaf(blobs, 1) };
    await expect(collect(readChunks(blobs.read, content, { signal: AbortSignal.abort() }))).rejects.toMatchObject({
      code: 'interrupted',
    });
  });
});
