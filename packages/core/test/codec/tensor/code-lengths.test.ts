import { longestCode } from '@mbk/kernels';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { setCodeLengths } from '../../../src/codec/tensor/code-lengths.ts';

const lengthsOf = (counts: readonly number[]): number[] => {
  const lengths = new Uint8Array(256);
  setCodeLengths(
    Uint32Array.from({ length: 256 }, (_, i) => counts[i] ?? 0),
    lengths,
  );
  return [...lengths];
};

describe('code lengths', () => {
  const count = fc.oneof(fc.nat(3), fc.nat(1000), fc.nat(60_000), fc.constant(0));
  const counts = fc
    .array(count, { minLength: 2, maxLength: 256 })
    .filter((all) => all.filter((one) => one > 0).length > 1);

  test('are those of a complete code of what occurs, rarer symbols having no shorter codes', () => {
    fc.assert(
      fc.property(counts, (all) => {
        const lengths = lengthsOf(all);
        expect(lengths.reduce((sum, length) => sum + (length === 0 ? 0 : 2 ** -length), 0)).toBe(1);
        for (const [symbol, length] of lengths.entries()) {
          expect(length > 0).toBe((all[symbol] ?? 0) > 0);
          expect(length).toBeLessThanOrEqual(longestCode);
        }
      }),
    );
  });

  test('are the shortest possible where no code needs to be cut', () => {
    expect(lengthsOf([5, 1, 1, 2]).slice(0, 4)).toEqual([1, 3, 3, 2]);
    expect(lengthsOf([1, 1, 1, 1, 1, 1, 1, 1]).slice(0, 8)).toEqual([3, 3, 3, 3, 3, 3, 3, 3]);
  });

  test('are cut to the longest code, for a few bits in all', () => {
    const fibonacci = [1, 1];
    while (fibonacci.length < 24) fibonacci.push((fibonacci.at(-1) ?? 0) + (fibonacci.at(-2) ?? 0));
    const lengths = lengthsOf(fibonacci);
    const bits = fibonacci.reduce((sum, one, i) => sum + one * (lengths[i] ?? 0), 0);
    const total = fibonacci.reduce((sum, one) => sum + one, 0);
    const entropy = fibonacci.reduce((sum, one) => sum - one * Math.log2(one / total), 0);
    expect(bits).toBeLessThan(1.06 * entropy);
  });

  test('take two symbols', () => {
    expect(() => lengthsOf([7])).toThrow(RangeError);
  });
});
