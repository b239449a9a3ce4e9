/** Pickles one behind the other, as some writers put them and as attackers hide them; then whatever follows. */

import type { Reader } from '@mbk/plugin-sdk';
import { problemList } from '../codes.ts';
import { type PickleScan, type PickleScanOptions, scanPickle } from './scan.ts';

const mostPickles = 64;

export interface PickleRun {
  readonly scans: readonly PickleScan[];
  /** One past the last STOP; the start where there is none. */
  readonly end: number;
}

export interface PickleRunOptions extends PickleScanOptions {
  /** What follows the first pickle is none of this one's business. */
  readonly single?: boolean;
}

/** Scans up to the end of what looks like pickles. */
export async function scanPickles(reader: Reader, options: PickleRunOptions): Promise<PickleRun> {
  const { at, end, problems, signal, single = false } = options;
  const scans: PickleScan[] = [];
  let start = options.start;
  while (start < end && scans.length < mostPickles) {
    if (scans.length === 0) {
      const scan = await scanPickle(reader, { ...options, start });
      scans.push(scan);
      if (scan.end === undefined) return { scans, end: start };
      start = scan.end;
      if (single) break;
      continue;
    }
    // A pickle of protocol 2 and above says so; an older one is one if it names a global.
    const [first, second] = await reader.read(start, Math.min(2, end - start), { signal });
    const isMarked = first === 0x80 && (second ?? 99) <= 5;
    const quiet = problemList();
    const scan = await scanPickle(reader, { ...options, start, problems: quiet });
    if (!isMarked && scan.globals.length === 0 && scan.end === undefined) {
      problems.report('pickle/trailing-bytes', `${end - start} bytes follow the last pickle`, { offset: at ?? start });
      return { scans, end: start };
    }
    problems.report('pickle/multiple', 'another pickle follows the first one', { offset: at ?? start });
    problems.include(quiet.findings());
    scans.push(scan);
    if (scan.end === undefined) return { scans, end: start };
    start = scan.end;
  }
  return { scans, end: start };
}
