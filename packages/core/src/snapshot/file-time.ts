/**
 * File times as trees hold them, as Node reads them, and as Node sets them.
 *
 * Node gives milliseconds and takes seconds as floating-point numbers, good to about 0.25 µs, so two times are equal
 * when they are within 1 µs of each other, everywhere.
 */
import type { FileTime } from '../format/tree.ts';

/** The time of a plain `fs.Stats`, e.g. its `mtimeMs`. */
export function timeOfMs(ms: number): FileTime {
  const seconds = Math.floor(ms / 1000);
  // Some file systems take any 64-bit number of seconds; nothing else can hold it.
  if (!Number.isSafeInteger(seconds)) return [ms < 0 ? Number.MIN_SAFE_INTEGER : Number.MAX_SAFE_INTEGER, 0];
  const nanoseconds = Math.round((ms - seconds * 1000) * 1e6);
  return [seconds, Math.min(Math.max(nanoseconds, 0), 999_999_999)];
}

/** What `fs.futimes` and `fs.lutimes` take: text before 1970, because a negative number would set the current time. */
export function utimesOf([seconds, nanoseconds]: FileTime): number | string {
  const time = seconds + nanoseconds / 1e9;
  return time < 0 ? String(time) : time;
}

/** Whether two times are within 1 µs of each other. */
export function isSameTime(a: FileTime, b: FileTime): boolean {
  return Math.abs(differenceNs(a, b)) <= 1000;
}

/** Whether `a` is later than `b` by more than 1 µs. */
export function isLater(a: FileTime, b: FileTime): boolean {
  return differenceNs(a, b) > 1000;
}

/** Exact near zero, where it matters. */
function differenceNs(a: FileTime, b: FileTime): number {
  return (a[0] - b[0]) * 1e9 + (a[1] - b[1]);
}
