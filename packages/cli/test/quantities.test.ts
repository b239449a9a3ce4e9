import { describe, expect, test } from 'vitest';
import { formatBytes, formatCount, formatDuration, formatRate } from '../src/quantities.ts';

describe('formatBytes', () => {
  test.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.00 KiB'],
    [1536, '1.50 KiB'],
    [10_230, '9.99 KiB'],
    [10_240, '10.0 KiB'],
    [1024 * 1023.4, '1023 KiB'],
    [1024 * 1024 - 1, '1.00 MiB'],
    [512 * 1024 ** 3, '512 GiB'],
    [2 ** 62, '4.00 EiB'],
    [2n ** 70n, '1024 EiB'],
  ])('%s is %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});

describe('formatDuration', () => {
  test.each([
    [0, '0 ms'],
    [999.4, '999 ms'],
    [999.5, '1.0 s'],
    [59_949, '59.9 s'],
    [59_950, '1 min'],
    [200_000, '3 min 20 s'],
    [3_599_600, '1 h'],
    [7_500_000, '2 h 5 min'],
    [86_399_999, '1 d'],
    [273_600_000, '3 d 4 h'],
  ])('%s ms is %s', (durationMs, text) => {
    expect(formatDuration(durationMs)).toBe(text);
  });
});

test('a rate needs time to have passed', () => {
  expect(formatRate(1024 * 1024, 500)).toBe('2.00 MiB/s');
  expect(formatRate(5, 0)).toBe('-');
});

test('a count has its plural', () => {
  expect([formatCount(0, 'file'), formatCount(1, 'file'), formatCount(2, 'entry', 'entries')]).toEqual([
    '0 files',
    '1 file',
    '2 entries',
  ]);
});
