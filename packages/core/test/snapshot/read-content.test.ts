import { describe, expect, test } from 'vitest';
import { sha256Hex } from '../../src/crypto/hash.ts';
import { concatBytes } from '../../src/format/bytes.ts';
import { chunkText, encodeChunkListItems, type Chunk } from '../../src/format/chunk-list.ts';
import { asBlobId, type BlobId } from '../../src/format/ids.ts';
import { emptySha256, type FileContent } from '../../src/format/tree.ts';
import type { ReadBlob } from '../../src/snapshot/blobs.ts';
import { readContent } from '../../src/snapshot/read-content.ts';

const blobs = new Map<BlobId, Uint8Array>();
const read: ReadBlob = async (id) => blobs.get(id) ?? Promise.reject(new Error(`no blob ${id}`));

function store(bytes: Uint8Array): BlobId {
  const id = asBlobId(sha256Hex(bytes));
  blobs.set(id, bytes);
  return id;
}

function listOf(chunks: readonly Chunk[], bytes: Uint8Array): FileContent {
  const list = store(encodeChunkListItems(0, chunks.map(chunkText)));
  return { size: bytes.length, sha256: asBlobId(sha256Hex(bytes)), chunks: list };
}

async function readAll(content: FileContent): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of readContent(read, content, { what: 'file' })) parts.push(new Uint8Array(part));
  return concatBytes(parts);
}

const a = new Uint8Array(1000).fill(1);
const b = new Uint8Array(500).fill(2);

describe('the content of a file', () => {
  test('is nothing for an empty one', async () => {
    expect(await readAll({ size: 0, sha256: emptySha256 })).toEqual(new Uint8Array(0));
  });

  test('is its one blob without a chunk list', async () => {
    expect(await readAll({ size: 1000, sha256: store(a) })).toEqual(a);
  });

  test('is blobs, slices and zeros in their order', async () => {
    const whole = concatBytes([a, new Uint8Array(200_000), b.subarray(100, 300)]);
    const chunks: Chunk[] = [
      { kind: 'blob', id: store(a), length: 1000 },
      { kind: 'zero', length: 200_000 },
      { kind: 'slice', id: store(b), offset: 100, length: 200 },
    ];
    expect(sha256Hex(await readAll(listOf(chunks, whole)))).toBe(sha256Hex(whole));
  });

  test.each<[string, Chunk]>([
    ['shorter than its chunk', { kind: 'blob', id: store(a), length: 1001 }],
    ['longer than its chunk', { kind: 'blob', id: store(a), length: 999 }],
    ['passed by a slice', { kind: 'slice', id: store(b), offset: 400, length: 101 }],
  ])('is refused where a blob is %s', async (_, chunk) => {
    const content = listOf([chunk], new Uint8Array(chunk.length));
    await expect(readAll(content)).rejects.toMatchObject({ code: 'value-invalid' });
  });

  test('is refused at its end where it is not what was recorded', async () => {
    const content = listOf([{ kind: 'blob', id: store(a), length: 1000 }], new Uint8Array(1000));
    await expect(readAll(content)).rejects.toMatchObject({ code: 'entry-damaged' });
  });
});
