import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MbkError } from '../../src/errors.ts';
import { utf8 } from '../../src/format/bytes.ts';
import { encodeCanonical, parseJson, type JsonValue } from '../../src/format/canonical-json.ts';
import {
  childText,
  decodeEntry,
  decodeTree,
  emptySha256,
  encodeTreeItems,
  entryText,
  leafFrameBytes,
} from '../../src/format/tree.ts';
import { byteChanges, decodeChanged } from './hostile.ts';
import { blobIds, directories, entries, names } from './tree-entries.ts';

describe('leaf', () => {
  test('comes back as it went in, and is canonical', () => {
    fc.assert(
      fc.property(directories, (entries) => {
        const bytes = encodeTreeItems(0, entries.map(entryText));
        expect(decodeTree(bytes, 'tree')).toEqual({ level: 0, entries });
        expect(encodeCanonical(parseJson(bytes, 'tree') as JsonValue)).toEqual(bytes);
      }),
    );
  });

  test('an empty directory is this', () => {
    expect(Buffer.from(encodeTreeItems(0, [])).toString()).toBe('{"entries":[],"type":"tree"}');
    expect(leafFrameBytes).toBe('{"entries":[],"type":"tree"}'.length);
  });

  test('a file is this', () => {
    const sha256 = 'ab'.repeat(32);
    const entry = decodeEntry(
      { mode: 420, mtime: [-2, 5], name: 'ü', owner: [0, 4294967295], sha256, size: 3, type: 'file' },
      'entry',
    );
    expect(entryText(entry)).toBe(
      `{"mode":420,"mtime":[-2,5],"name":"ü","owner":[0,4294967295],"sha256":"${sha256}","size":3,"type":"file"}`,
    );
  });

  test('damaged bytes are refused, or are a directory all the same', () => {
    fc.assert(
      fc.property(directories, byteChanges, (entries, changes) => {
        const tree = decodeChanged(encodeTreeItems(0, entries.map(entryText)), changes, (bytes) =>
          decodeTree(bytes, 'tree'),
        );
        if (tree === undefined || !('entries' in tree)) return;
        const before = tree.entries.map(({ name }) => name);
        expect(before).toEqual([...new Set(before)].sort());
        for (const entry of tree.entries) expect(decodeEntry(JSON.parse(entryText(entry)), 'entry')).toEqual(entry);
      }),
      { numRuns: 500 },
    );
  });
});

test('an entry is the same in a leaf as by itself, whichever fields it has', () => {
  const field = fc.constantFrom('size', 'mode', 'sha256', 'owner', 'mtime', 'name', 'sparse', 'later');
  const value = fc.oneof(fc.integer(), fc.constant([0, -1]), fc.constant('a'), fc.constant('.'), fc.constant(true));
  fc.assert(
    fc.property(entries, field, value, (entry, name, other) => {
      const changed = { ...(parseJson(utf8(entryText(entry)), 'entry') as Record<string, JsonValue>), [name]: other };
      for (const one of [parseJson(utf8(entryText(entry)), 'entry'), changed]) {
        const outcome = (decode: () => unknown): unknown => {
          try {
            return decode();
          } catch (error) {
            return (error as MbkError).message;
          }
        };
        const leaf = encodeCanonical({ entries: [one as JsonValue], type: 'tree' });
        const itself = outcome(() => ({ level: 0, entries: [decodeEntry(one, 'leaf: entries[0]')] }));
        expect(outcome(() => decodeTree(leaf, 'leaf'))).toEqual(itself);
      }
    }),
  );
});

describe('node', () => {
  const children = fc
    .uniqueArray(fc.record({ id: blobIds, count: fc.integer({ min: 1 }), last: names }), {
      selector: ({ last }) => last,
      minLength: 1,
      maxLength: 8,
    })
    .map((items) => items.toSorted((a, b) => (a.last < b.last ? -1 : 1)));

  test('comes back as it went in, is canonical, and is refused when damaged', () => {
    fc.assert(
      fc.property(children, fc.integer({ min: 1, max: 7 }), byteChanges, (items, level, changes) => {
        const bytes = encodeTreeItems(level, items.map(childText));
        expect(decodeTree(bytes, 'node')).toEqual({ level, children: items });
        expect(encodeCanonical(parseJson(bytes, 'node') as JsonValue)).toEqual(bytes);
        decodeChanged(bytes, changes, (changed) => decodeTree(changed, 'node'));
      }),
    );
  });
});

describe('refused', () => {
  const sha256 = 'ab'.repeat(32);
  const file = { mode: 420, mtime: [1, 2], name: 'a', owner: [0, 0], sha256, size: 3, type: 'file' };
  const tree = { entries: [file], type: 'tree' };
  const child = { count: 1, id: sha256, last: 'a' };
  const node = { children: [child], level: 1, type: 'tree-node' };

  test('what the tests below change is valid', () => {
    expect(decodeTree(encodeCanonical(tree), 'tree')).toHaveProperty('entries');
    expect(decodeTree(encodeCanonical(node), 'node')).toHaveProperty('children');
  });

  test.each<[string, JsonValue]>([
    ['a name of a folder above', { ...file, name: '..' }],
    ['a name with a slash', { ...file, name: 'a/b' }],
    ['no name', { ...file, name: '' }],
    ['a mode with a file type', { ...file, mode: 0o100644 }],
    ['a time of one number', { ...file, mtime: [1] }],
    ['nanoseconds of a second', { ...file, mtime: [1, 1_000_000_000] }],
    ['an owner below zero', { ...file, owner: [-1, 0] }],
    ['another type', { ...file, type: 'fifo' }],
    ['a size below zero', { ...file, size: -1 }],
    ['content without bytes', { ...file, size: 0 }],
    ['chunks without bytes', { ...file, size: 0, sha256: emptySha256, chunks: sha256 }],
    ['one blob of 17 MiB', { ...file, size: 17 * 1_048_576 }],
    ['a flag that is false', { ...file, sparse: false }],
    ['a directory without tree', { ...file, type: 'directory' }],
    ['a link without target', { ...file, type: 'symlink', target: '' }],
    ['a target with a zero byte', { ...file, type: 'symlink', targetHex: '6100' }],
    ['a target of 4,096 bytes', { ...file, type: 'symlink', target: 'x'.repeat(4096) }],
  ])('an entry with %s', (_, entry) => {
    expect(() => decodeTree(encodeCanonical({ ...tree, entries: [entry] }), 'tree')).toThrow(MbkError);
  });

  test.each<[string, JsonValue]>([
    ['names out of order', { ...tree, entries: [{ ...file, name: 'b' }, file] }],
    ['a name twice', { ...tree, entries: [file, file] }],
    ['more entries than a leaf may have', { ...tree, entries: Array(4097).fill(file) }],
    ['another type', { ...tree, type: 'chunks' }],
    ['no children', { ...node, children: [] }],
    ['level 0', { ...node, level: 0 }],
    ['level 8', { ...node, level: 8 }],
    ['an empty child', { ...node, children: [{ ...child, count: 0 }] }],
    ['children out of order', { ...node, children: [{ ...child, last: 'b' }, child] }],
    ['a last that is no name', { ...node, children: [{ ...child, last: '..' }] }],
  ])('a tree with %s', (_, value) => {
    expect(() => decodeTree(encodeCanonical(value), 'tree')).toThrow(MbkError);
  });

  test('more bytes than a blob may have', () => {
    expect(() => decodeTree(new Uint8Array(16_777_217), 'tree')).toThrow('16777217 bytes');
  });
});
