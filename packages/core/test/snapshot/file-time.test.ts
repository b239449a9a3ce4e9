import { closeSync, fstatSync, futimesSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FileTime } from '../../src/format/tree.ts';
import { isLater, isSameTime, timeOfMs, utimesOf } from '../../src/snapshot/file-time.ts';
import { temporaryFolders } from '../backend/temporary-folder.ts';

const folder = temporaryFolders();

describe('file times', () => {
  test('come back within 1 µs, before 1970 as after', () => {
    const path = folder();
    mkdirSync(path);
    const fd = openSync(join(path, 'f'), 'w');
    const seconds = fc.integer({ min: -(2 ** 31) + 1, max: 2 ** 32 });
    fc.assert(
      fc.property(seconds, fc.nat(999_999_999), (s, ns) => {
        const time: FileTime = [s, ns];
        futimesSync(fd, utimesOf(time), utimesOf(time));
        expect(isSameTime(timeOfMs(fstatSync(fd).mtimeMs), time)).toBe(true);
      }),
      {
        examples: [
          [-1, 999_999_750],
          [-1, 0],
          [0, 0],
          [0, 250],
          [-2, 500_000_000],
        ],
      },
    );
    closeSync(fd);
  });

  test('are equal within 1 µs, and later beyond', () => {
    expect(isSameTime([5, 0], [4, 999_999_000])).toBe(true);
    expect(isSameTime([5, 0], [4, 999_998_999])).toBe(false);
    expect(isLater([5, 0], [4, 999_999_000])).toBe(false);
    expect(isLater([5, 0], [4, 999_998_999])).toBe(true);
    expect(isLater([4, 0], [5, 0])).toBe(false);
    expect(isSameTime([-1, 0], [-2, 999_999_999])).toBe(true);
  });

  test('that no number holds are the nearest that one does', () => {
    expect(timeOfMs(9.2e21)).toEqual([Number.MAX_SAFE_INTEGER, 0]);
    expect(timeOfMs(-9.2e21)).toEqual([Number.MIN_SAFE_INTEGER, 0]);
  });

  test('always have nanoseconds of a second', () => {
    fc.assert(
      fc.property(fc.double({ min: -1e17, max: 1e17, noNaN: true }), (ms) => {
        const [seconds, nanoseconds] = timeOfMs(ms);
        expect(Number.isSafeInteger(seconds) && Number.isInteger(nanoseconds)).toBe(true);
        expect(nanoseconds >= 0 && nanoseconds < 1e9).toBe(true);
      }),
    );
  });
});
