/** Arbitrary entries of trees. */
import fc from 'fast-check';
import { bytesOfText, isName } from '../../src/format/byte-name.ts';
import { asBlobId, type BlobId } from '../../src/format/ids.ts';
import { emptySha256, type FileTime, type TreeEntry } from '../../src/format/tree.ts';

export const blobIds: fc.Arbitrary<BlobId> = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => asBlobId(Buffer.from(bytes).toString('hex')));

export const names: fc.Arbitrary<string> = fc
  .oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).map(bytesOfText),
    fc.uint8Array({ minLength: 1, maxLength: 255 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
    fc.constantFrom('-', '..x', '%41', '\n', '\xff\xfe', 'a'.repeat(255)),
  )
  .filter(isName);

const base = {
  name: names,
  mode: fc.nat(0o7777),
  mtime: fc.tuple(fc.integer({ min: -(2 ** 40), max: 2 ** 40 }), fc.nat(999_999_999)) as fc.Arbitrary<FileTime>,
  owner: fc.tuple(fc.nat(0xffff_ffff), fc.nat(0xffff_ffff)) as fc.Arbitrary<readonly [number, number]>,
};

const flags = { sparse: fc.constant(true as const), changed: fc.constant(true as const) };

export const entries: fc.Arbitrary<TreeEntry> = fc.oneof(
  fc.record({ ...base, type: fc.constant('file' as const), size: fc.constant(0), sha256: fc.constant(emptySha256) }),
  fc.record(
    {
      ...base,
      ...flags,
      type: fc.constant('file' as const),
      size: fc.integer({ min: 1, max: 2 ** 24 }),
      sha256: blobIds,
      chunks: blobIds,
      layout: blobIds,
    },
    { requiredKeys: ['name', 'mode', 'mtime', 'owner', 'type', 'size', 'sha256'] },
  ),
  fc.record({ ...base, type: fc.constant('directory' as const), tree: blobIds }),
  fc.record({
    ...base,
    type: fc.constant('symlink' as const),
    target: fc
      .uint8Array({ min: 1, minLength: 1, maxLength: 300 })
      .map((bytes) => Buffer.from(bytes).toString('latin1')),
  }),
);

/** Sorted, each name once. */
export const directories: fc.Arbitrary<readonly TreeEntry[]> = fc
  .uniqueArray(entries, { selector: (entry) => entry.name, maxLength: 12 })
  .map((items) => items.toSorted((a, b) => (a.name < b.name ? -1 : 1)));
