import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { gearTable } from '../../src/chunker/gear.ts';
import { sha256Hex } from '../../src/crypto/hash.ts';
import { decodeLayout, type Layout } from '../../src/format/layout-record.ts';
import { emptySha256, type FileContent } from '../../src/format/tree.ts';
import { readChunks } from '../../src/snapshot/chunk-list-reader.ts';
import { fileStorer, type OpenFile } from '../../src/snapshot/file-storer.ts';
import { fileOf } from '../chunker/cut.ts';
import { blobStore, collect, type BlobStore } from './blob-store.ts';

const MiB = 1_048_576;
const gear = gearTable(new Uint8Array(32));

/** Reads `bytes`, at most `atOnce` a call. */
function readerOf(bytes: Uint8Array, atOnce = Infinity): OpenFile & { calls: number } {
  const reader = {
    fd: -1,
    calls: 0,
    read(into: Uint8Array, position: number): number {
      reader.calls += 1;
      const part = bytes.subarray(position, position + Math.min(into.length, atOnce));
      into.set(part);
      return part.length;
    },
  };
  return reader;
}

/** The bytes that a reader of the format makes of `content`. */
async function restore(blobs: BlobStore, content: FileContent): Promise<Uint8Array> {
  const bytes = new Uint8Array(content.size).fill(0xee);
  for (const chunk of await collect(readChunks(blobs.read, content))) {
    if (chunk.kind === 'zero') bytes.fill(0, chunk.position, chunk.position + chunk.length);
    else {
      const blob = await blobs.read(chunk.id, 'data');
      const offset = chunk.kind === 'slice' ? chunk.offset : 0;
      if (chunk.kind === 'blob') expect(blob.length).toBe(chunk.length);
      bytes.set(blob.subarray(offset, offset + chunk.length), chunk.position);
    }
  }
  return bytes;
}

async function storeAndRestore(
  file: Uint8Array,
  layout?: Layout,
  atOnce?: number,
): Promise<{ blobs: BlobStore; content: FileContent; zeroBytes: number }> {
  const blobs = blobStore();
  const storer = fileStorer({ store: blobs.store, gear });
  const { content, zeroBytes } = await storer.store(readerOf(file, atOnce), { size: file.length, layout });
  expect(content.size).toBe(file.length);
  expect(content.sha256).toBe(sha256Hex(file));
  expect(Buffer.compare(await restore(blobs, content), file)).toBe(0);
  return { blobs, content, zeroBytes };
}

const tensor = (offset: number, length: number): Layout['tensors'][number] => {
  return { name: `t${offset}`, dtype: 'F32', shape: [length / 4], offset, length, unit: 4 };
};

describe('storing a file', () => {
  test('without bytes stores nothing', async () => {
    const { blobs, content } = await storeAndRestore(new Uint8Array(0));
    expect(content).toEqual({ size: 0, sha256: emptySha256 });
    expect(blobs.blobs.size).toBe(0);
  });

  test('under 512 KiB is one blob, its id the hash of the file, read by one call', async () => {
    for (const size of [1, 65_536, 524_287]) {
      const file = fileOf([size]);
      const { blobs, content } = await storeAndRestore(file);
      expect(content.chunks).toBeUndefined();
      expect([...blobs.blobs.keys()]).toEqual([content.sha256]);
      const reader = readerOf(file);
      await fileStorer({ store: blobs.store, gear }).store(reader, { size });
      expect(reader.calls).toBe(1);
    }
    expect((await storeAndRestore(fileOf([524_288]))).content.chunks).toBeDefined();
  });

  test('with zeros stores none of a zero run', async () => {
    const { blobs, zeroBytes } = await storeAndRestore(fileOf([100, -20 * MiB, 100]));
    expect(zeroBytes).toBe(20 * MiB - 65_536);
    expect([...blobs.blobs.values()].reduce((sum, { bytes }) => sum + bytes.length, 0)).toBeLessThan(200_000);
  });

  test('of many chunks comes back whole, however few bytes a read gives', async () => {
    const file = fileOf([9 * MiB + 5, -300_000, 7 * MiB + 1], 5);
    const { content } = await storeAndRestore(file);
    expect((await storeAndRestore(file, undefined, 99_999)).content).toEqual(content);
    await storeAndRestore(new Uint8Array(17 * MiB).fill(9));
  });

  test('of zeros but for a byte here and there comes back whole', async () => {
    const file = fileOf([-8 * MiB, 1, -4 * MiB, 1, -65_536 * 3 + 1, 1, -12_345]);
    const { zeroBytes } = await storeAndRestore(file);
    expect(zeroBytes).toBeGreaterThan(11 * MiB);
  });

  test('with a layout cuts at tensors, gathers the rest in a skeleton, and names the layout', async () => {
    const file = fileOf([1000, 6 * MiB, 333, -5 * MiB, 70, 4092, 10, 100_000, 77]);
    let offset = 1000;
    const layout = {
      container: 'safetensors',
      tensors: [
        tensor(offset, 6 * MiB),
        tensor((offset += 6 * MiB + 333), 5 * MiB),
        tensor((offset += 5 * MiB + 70), 4092),
        tensor(offset + 4092 + 10, 100_000),
      ],
    };
    const { blobs, content, zeroBytes } = await storeAndRestore(file, layout);
    expect(zeroBytes).toBe(5 * MiB);
    const chunks = await collect(readChunks(blobs.read, content));
    expect(chunks.map(({ kind, length }) => `${kind} ${length}`)).toEqual([
      'slice 1000',
      `blob ${4 * MiB}`,
      `blob ${2 * MiB}`,
      'slice 333',
      `zero ${4 * MiB}`,
      `zero ${MiB}`,
      `slice ${70 + 4092 + 10}`,
      'blob 100000',
      'slice 77',
    ]);
    const slices = chunks.filter((chunk) => chunk.kind === 'slice');
    expect(new Set(slices.map(({ id }) => id)).size).toBe(1);
    expect(slices.map((slice) => slice.offset)).toEqual([0, 1000, 1333, 1333 + 4172]);
    const id = content.layout ?? content.sha256;
    const stored = decodeLayout(await blobs.read(id, 'layout'), file.length, 'layout');
    expect(stored.tensors).toMatchObject(layout.tensors);
    // Of floats that are cut into pieces, and do not begin with zeros.
    expect(stored.tensors.map(({ probes }) => probes !== undefined)).toEqual([true, false, false, true]);
  });

  test('with a layout whose skeleton is longer than a blob has whole and partial ones', async () => {
    const file = fileOf([9 * MiB, 100_000, 3 * MiB, 65_536, 5]);
    const layout = { container: 'gguf', tensors: [tensor(9 * MiB, 100_000), tensor(12 * MiB + 100_000, 65_536)] };
    const { blobs, content } = await storeAndRestore(file, layout);
    const chunks = await collect(readChunks(blobs.read, content));
    expect(chunks.map(({ kind, length }) => `${kind} ${length}`)).toEqual([
      `blob ${4 * MiB}`,
      `blob ${4 * MiB}`,
      `slice ${MiB}`,
      'blob 100000',
      `slice ${3 * MiB}`,
      'blob 65536',
      'blob 5',
    ]);
  });

  test('under 64 KiB ignores a layout, from there on follows it', async () => {
    const layout = { container: 'gguf', tensors: [] };
    expect((await storeAndRestore(fileOf([65_535]), layout)).content).not.toHaveProperty('chunks');
    expect((await storeAndRestore(fileOf([65_536]), layout)).content).toHaveProperty('layout');
  });

  test('that is shorter than it was records what was read, and no layout', async () => {
    const blobs = blobStore();
    const storer = fileStorer({ store: blobs.store, gear });
    const file = fileOf([5 * MiB]);
    const layout = { container: 'gguf', tensors: [tensor(0, 8 * MiB)] };
    for (const size of [0, 10, 70_000, 600_000, 5 * MiB]) {
      const part = file.subarray(0, size);
      const { content } = await storer.store(readerOf(part), { size: 8 * MiB, layout });
      expect(content).toMatchObject({ size, sha256: sha256Hex(part) });
      expect(content.layout).toBeUndefined();
      expect(Buffer.compare(await restore(blobs, content), part)).toBe(0);
    }
  });

  test('that is longer than it was records the size that it had', async () => {
    const blobs = blobStore();
    const { content } = await fileStorer({ store: blobs.store, gear }).store(readerOf(fileOf([3 * MiB])), {
      size: 2 * MiB,
    });
    expect(content.size).toBe(2 * MiB);
  });
});

describe('a storer', () => {
  test('gives bytes that are good until the store is done with them', async () => {
    const blobs = blobStore();
    // A store that looks at the bytes as late as it may.
    const store: BlobStore['store'] = async (type, bytes) => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      return blobs.store(type, bytes);
    };
    const file = fileOf([13 * MiB, -MiB, 3000], 8);
    const { content } = await fileStorer({ store, gear }).store(readerOf(file), { size: file.length });
    expect(
      createHash('sha256')
        .update(await restore(blobs, content))
        .digest('hex'),
    ).toBe(content.sha256);
  });

  test('serves the next file after one that could not be read to its end', async () => {
    const blobs = blobStore();
    const storer = fileStorer({ store: blobs.store, gear });
    const file = fileOf([1000, 9 * MiB, 50]);
    const layout = { container: 'gguf', tensors: [tensor(1000, 9 * MiB)] };
    const failing: OpenFile = {
      fd: -1,
      read(into, position) {
        if (position > 5 * MiB) throw new Error('EIO');
        return readerOf(file).read(into, position);
      },
    };
    await expect(storer.store(failing, { size: file.length, layout })).rejects.toThrow('EIO');
    const { content } = await storer.store(readerOf(file), { size: file.length, layout });
    expect(Buffer.compare(await restore(blobs, content), file)).toBe(0);
  });

  test('lets a signal through while it reads', async () => {
    const blobs = blobStore();
    const controller = new AbortController();
    const file = fileOf([-40 * MiB]);
    setImmediate(() => controller.abort());
    const storing = fileStorer({ store: blobs.store, gear }).store(readerOf(file), {
      size: file.length,
      signal: controller.signal,
    });
    await expect(storing).rejects.toMatchObject({ code: 'interrupted' });
  });

  test('lets a signal through among many small files', async () => {
    const blobs = blobStore();
    const controller = new AbortController();
    const storer = fileStorer({ store: blobs.store, gear });
    setImmediate(() => controller.abort());
    const file = fileOf([100]);
    const storing = async (): Promise<void> => {
      for (let i = 0; i < 1000; i += 1) await storer.store(readerOf(file), { size: 100, signal: controller.signal });
    };
    await expect(storing()).rejects.toMatchObject({ code: 'interrupted' });
  });
});
