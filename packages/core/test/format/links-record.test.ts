import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MbkError } from '../../src/errors.ts';
import { encodeCanonical, parseJson, type JsonValue } from '../../src/format/canonical-json.ts';
import { decodeLinks, encodeLinks, type LinkGroup } from '../../src/format/links-record.ts';
import { byteChanges, decodeChanged } from './hostile.ts';
import { names } from './tree-entries.ts';

const paths = fc.array(names, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
const groupLists = fc.uniqueArray(paths, { maxLength: 12 }).map((all): LinkGroup[] => {
  const groups = [all.slice(0, 2), all.slice(2, 5), all.slice(5)].filter((group) => group.length > 1);
  return groups.map((group) => group.toSorted()).sort(([a = ''], [b = '']) => (a < b ? -1 : 1));
});

describe('links', () => {
  test('come back as they went in, are canonical, and are refused when damaged', () => {
    fc.assert(
      fc.property(groupLists, byteChanges, (groups, changes) => {
        const { bytes, omitted } = encodeLinks(groups);
        expect(omitted).toBe(0);
        expect(decodeLinks(bytes, 'links')).toEqual(groups);
        expect(encodeCanonical(parseJson(bytes, 'links') as JsonValue)).toEqual(bytes);
        decodeChanged(bytes, changes, (changed) => decodeLinks(changed, 'links'));
      }),
      { numRuns: 300 },
    );
  });

  test.each<[string, JsonValue]>([
    ['one path', [['a']]],
    ['paths out of order', [['b', 'a']]],
    ['a path twice', [['a', 'a']]],
    [
      'groups out of order',
      [
        ['b', 'c'],
        ['a', 'd'],
      ],
    ],
    [
      'a path in two groups',
      [
        ['a', 'c'],
        ['b', 'c'],
      ],
    ],
    ['a path out of the tree', [['../a', 'b']]],
    ['an absolute path', [['/a', 'b']]],
    ['no paths', ['a']],
  ])('a group of %s is refused', (_, groups) => {
    expect(() => decodeLinks(encodeCanonical({ groups, type: 'links' }), 'links')).toThrow(MbkError);
  });

  test('groups out of order are a mistake of the caller', () => {
    expect(() => encodeLinks([['b', 'a']])).toThrow(RangeError);
  });

  test('what a blob cannot hold is left out and counted', () => {
    const long = 'x'.repeat(250);
    const path = (i: number, end: string): string => `${String(i).padStart(6, '0')}/${long}/${long}/${end}`;
    const groups = Array.from({ length: 20_000 }, (_, i) => [path(i, 'a'), path(i, 'b')]);
    const { bytes, omitted } = encodeLinks(groups);
    expect(omitted).toBeGreaterThan(0);
    expect(bytes.length).toBeLessThanOrEqual(16_777_216);
    expect(decodeLinks(bytes, 'links')).toEqual(groups.slice(0, 20_000 - omitted));
  });
});
