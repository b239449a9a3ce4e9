import fc from 'fast-check';
import { expect, test } from 'vitest';
import { median, medianOf, rangeOf } from './statistics.ts';

test('the median is the middle one, or the mean of the two in the middle', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([7])).toBe(7);
  expect(median([])).toBeNaN();
});

test('the median lies between the least and the most, whatever the order', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1 }), (values) => {
      const { least, most } = rangeOf(values);
      expect(median(values)).toBeGreaterThanOrEqual(least);
      expect(median(values)).toBeLessThanOrEqual(most);
      expect(median(values.toReversed())).toBe(median(values));
    }),
  );
});

test('there is no median when one run could not be measured', () => {
  expect(medianOf([1, 2, 3])).toBe(2);
  expect(medianOf([1, undefined, 3])).toBeUndefined();
  expect(medianOf([])).toBeUndefined();
});
