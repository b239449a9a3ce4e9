import { describe, expect, test } from 'vitest';
import { collectionTree, type SourceFolder } from '../../src/snapshot/collection-tree.ts';
import type { SourceFacts } from '../../src/snapshot/source-facts.ts';
import { walkTree } from '../../src/snapshot/tree-reader.ts';
import { blobStore, collect } from './blob-store.ts';
import { fileOf, linkTo } from './entries.ts';

const facts: SourceFacts = {
  dev: 1,
  ino: 1,
  links: 1,
  size: 0,
  sparse: false,
  mode: 0o750,
  owner: [3, 4],
  mtime: [5, 6],
  mtimeMs: 5000,
  ctimeMs: 5000,
};
const folderOf = (name: string): SourceFolder => ({ name, facts });

describe('the tree of a collection', () => {
  test('has its files and the folders that lead to them, and counts them', async () => {
    const { store, read } = blobStore();
    const tree = collectionTree(store);
    const [a, b, c, empty] = ['a', 'b', 'c', 'empty'].map(folderOf) as [
      SourceFolder,
      SourceFolder,
      SourceFolder,
      SourceFolder,
    ];
    await tree.add([], fileOf('!first', '1'));
    await tree.add([a, b, c], fileOf('deep', '22'));
    await tree.add([a, b], fileOf('d', '333'));
    await tree.add([a, b], linkTo('e'));
    await tree.addFolder([a, empty]);
    await tree.add([], fileOf('a.txt', '4444'));
    const { tree: id, ...totals } = await tree.finish();
    expect(totals).toEqual({ files: 4, directories: 4, symlinks: 1, bytes: 10 });
    const walked = await collect(walkTree(read, id));
    expect(walked.map(({ path }) => path)).toEqual([
      '!first',
      'a',
      'a/b',
      'a/b/c',
      'a/b/c/deep',
      'a/b/d',
      'a/b/e',
      'a/empty',
      'a.txt',
    ]);
    expect(walked[1]?.entry).toMatchObject({ type: 'directory', mode: 0o750, owner: [3, 4], mtime: [5, 6] });
  });

  test('another folder of the same name and depth is another folder', async () => {
    const { store, read } = blobStore();
    const tree = collectionTree(store);
    await tree.add([folderOf('a'), folderOf('x')], fileOf('1', ''));
    await tree.add([folderOf('b'), folderOf('x')], fileOf('2', ''));
    const { tree: id } = await tree.finish();
    expect((await collect(walkTree(read, id))).map(({ path }) => path)).toEqual([
      'a',
      'a/x',
      'a/x/1',
      'b',
      'b/x',
      'b/x/2',
    ]);
  });

  test('of nothing is an empty directory', async () => {
    const { store, read } = blobStore();
    const { tree: id, ...totals } = await collectionTree(store).finish();
    expect(totals).toEqual({ files: 0, directories: 0, symlinks: 0, bytes: 0 });
    expect(await collect(walkTree(read, id))).toEqual([]);
  });
});
