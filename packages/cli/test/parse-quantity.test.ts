import { describe, expect, test } from 'vitest';
import { parseAge, parsePercent } from '../src/parse-quantity.ts';

describe('quantities', () => {
  test.each([
    ['5%', 0.05],
    ['0.5%', 0.005],
    ['100%', 1],
  ])('%s of a whole', (text, part) => {
    expect(parsePercent('--sample', text)).toBeCloseTo(part, 12);
  });

  test.each(['', '5', '0%', '100.1%', '-1%', '1e1%', ' 5%'])('%j is no part of a whole', (text) => {
    expect(() => parsePercent('--sample', text)).toThrow('--sample');
  });

  test.each([
    ['12h', 12 * 3_600_000],
    ['30d', 30 * 86_400_000],
    ['2w', 14 * 86_400_000],
    ['6m', 180 * 86_400_000],
    ['1y', 365 * 86_400_000],
  ])('%s is an age', (text, ms) => {
    expect(parseAge('--max-age', text)).toBe(ms);
  });

  test.each(['', '30', '0d', '30s', 'd', '1.5d'])('%j is no age', (text) => {
    expect(() => parseAge('--max-age', text)).toThrow('--max-age');
  });
});
