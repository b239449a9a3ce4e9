import { describe, expect, test } from 'vitest';
import { sha256Hex } from '../../src/crypto/hash.ts';
import { asBlobId, type BlobId } from '../../src/format/ids.ts';
import { emptySha256, type FileEntry } from '../../src/format/tree.ts';
import type { ReadBlob, StoreBlob } from '../../src/snapshot/blobs.ts';
import { treeBuilder } from '../../src/snapshot/tree-builder.ts';
import {
  findInUnion,
  isUnionDirectory,
  readUnion,
  unionParts,
  walkUnion,
  type UnionEntry,
} from '../../src/snapshot/union-tree.ts';

const facts = { mode: 0o755, mtime: [1, 0], owner: [0, 0] } as const;

/** A tree in memory: names to files (true) or folders. */
type Folder = { readonly [name: string]: true | Folder };

function memoryBlobs() {
  const blobs = new Map<string, Uint8Array>();
  const store: StoreBlob = async (_, bytes) => {
    const id = asBlobId(sha256Hex(bytes));
    blobs.set(id, new Uint8Array(bytes));
    return { id };
  };
  let reads = 0;
  const read: ReadBlob = async (id) => {
    reads += 1;
    const bytes = blobs.get(id);
    if (bytes === undefined) throw new Error(`no blob ${id}`);
    return bytes;
  };
  const write = async (folder: Folder, mtime = 1): Promise<BlobId> => {
    const builder = treeBuilder(store);
    for (const [name, what] of Object.entries(folder).sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (what === true) await builder.add(file(name));
      else await builder.add({ type: 'directory', name, ...facts, mtime: [mtime, 0], tree: await write(what, mtime) });
    }
    return builder.finish();
  };
  return { read, write, reads: () => reads };
}

const file = (name: string): FileEntry => ({ type: 'file', name, ...facts, size: 0, sha256: emptySha256 });

async function collect(entries: AsyncIterable<UnionEntry>): Promise<string[]> {
  const lines: string[] = [];
  for await (const entry of entries) {
    const parts = isUnionDirectory(entry) ? `/ ${entry.parts.map((part) => part.collection).join('+')}` : '';
    lines.push(`${entry.path}${parts === '' ? ` ${entry.collection}` : parts}`);
  }
  return lines;
}

const blobs = memoryBlobs();
const parts = [
  {
    collection: 'models/a',
    tree: await blobs.write({ models: { 'x.gguf': true, deep: { one: true } }, top: true }, 5),
  },
  { collection: 'models/b', tree: await blobs.write({ models: { deep: { two: true }, 'y.gguf': true } }, 3) },
  { collection: 'data/c', tree: await blobs.write({ data: { 'a.jsonl': true } }, 4) },
];

describe('a union of trees', () => {
  test('lists a folder of several trees once, in the order of names', async () => {
    expect(await collect(readUnion(blobs.read, parts))).toEqual([
      'data/ data/c',
      'models/ models/a+models/b',
      'top models/a',
    ]);
  });

  test('is walked depth first, each entry once with its collection', async () => {
    expect(await collect(walkUnion(blobs.read, parts))).toEqual([
      'data/ data/c',
      'data/a.jsonl data/c',
      'models/ models/a+models/b',
      'models/deep/ models/a+models/b',
      'models/deep/one models/a',
      'models/deep/two models/b',
      'models/x.gguf models/a',
      'models/y.gguf models/b',
      'top models/a',
    ]);
  });

  test('is not walked into folders that are not to be entered', async () => {
    const walked = walkUnion(blobs.read, parts, { enter: ({ path }) => path === 'models' });
    expect(await collect(walked)).toEqual([
      'data/ data/c',
      'models/ models/a+models/b',
      'models/deep/ models/a+models/b',
      'models/x.gguf models/a',
      'models/y.gguf models/b',
      'top models/a',
    ]);
  });

  test('finds files and folders, and nothing below a file or where nothing is', async () => {
    expect(await findInUnion(blobs.read, parts, 'models/deep/two')).toMatchObject({
      path: 'models/deep/two',
      collection: 'models/b',
    });
    const deep = await findInUnion(blobs.read, parts, 'models/deep');
    expect(deep).toMatchObject({
      path: 'models/deep',
      parts: [{ collection: 'models/a' }, { collection: 'models/b' }],
    });
    for (const absent of ['nothing', 'models/deep/three', 'top/below', 'models/x.gguf/below', '']) {
      expect(await findInUnion(blobs.read, parts, absent)).toBeUndefined();
    }
  });

  test('a shared folder has the facts of the first part, and the newest capture comes first', async () => {
    const state = (name: string, takenAt: string, index: number) => ({
      name,
      takenAt,
      tree: parts[index]?.tree ?? emptySha256,
    });
    const sorted = unionParts([
      state('models/b', '2025-01-01T00:00:00.000Z', 1),
      state('models/a', '2025-01-02T00:00:00.000Z', 0),
    ]);
    expect(sorted.map(({ collection }) => collection)).toEqual(['models/a', 'models/b']);
    expect((await findInUnion(blobs.read, sorted, 'models'))?.entry.mtime).toEqual([5, 0]);
    expect((await findInUnion(blobs.read, sorted.toReversed(), 'models'))?.entry.mtime).toEqual([3, 0]);
  });

  test('of one name in two trees the first wins, and a folder merges with folders only', async () => {
    const clash = [
      { collection: 'one/x', tree: await blobs.write({ a: true, b: { in: true } }) },
      { collection: 'two/x', tree: await blobs.write({ a: { lost: true }, b: true }) },
    ];
    expect(await collect(walkUnion(blobs.read, clash))).toEqual(['a one/x', 'b/ one/x', 'b/in one/x']);
    expect(await findInUnion(blobs.read, clash, 'a/lost')).toBeUndefined();
  });

  test('without parts there is nothing', async () => {
    expect(await collect(walkUnion(blobs.read, []))).toEqual([]);
  });

  test('a large directory of one tree is read as it is walked, not at once', async () => {
    const many = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`f${i}`, true as const]));
    const big = memoryBlobs();
    const tree = await big.write(many);
    const entries = readUnion(big.read, [{ collection: 'data/many', tree }]);
    await entries.next();
    const first = big.reads();
    let count = 1;
    for await (const _ of entries) count += 1;
    expect(count).toBe(20_000);
    expect(first).toBeLessThan(big.reads() / 2);
  });
});
