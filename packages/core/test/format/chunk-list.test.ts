import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MbkError } from '../../src/errors.ts';
import { encodeCanonical, parseJson, type JsonValue } from '../../src/format/canonical-json.ts';
import {
  chunkListChildText,
  chunkText,
  decodeChunkList,
  encodeChunkListItems,
  type Chunk,
} from '../../src/format/chunk-list.ts';
import { byteChanges, decodeChanged } from './hostile.ts';
import { blobIds } from './tree-entries.ts';

const lengths = fc.integer({ min: 1, max: 8_388_608 });
const chunks: fc.Arbitrary<Chunk> = fc.oneof(
  fc.record({ kind: fc.constant('blob' as const), id: blobIds, length: lengths }),
  fc.record({ kind: fc.constant('slice' as const), id: blobIds, length: lengths, offset: fc.nat(8_388_608) }),
  fc.record({ kind: fc.constant('zero' as const), length: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }) }),
);

describe('chunk list', () => {
  test('leaves come back as they went in, are canonical, and are refused when damaged', () => {
    fc.assert(
      fc.property(fc.array(chunks, { minLength: 1, maxLength: 10 }), byteChanges, (items, changes) => {
        const bytes = encodeChunkListItems(0, items.map(chunkText));
        expect(decodeChunkList(bytes, 'list')).toEqual({ level: 0, chunks: items });
        expect(encodeCanonical(parseJson(bytes, 'list') as JsonValue)).toEqual(bytes);
        decodeChanged(bytes, changes, (changed) => decodeChunkList(changed, 'list'));
      }),
      { numRuns: 300 },
    );
  });

  test('nodes do, too', () => {
    const children = fc.array(fc.record({ id: blobIds, bytes: fc.integer({ min: 1 }) }), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(children, fc.integer({ min: 1, max: 7 }), byteChanges, (items, level, changes) => {
        const bytes = encodeChunkListItems(level, items.map(chunkListChildText));
        expect(decodeChunkList(bytes, 'list')).toEqual({ level, children: items });
        expect(encodeCanonical(parseJson(bytes, 'list') as JsonValue)).toEqual(bytes);
        decodeChanged(bytes, changes, (changed) => decodeChunkList(changed, 'list'));
      }),
    );
  });

  const id = 'cd'.repeat(32);

  test('the three kinds of chunk are these', () => {
    const value = {
      chunks: [
        [id, 5],
        [id, 5, 7],
        [0, 65_536],
      ],
      type: 'chunks',
    };
    expect(decodeChunkList(encodeCanonical(value), 'list')).toEqual({
      level: 0,
      chunks: [
        { kind: 'blob', id, length: 5 },
        { kind: 'slice', id, length: 5, offset: 7 },
        { kind: 'zero', length: 65_536 },
      ],
    });
  });

  test.each<[string, JsonValue]>([
    ['no bytes', [id, 0]],
    ['zeros of no bytes', [0, 0]],
    ['more bytes than a blob', [id, 16_777_217]],
    ['a slice beyond the longest blob', [id, 16_777_216, 1]],
    ['a slice before its blob', [id, 1, -1]],
    ['zeros with an offset', [0, 1, 0]],
    ['no id', [1, 1]],
    ['one item', [id]],
    ['four items', [id, 1, 1, 1]],
    ['no array', { id }],
  ])('a chunk of %s is refused', (_, chunk) => {
    expect(() => decodeChunkList(encodeCanonical({ chunks: [chunk], type: 'chunks' }), 'list')).toThrow(MbkError);
  });

  test('an empty list, an empty child and too many chunks are refused', () => {
    const refused: JsonValue[] = [
      { chunks: [], type: 'chunks' },
      { chunks: Array(1025).fill([id, 1]), type: 'chunks' },
      { children: [], level: 1, type: 'chunks-node' },
      { children: [{ bytes: 0, id }], level: 1, type: 'chunks-node' },
      { children: [{ bytes: 1, id }], level: 9, type: 'chunks-node' },
    ];
    for (const value of refused) expect(() => decodeChunkList(encodeCanonical(value), 'list')).toThrow(MbkError);
  });
});
