import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sha256Hex } from '../../src/crypto/hash.ts';
import { decodeTree, encodeTreeItems, entryText, type TreeNode } from '../../src/format/tree.ts';
import { endsLevel, treeBuilder } from '../../src/snapshot/tree-builder.ts';
import { readTree } from '../../src/snapshot/tree-reader.ts';
import { directories } from '../format/tree-entries.ts';
import { blobStore, collect } from './blob-store.ts';
import { linkTo, namesOf } from './entries.ts';

/** The low bits of the SHA-256 of a name that are zero, by big integers. */
const zeroBits = (name: string): number => {
  const number = BigInt(`0x${sha256Hex(Buffer.from(name, 'latin1'))}`);
  let bits = 0;
  while (bits < 256 && (number & (1n << BigInt(bits))) === 0n) bits += 1;
  return bits;
};

/** Names after which no leaf ends. */
const quietNames = namesOf(400).filter((name) => zeroBits(name) < 10);

describe('where levels end', () => {
  test('is told by the low bits of the hash of the name', () => {
    for (const name of namesOf(5000)) {
      expect(endsLevel(name, 0)).toBe(zeroBits(name) >= 10);
      expect(endsLevel(name, 1)).toBe(zeroBits(name) >= 20);
    }
  });
});

describe('tree builder', () => {
  test('a small directory is one leaf, an empty one too', async () => {
    await fc.assert(
      fc.asyncProperty(directories, async (all) => {
        // A name whose hash ends a leaf makes two of them, however few there are.
        const entries = all.filter((entry) => zeroBits(entry.name) < 10);
        const { store, blobs } = blobStore();
        const builder = treeBuilder(store);
        for (const entry of entries) await builder.add(entry);
        const id = await builder.finish();
        expect(Buffer.from(blobs.get(id)?.bytes ?? [])).toEqual(
          Buffer.from(encodeTreeItems(0, entries.map(entryText))),
        );
        expect(blobs.size).toBe(1);
      }),
      { numRuns: 30 },
    );
  });

  test('a large directory ends its leaves and nodes where the specification says', async () => {
    const { store, read, blobs } = blobStore();
    const names = namesOf(30_000);
    const builder = treeBuilder(store);
    for (const name of names) await builder.add(linkTo(name));
    const id = await builder.finish();
    expect((await collect(readTree(read, id))).map(({ name }) => name)).toEqual(names);
    const root = decodeTree(await read(id, 'tree'), 'root') as TreeNode;
    expect(root.level).toBe(1);
    expect(root.children.reduce((sum, { count }) => sum + count, 0)).toBe(30_000);
    // By the rule alone: a leaf ends after a name with ten zero bits, or at 4,096.
    const ends: string[] = [];
    let count = 0;
    for (const name of names) {
      count += 1;
      if (zeroBits(name) < 10 && count < 4096) continue;
      ends.push(name);
      count = 0;
    }
    if (count > 0) ends.push(names.at(-1) ?? '');
    expect(root.children.map(({ last }) => last)).toEqual(ends);
    expect(blobs.size).toBe(ends.length + 1);
  });

  test('one more entry rewrites one leaf and the nodes above it', async () => {
    const { store, blobs } = blobStore();
    const build = async (names: readonly string[]): Promise<void> => {
      const builder = treeBuilder(store);
      for (const name of names) await builder.add(linkTo(name));
      await builder.finish();
    };
    const names = namesOf(20_000);
    await build(names);
    const before = blobs.size;
    await build([...names.slice(0, 10_000), 'file-0009999x', ...names.slice(10_000)]);
    expect(blobs.size - before).toBeLessThanOrEqual(3);
  });

  test('a leaf stays within 1 MiB, to the byte', async () => {
    const { store, blobs } = blobStore();
    const builder = treeBuilder(store);
    const entries = quietNames.map((name) => linkTo(name, 'x'.repeat(4000)));
    for (const entry of entries) await builder.add(entry);
    await builder.finish();
    const sizes = [...blobs.values()].map(({ bytes }) => bytes.length).sort((a, b) => a - b);
    const perEntry = entryText(linkTo('file-0000000', 'x'.repeat(4000))).length;
    const most = Math.floor((1_048_576 - '{"entries":[],"type":"tree"}'.length + 1) / (perEntry + 1));
    const largest = sizes.at(-1) ?? 0;
    expect(largest).toBeLessThanOrEqual(1_048_576);
    expect(decodeTree([...blobs.values()][0]?.bytes ?? new Uint8Array(0), 'first')).toHaveProperty(
      'entries.length',
      most,
    );
  });

  test('a leaf of exactly 1 MiB is not split', async () => {
    const { store, blobs } = blobStore();
    const builder = treeBuilder(store);
    let room = 1_048_576 - '{"entries":[],"type":"tree"}'.length + 1;
    const shortest = entryText(linkTo(quietNames[0] ?? '', 'x')).length - 1;
    for (let i = 0; room > 0; i += 1) {
      // Full links, then one that fills what is left, with room for the comma that the last one does not have.
      const length = room >= 2 * (shortest + 4000) ? 4000 : Math.min(4000, room - 1 - shortest);
      const text = linkTo(quietNames[i] ?? '', 'x'.repeat(length));
      room -= entryText(text).length + 1;
      await builder.add(text);
    }
    await builder.finish();
    expect([...blobs.values()].map(({ bytes }) => bytes.length)).toEqual([1_048_576]);
  });

  test('a last child that ends a node leaves no node of one child behind', async () => {
    // The first name whose hash ends a leaf and a node: found by trying, it stays the same for ever.
    let name = '';
    for (let i = 0; zeroBits(name) < 20; i += 1) name = `n${i}`;
    const { store, read, blobs } = blobStore();
    const builder = treeBuilder(store);
    await builder.add(linkTo('a'));
    await builder.add(linkTo(name));
    const id = await builder.finish();
    expect(blobs.size).toBe(1);
    expect(decodeTree(await read(id, 'tree'), 'root').level).toBe(0);
  }, 120_000);

  test('names out of order are a mistake of the caller', async () => {
    const builder = treeBuilder(blobStore().store);
    await builder.add(linkTo('b'));
    await expect(builder.add(linkTo('b'))).rejects.toThrow(RangeError);
    await expect(builder.add(linkTo('a'))).rejects.toThrow(RangeError);
  });
});
