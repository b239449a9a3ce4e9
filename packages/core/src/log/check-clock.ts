/**
 * Whether time can be trusted enough to let anything expire (docs/format.md, Time).
 *
 * Three clocks: this machine's, the storage's by a fresh probe, and the newest time that the log holds. Nothing expires
 * while they disagree; an owner's `clock` entry settles it.
 */
import type { Fold } from './fold.ts';

const dayMs = 86_400_000;
/** Furthest that the local clock and the storage's may differ. */
export const maxClockDifferenceMs: number = dayMs;
/** How far time may seem to go back between two probes: storages with several servers differ by seconds. */
export const clockJitterMs = 60_000;
/** Longest step from the newest entry: a repository that slept longer needs an owner's word. */
export const maxClockStepMs: number = 400 * dayMs;

export type ClockDoubt = 'clocks-differ' | 'time-went-back' | 'time-leapt';

export type ClockVerdict =
  | { readonly trusted: true }
  | {
      readonly trusted: false;
      readonly reason: ClockDoubt;
      /** One sentence with the numbers. */
      readonly text: string;
    };

/** Judges `backendNow`, the storage's clock, by the log and by `localNow`; milliseconds since 1970. */
export function checkClock(fold: Fold, localNow: number, backendNow: number): ClockVerdict {
  const past = [...fold.findings.values()].findLast(
    (finding) => isClockDoubt(finding.code) && finding.n > (fold.clock?.n ?? 0),
  );
  if (past !== undefined)
    return distrust(
      past.code === 'time-leapt' ? 'time-leapt' : 'time-went-back',
      `at log entry ${past.n} ${past.text}, and no owner has accepted the time since`,
    );
  const doubt = doubtOfStep(newestTime(fold), backendNow);
  if (doubt !== undefined) return distrust(doubt.reason, doubt.text);
  // An owner who accepted a time less than a day ago has judged the storage's clock against the world, not this machine.
  const isAccepted = fold.clock !== undefined && Math.abs(backendNow - fold.clock.at) <= maxClockDifferenceMs;
  if (!isAccepted && Math.abs(localNow - backendNow) > maxClockDifferenceMs) {
    return distrust('clocks-differ', `the storage's clock says ${iso(backendNow)}, this machine's ${iso(localNow)}`);
  }
  return { trusted: true };
}

/**
 * What is odd about a step from one time of the storage's clock to a later one.
 *
 * The fold keeps it as a finding when two entries stand so: a clock that leapt before a snapshot was taken would else
 * look right to whoever comes after it.
 */
export function doubtOfStep(
  from: number,
  to: number,
): { readonly reason: Exclude<ClockDoubt, 'clocks-differ'>; readonly text: string } | undefined {
  if (to < from - clockJitterMs)
    return { reason: 'time-went-back', text: `the storage's clock went from ${iso(from)} back to ${iso(to)}` };
  if (to - from > maxClockStepMs)
    return {
      reason: 'time-leapt',
      text: `the storage's clock leapt from ${iso(from)} to ${iso(to)}, more than 400 days`,
    };
  return undefined;
}

/** Time of the newest entry; for a `clock` entry the time that its owner accepted. */
export function newestTime(fold: Fold): number {
  return fold.clock?.n === fold.n ? fold.clock.at : fold.at;
}

function isClockDoubt(code: string): boolean {
  return code === 'time-went-back' || code === 'time-leapt';
}

function distrust(reason: ClockDoubt, text: string): ClockVerdict {
  return { trusted: false, reason, text };
}

function iso(ms: number): string {
  // Beyond what a Date holds the number itself is the plainest answer.
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : `${ms} ms`;
}
