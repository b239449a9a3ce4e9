import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { viewOf } from '../../src/format/bytes.ts';
import { filterBlocks } from '../../src/format/index-segment.ts';
import { addToFilter, filterMayHold, filterProbe } from '../../src/pack/block-filter.ts';
import { seededBytes } from './test-keys.ts';

const id = fc.uint8Array({ minLength: 32, maxLength: 32 });

describe('the filter of an index segment', () => {
  test('holds everything that was added', () => {
    fc.assert(
      fc.property(fc.array(id, { maxLength: 100 }), fc.integer({ min: 1, max: 50 }), (ids, blocks) => {
        const filter = new Uint8Array(32 * blocks);
        for (const one of ids) addToFilter(viewOf(filter), viewOf(one));
        for (const one of ids) expect(filterMayHold(viewOf(filter), filterProbe(one))).toBe(true);
      }),
    );
  });

  test('rules out all but a few of a thousand that were not added', () => {
    const random = seededBytes('filter');
    const filter = new Uint8Array(32 * filterBlocks(20_000));
    for (let count = 0; count < 20_000; count += 1) addToFilter(viewOf(filter), viewOf(random(32)));
    let passed = 0;
    for (let count = 0; count < 20_000; count += 1)
      if (filterMayHold(viewOf(filter), filterProbe(random(32)))) passed += 1;
    expect(passed / 20_000).toBeLessThan(0.005);
    expect(passed).toBeGreaterThan(0);
  });

  test('sets the bits that docs/format.md says', () => {
    // Block ⌊0x80000000 · 3 / 2^32⌋ = 1; with 1 as second word, bit salt >> 27 of each word.
    const filter = new Uint8Array(96);
    const one = new Uint8Array(32);
    viewOf(one).setUint32(0, 0x8000_0000, true);
    viewOf(one).setUint32(4, 1, true);
    addToFilter(viewOf(filter), viewOf(one));
    const bits = [8, 8, 17, 20, 14, 5, 19, 11];
    expect(Array.from({ length: 24 }, (_, word) => viewOf(filter).getUint32(4 * word, true))).toEqual([
      ...Array<number>(8).fill(0),
      ...bits.map((bit) => 2 ** bit),
      ...Array<number>(8).fill(0),
    ]);
  });
});
