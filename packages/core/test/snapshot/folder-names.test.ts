import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { folderNames, packedNames, type FolderNames } from '../../src/snapshot/folder-names.ts';

const allOf = (names: FolderNames): string[] => {
  const all: string[] = [];
  for (let name = names.next(); name !== undefined; name = names.next()) all.push(name);
  return all;
};
const byte = fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code));
/** Few letters, so that names begin alike; long ones share more than a byte can count. */
const name = fc.oneof(
  fc.array(byte, { minLength: 1, maxLength: 8 }).map((bytes) => bytes.join('')),
  fc.array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 5 }).map((bytes) => bytes.join('')),
  fc.tuple(fc.integer({ min: 250, max: 300 }), byte).map(([length, end]) => 'x'.repeat(length) + end),
);

describe('names of a folder', () => {
  test('come in the order of their bytes, packed or not', () => {
    fc.assert(
      fc.property(fc.uniqueArray(name), (names) => {
        const sorted = names.toSorted();
        expect(allOf(packedNames(sorted))).toEqual(sorted);
        expect(allOf(folderNames([...names]))).toEqual(sorted);
      }),
    );
  });

  test.each([16_384, 16_385, 60_000])('come in order from as many runs as %i need', (count) => {
    const names = Array.from({ length: count }, (_, number) => `sample_${(number * 7919) % count}.bin`);
    expect(allOf(folderNames(names))).toEqual(names.toSorted());
  });
});
