import { expect, test } from 'vitest';
import { roundedCount } from '../src/index.ts';

test.each([
  [0, '0'],
  [999, '999'],
  [1000, '1K'],
  [1_590_000, '1.59M'],
  [999_499, '999K'],
  [999_500, '1M'],
  [6_738_415_616, '6.74B'],
  [1.2e15, '1200T'],
])('%d is %s', (count, text) => {
  expect(roundedCount(count)).toBe(text);
});
