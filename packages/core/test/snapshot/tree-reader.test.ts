import { describe, expect, test } from 'vitest';
import { MbkError } from '../../src/errors.ts';
import type { BlobId } from '../../src/format/ids.ts';
import type { TreeEntry } from '../../src/format/tree.ts';
import { findEntry, findPath, readTree, walkTree } from '../../src/snapshot/tree-reader.ts';
import { blobStore, collect, type BlobStore } from './blob-store.ts';
import { directoryOf, fileOf, linkTo, namesOf, treeOf } from './entries.ts';

describe('reading a directory', () => {
  test('finds each name of a large one by a blob of each level, and no other name', async () => {
    const { store, read, reads } = blobStore();
    const names = namesOf(20_000);
    const id = await treeOf(
      store,
      names.map((name) => linkTo(name, name)),
    );
    for (const name of names.filter((_, i) => i % 997 === 0).concat(names.at(-1) ?? '')) {
      reads.length = 0;
      expect(await findEntry(read, id, name)).toMatchObject({ target: name });
      expect(reads.length).toBe(2);
    }
    for (const name of ['a', 'file-0000000x', 'file-9', 'z']) expect(await findEntry(read, id, name)).toBeUndefined();
  });

  test('finds paths through directories, and not through files', async () => {
    const { store, read } = blobStore();
    const inner = await treeOf(store, [fileOf('x', '1')]);
    const id = await treeOf(store, [
      directoryOf('a', await treeOf(store, [directoryOf('b', inner)])),
      fileOf('f', '2'),
    ]);
    expect(await findPath(read, id, 'a/b/x')).toEqual(fileOf('x', '1'));
    expect(await findPath(read, id, 'a/b')).toMatchObject({ type: 'directory', tree: inner });
    for (const path of ['a/x', 'f/x', 'b', 'a/b/x/y']) expect(await findPath(read, id, path)).toBeUndefined();
  });

  test('stops when it is interrupted', async () => {
    const { store, read } = blobStore();
    const id = await treeOf(store, [linkTo('a')]);
    const signal = AbortSignal.abort();
    await expect(collect(readTree(read, id, { signal }))).rejects.toMatchObject({ code: 'interrupted' });
    await expect(findEntry(read, id, 'a', { signal })).rejects.toMatchObject({ code: 'interrupted' });
  });
});

describe('walking a tree', () => {
  test('gives a directory, then what is in it, by the bytes of names', async () => {
    const { store, read } = blobStore();
    const inner = await treeOf(store, [fileOf('1', ''), fileOf('2', '')]);
    const id = await treeOf(store, [
      fileOf('a.b', 'x'),
      directoryOf('a', inner),
      directoryOf('empty', await treeOf(store, [])),
    ]);
    const paths = (items: readonly { path: string }[]): string[] => items.map(({ path }) => path);
    expect(paths(await collect(walkTree(read, id)))).toEqual(['a', 'a/1', 'a/2', 'a.b', 'empty']);
    expect(paths(await collect(walkTree(read, id, { enter: (path) => path !== 'a' })))).toEqual(['a', 'a.b', 'empty']);
    expect(paths(await collect(walkTree(read, inner, { base: 'a' })))).toEqual(['a/1', 'a/2']);
  });

  test('goes 4,096 directories deep, and no deeper', async () => {
    const { store, read } = blobStore();
    let id = await treeOf(store, [fileOf('f', '')]);
    for (let depth = 0; depth < 4096; depth += 1) id = await treeOf(store, [directoryOf('d', id)]);
    expect((await collect(walkTree(read, id))).length).toBe(4097);
    const deeper = await treeOf(store, [directoryOf('d', id)]);
    await expect(collect(walkTree(read, deeper))).rejects.toMatchObject({ code: 'value-invalid' });
  });
});

describe('a tree that does not fit together is refused', () => {
  const entryJson = ({ name, target = 'x' }: { name: string; target?: string }): unknown => {
    return { mode: 0, mtime: [0, 0], name, owner: [0, 0], target, type: 'symlink' };
  };
  const leaf = (blobs: BlobStore, ...names: string[]): BlobId => {
    return blobs.put('tree', { entries: names.map((name) => entryJson({ name })), type: 'tree' });
  };
  const node = (blobs: BlobStore, level: number, ...children: unknown[]): BlobId => {
    return blobs.put('tree', { children, level, type: 'tree-node' });
  };

  const cases: readonly [string, (blobs: BlobStore) => BlobId][] = [
    ['a wrong count', (b) => node(b, 1, { count: 3, id: leaf(b, 'a', 'b'), last: 'b' })],
    ['a wrong last name', (b) => node(b, 1, { count: 2, id: leaf(b, 'a', 'b'), last: 'c' })],
    ['an empty leaf below a node', (b) => node(b, 1, { count: 1, id: leaf(b), last: 'c' })],
    [
      'names that overlap',
      (b) => node(b, 1, { count: 2, id: leaf(b, 'a', 'c'), last: 'c' }, { count: 2, id: leaf(b, 'b', 'd'), last: 'd' }),
    ],
    [
      'a name in two leaves',
      (b) => node(b, 1, { count: 1, id: leaf(b, 'a'), last: 'a' }, { count: 2, id: leaf(b, 'a', 'b'), last: 'b' }),
    ],
    ['a leaf where a node should be', (b) => node(b, 2, { count: 1, id: leaf(b, 'a'), last: 'a' })],
    [
      'a node where a leaf should be',
      (b) => node(b, 1, { count: 1, id: node(b, 1, { count: 1, id: leaf(b, 'a'), last: 'a' }), last: 'a' }),
    ],
    [
      'names that overlap two levels down',
      (b) => {
        const low = node(b, 1, { count: 1, id: leaf(b, 'm'), last: 'm' });
        const high = node(b, 1, { count: 2, id: leaf(b, 'c', 'z'), last: 'z' });
        return node(b, 2, { count: 1, id: low, last: 'm' }, { count: 2, id: high, last: 'z' });
      },
    ],
  ];

  test.each(cases)('%s', async (_, build) => {
    const blobs = blobStore();
    const id = build(blobs);
    await expect(collect(readTree(blobs.read, id))).rejects.toMatchObject({ code: 'value-invalid' });
    const found = Promise.all(['a', 'b', 'c', 'd', 'm', 'z'].map((name) => findEntry(blobs.read, id, name)));
    await expect(found).rejects.toThrow(MbkError);
  });

  test('but the same parts in order are a directory', async () => {
    const blobs = blobStore();
    const low = node(blobs, 1, { count: 1, id: leaf(blobs, 'a'), last: 'a' });
    const high = node(blobs, 1, { count: 2, id: leaf(blobs, 'c', 'z'), last: 'z' });
    const id = node(blobs, 2, { count: 1, id: low, last: 'a' }, { count: 2, id: high, last: 'z' });
    const entries: TreeEntry[] = await collect(readTree(blobs.read, id));
    expect(entries.map(({ name }) => name)).toEqual(['a', 'c', 'z']);
    expect(await findEntry(blobs.read, id, 'c')).toMatchObject({ name: 'c' });
  });
});
