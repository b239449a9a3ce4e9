import { describe, expect, test } from 'vitest';
import { applyEntry } from '../../src/log/apply-entry.ts';
import { checkClock, newestTime } from '../../src/log/check-clock.ts';
import type { Fold } from '../../src/log/fold.ts';
import { firstEntry, nextEntry, startOfTime } from './small-log.ts';

const day = 86_400_000;
const first = firstEntry().fold;

function reasonOf(fold: Fold, local: number, backend: number): string {
  const verdict = checkClock(fold, local, backend);
  return verdict.trusted ? 'trusted' : verdict.reason;
}

function after(fold: Fold, at: number, acceptedAt?: number): Fold {
  return applyEntry(
    fold,
    nextEntry(fold, acceptedAt === undefined ? [] : [{ op: 'clock', at: acceptedAt }], undefined, { at }),
  ).fold;
}

describe('checkClock', () => {
  test.each([
    [0, 0, 'trusted'],
    [day, day, 'trusted'],
    [2 * day, day, 'trusted'],
    [2 * day + 1, day, 'clocks-differ'],
    [0, day + 1, 'clocks-differ'],
    [0, -60_000, 'trusted'],
    [0, -60_001, 'time-went-back'],
    [400 * day, 400 * day, 'trusted'],
    [400 * day + 1, 400 * day + 1, 'time-leapt'],
  ])('with this machine at %d ms and the storage at %d ms after the newest entry: %s', (local, backend, expected) => {
    expect(reasonOf(first, startOfTime + local, startOfTime + backend)).toBe(expected);
  });

  test('distrusts a leap that an entry hides, until an owner accepts a time', () => {
    const leapt = startOfTime + 3650 * day;
    const fold = after(after(first, leapt), leapt + 1);
    expect(reasonOf(fold, leapt + 2, leapt + 2)).toBe('time-leapt');
    expect(reasonOf(after(fold, leapt + 3, leapt + 3), leapt + 4, leapt + 4)).toBe('trusted');
  });

  test('distrusts a clock that came back, until an owner accepts the time', () => {
    const ahead = after(first, startOfTime + 300 * day);
    const now = startOfTime + day;
    expect(reasonOf(ahead, now, now)).toBe('time-went-back');
    const back = after(ahead, now);
    expect(reasonOf(back, now, now)).toBe('time-went-back');
    const accepted = after(back, now + 1, now + 1);
    expect(newestTime(accepted)).toBe(now + 1);
    expect(reasonOf(accepted, now + 2, now + 2)).toBe('trusted');
  });

  test('an accepted time outweighs this machine, for a day', () => {
    const fold = after(first, startOfTime + 5, startOfTime + 5);
    expect(reasonOf(fold, 0, startOfTime + 10)).toBe('trusted');
    expect(reasonOf(fold, 0, startOfTime + 2 * day)).toBe('clocks-differ');
  });

  test('has no trouble with times that no calendar has', () => {
    expect(reasonOf(first, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)).toBe('time-leapt');
  });
});
