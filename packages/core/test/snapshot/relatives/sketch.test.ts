import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sketchBytes } from '../../../src/format/layout-record.ts';
import { sketchDistance, sketchOf, sketchUnits } from '../../../src/snapshot/relatives/sketch.ts';

const digits = fc
  .uint8Array({ minLength: sketchBytes, maxLength: sketchBytes })
  .map((bytes) => Buffer.from(bytes).toString('hex'));

test('a distance is how many bits differ', () => {
  fc.assert(
    fc.property(digits, digits, fc.nat({ max: 8 * sketchBytes - 1 }), (a, b, bit) => {
      const bits = (one: string): string =>
        BigInt(`0x${one}`)
          .toString(2)
          .padStart(8 * sketchBytes, '0');
      const other = bits(b);
      const expected = [...bits(a)].filter((digit, at) => digit !== other[at]).length;
      expect(sketchDistance(a, b)).toBe(expected);
      expect(sketchDistance(b, a)).toBe(expected);
      const flipped = Buffer.from(a, 'hex');
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(sketchDistance(a, flipped.toString('hex'))).toBe(1);
    }),
  );
});

test('a sketch has the last bytes of units all over the first ones, however few they are', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3000 }), fc.integer({ min: 1, max: 40 }), (head, unit) => {
      const sketch = sketchOf(head, unit);
      const lasts = new Set(Array.from({ length: Math.floor(head.length / unit) }, (_, i) => head[(i + 1) * unit - 1]));
      expect(sketch === undefined).toBe(lasts.size === 0);
      if (sketch === undefined) return;
      expect(sketch).toMatch(/^[0-9a-f]{64}$/);
      for (const byte of Buffer.from(sketch, 'hex')) expect(lasts).toContain(byte);
    }),
  );
  const numbers = Uint16Array.from({ length: 4 * sketchUnits }, (_, i) => i << 2);
  // Unit 64 i has the number 256 i.
  expect(sketchOf(new Uint8Array(numbers.buffer), 2)).toBe(
    Buffer.from(Uint8Array.from({ length: sketchBytes }, (_, i) => i)).toString('hex'),
  );
});
