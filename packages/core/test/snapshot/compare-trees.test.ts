import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BlobId } from '../../src/format/ids.ts';
import type { TreeEntry } from '../../src/format/tree.ts';
import { compareTrees, type TreeDifference } from '../../src/snapshot/compare-trees.ts';
import { walkTree } from '../../src/snapshot/tree-reader.ts';
import { blobStore, collect, type BlobStore } from './blob-store.ts';
import { directoryOf, fileOf, linkTo, namesOf, treeOf } from './entries.ts';

const shortly = (differences: readonly TreeDifference[]): string[] =>
  differences.map(({ kind, path }) => `${kind} ${path}`);
const compare = async (blobs: BlobStore, a: BlobId | undefined, b: BlobId | undefined): Promise<string[]> => {
  return shortly(await collect(compareTrees(blobs.read, a, b)));
};

describe('comparing trees', () => {
  test('tells added, removed, modified and metadata, depth first', async () => {
    const blobs = blobStore();
    const { store } = blobs;
    const before = await treeOf(store, [
      fileOf('a', '1'),
      directoryOf('d', await treeOf(store, [fileOf('gone', 'x'), fileOf('same', 'y'), fileOf('text', 'old')])),
      fileOf('mode', 'm'),
      directoryOf('old', await treeOf(store, [fileOf('f', '')])),
      linkTo('link', 'one'),
      fileOf('type', 'was a file'),
    ]);
    const after = await treeOf(store, [
      fileOf('a', '1', { mtime: [1_700_000_000, 900] }),
      directoryOf('d', await treeOf(store, [fileOf('new', 'x'), fileOf('same', 'y'), fileOf('text', 'new')]), {
        mode: 0o700,
      }),
      fileOf('mode', 'm', { mode: 0o600 }),
      linkTo('link', 'two'),
      directoryOf('type', await treeOf(store, [fileOf('in', '')])),
    ]);
    expect(await compare(blobs, before, after)).toEqual([
      'metadata d',
      'removed d/gone',
      'added d/new',
      'modified d/text',
      'modified link',
      'metadata mode',
      'removed old',
      'removed old/f',
      'removed type',
      'added type',
      'added type/in',
    ]);
  });

  test('a directory that became a file takes its content with it', async () => {
    const blobs = blobStore();
    const before = await treeOf(blobs.store, [directoryOf('x', await treeOf(blobs.store, [fileOf('in', '')]))]);
    const after = await treeOf(blobs.store, [fileOf('x', 'now')]);
    expect(await compare(blobs, before, after)).toEqual(['removed x', 'added x', 'removed x/in']);
  });

  test('other chunks of the same bytes, and times within 1 µs, are no difference', async () => {
    const blobs = blobStore();
    const chunks = blobs.put('chunks', {});
    const before = await treeOf(blobs.store, [fileOf('a', '1', { mtime: [5, 0] })]);
    const after = await treeOf(blobs.store, [fileOf('a', '1', { mtime: [4, 999_999_000], chunks, changed: true })]);
    expect(await compare(blobs, before, after)).toEqual([]);
    const later = await treeOf(blobs.store, [fileOf('a', '1', { mtime: [4, 999_998_999] })]);
    expect(await compare(blobs, before, later)).toEqual(['metadata a']);
  });

  test('reads a few blobs for one change among many', async () => {
    const blobs = blobStore();
    const names = namesOf(30_000);
    const big = await treeOf(
      blobs.store,
      names.map((name) => linkTo(name)),
    );
    const changed = await treeOf(
      blobs.store,
      names.map((name, i) => linkTo(name, i === 12_345 ? 'y' : 'x')),
    );
    const before = await treeOf(blobs.store, [directoryOf('big', big), directoryOf('same', big)]);
    const after = await treeOf(blobs.store, [directoryOf('big', changed), directoryOf('same', big)]);
    blobs.reads.length = 0;
    expect(await compare(blobs, before, after)).toEqual([`modified big/${names[12_345]}`]);
    expect(blobs.reads.length).toBe(6);
  });

  test('from nothing and to nothing is everything', async () => {
    const blobs = blobStore();
    const id = await treeOf(blobs.store, [directoryOf('d', await treeOf(blobs.store, [fileOf('f', '')]))]);
    expect(await compare(blobs, undefined, id)).toEqual(['added d', 'added d/f']);
    expect(await compare(blobs, id, undefined)).toEqual(['removed d', 'removed d/f']);
    expect(await compare(blobs, id, id)).toEqual([]);
  });

  test('is what comparing all paths one by one gives, also where leaves are split', async () => {
    const files = fc.dictionary(
      fc.tuple(fc.constantFrom('', 'd/', 'd/e/', 'f/'), fc.nat(4000)).map(([folder, i]) => `${folder}n${i}`),
      fc.constantFrom('1', '2', '3'),
      { maxKeys: 40 },
    );
    // Enough of the same files on both sides that large directories have several leaves.
    const shared = Object.fromEntries(namesOf(4000).map((name) => [`d/${name}`, 'shared']));
    await fc.assert(
      fc.asyncProperty(files, files, fc.boolean(), async (before, after, isLarge) => {
        const blobs = blobStore();
        const extra = isLarge ? shared : {};
        const a = await treeOfFiles(blobs, { ...extra, ...before });
        const b = await treeOfFiles(blobs, { ...extra, ...after });
        expect((await compare(blobs, a, b)).sort()).toEqual((await naiveDifferences(blobs, a, b)).sort());
      }),
      { numRuns: 30 },
    );
  });
});

async function treeOfFiles(blobs: BlobStore, files: Readonly<Record<string, string>>): Promise<BlobId> {
  const entries: TreeEntry[] = [];
  const folders = new Map<string, Record<string, string>>();
  for (const [path, text] of Object.entries(files)) {
    const slash = path.indexOf('/');
    if (slash === -1) entries.push(fileOf(path, text));
    else {
      const folder = folders.get(path.slice(0, slash)) ?? {};
      folder[path.slice(slash + 1)] = text;
      folders.set(path.slice(0, slash), folder);
    }
  }
  for (const [name, inside] of folders) entries.push(directoryOf(name, await treeOfFiles(blobs, inside)));
  return treeOf(blobs.store, entries);
}

async function naiveDifferences(blobs: BlobStore, a: BlobId, b: BlobId): Promise<string[]> {
  const load = async (id: BlobId): Promise<Map<string, TreeEntry>> => {
    return new Map((await collect(walkTree(blobs.read, id))).map(({ path, entry }) => [path, entry]));
  };
  const [before, after] = [await load(a), await load(b)];
  const differences: string[] = [];
  for (const path of before.keys()) if (!after.has(path)) differences.push(`removed ${path}`);
  for (const [path, entry] of after) {
    const old = before.get(path);
    if (old === undefined) differences.push(`added ${path}`);
    else if (old.type === 'file' && entry.type === 'file' && old.sha256 !== entry.sha256)
      differences.push(`modified ${path}`);
  }
  return differences;
}
