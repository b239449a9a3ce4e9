import { describe, expect, test } from 'vitest';
import { formatLeft, startMeter } from '../../src/progress/meter.ts';

describe('the pace', () => {
  test('is that of the last seconds, and so is the time left', () => {
    let time = 0;
    const meter = startMeter(() => time);
    expect(meter(0, 1000)).toEqual({ elapsedMs: 0, perSecond: undefined, leftMs: undefined });
    for (time = 1000; time <= 20_000; time += 1000) meter(time / 1000, 1000); // 1 a second
    for (time = 21_000; time <= 40_000; time += 1000) meter(20 + (time - 20_000) / 100, 1000); // 10 a second
    time = 40_000;
    expect(meter(220, 1000)).toEqual({ elapsedMs: 40_000, perSecond: 10, leftMs: 78_000 });
  });

  test('says nothing of the end too early, without a total, or when nothing moves', () => {
    let time = 0;
    const meter = startMeter(() => time);
    time = 1000;
    expect(meter(10, 100).leftMs).toBeUndefined();
    time = 3000;
    expect(meter(30, 100).leftMs).toBe(7000);
    expect(meter(30).leftMs).toBeUndefined();
    time = 60_000;
    meter(30, 100);
    time = 71_000;
    expect(meter(30, 100)).toMatchObject({ perSecond: 0, leftMs: undefined });
  });
});

test.each([
  [400, '1 s'],
  [10_000, '10 s'],
  [11_200, '15 s'],
  [54_000, '55 s'],
  [56_000, '1 min'],
  [61_000, '2 min'],
  [59 * 60_000, '59 min'],
  [3_600_000, '1 h'],
  [3_601_000, '1 h 10 min'],
  [100 * 3_600_000, '100 h'],
])('%i ms are %s', (ms, text) => {
  expect(formatLeft(ms)).toBe(text);
});
