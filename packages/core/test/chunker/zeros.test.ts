import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isZero } from '../../src/chunker/zeros.ts';

test('one byte that is not zero is found wherever it is, and only within the range', () => {
  const length = 200_000;
  const bytes = new Uint8Array(length);
  fc.assert(
    fc.property(fc.nat(length - 1), fc.nat(length), fc.nat(length), (at, a, b) => {
      const [start, end] = a < b ? [a, b] : [b, a];
      bytes[at] = 1;
      const found = isZero(bytes, start, end);
      bytes[at] = 0;
      expect(found).toBe(at < start || at >= end);
      expect(isZero(bytes, start, end)).toBe(true);
    }),
  );
});
