import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { asSegmentId } from '../../src/format/ids.ts';
import { chooseMerge } from '../../src/pack/choose-merge.ts';
import type { SegmentInfo } from '../../src/pack/index-set.ts';

const MiB = 1024 * 1024;
const segments = (sizes: readonly number[]): SegmentInfo[] =>
  sizes.map((bytes, at) => ({ id: asSegmentId(at.toString(16).padStart(64, '0')), blobs: 1, bytes }));

describe('choosing a merge', () => {
  test('leaves few segments alone', () => {
    expect(chooseMerge(segments(Array<number>(12).fill(1000)))).toEqual([]);
  });

  test('takes the small ones and leaves a large one', () => {
    const live = segments([15 * MiB, ...Array<number>(12).fill(1000)]);
    expect(chooseMerge(live)).toEqual(live.slice(1));
  });

  test('leaves those alone that are as large as they may become, however many', () => {
    const large = Array<number>(40).fill(17 * MiB);
    expect(chooseMerge(segments([...large, ...Array<number>(12).fill(1000)]))).toEqual([]);
    expect(chooseMerge(segments([...large, ...Array<number>(13).fill(1000)]))).toHaveLength(13);
  });

  test('takes at least two or none, never makes more than 32 MiB, and ends with few segments', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1000, max: 3 * MiB }), { maxLength: 60 }), (sizes) => {
        let live = segments(sizes);
        for (let rounds = 0; ; rounds += 1) {
          const chosen = chooseMerge(live);
          if (chosen.length === 0) break;
          expect(chosen.length).toBeGreaterThan(1);
          const bytes = chosen.reduce((sum, one) => sum + one.bytes, 0);
          expect(bytes).toBeLessThanOrEqual(32 * MiB);
          live = segments([...live.filter((one) => !chosen.includes(one)), { bytes }].map((one) => one.bytes));
          expect(rounds).toBeLessThan(60);
        }
        expect(live.filter(({ bytes }) => bytes <= 16 * MiB).length).toBeLessThanOrEqual(12);
      }),
    );
  });
});
