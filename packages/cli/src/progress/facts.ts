/** The facts that progress of any kind is told in. */

import { formatBytes, formatCount, formatRate } from '../quantities.ts';
import { formatLeft } from './meter.ts';
import type { Pace } from './meter.ts';

/** ` 42%`, always as wide, so that what follows does not jump; never 100% before the end. Empty without a total. */
export function percentText(done: number, total: number | undefined): string {
  if (total === undefined || total <= 0) return '';
  return `${String(Math.min(99, Math.floor((100 * done) / total))).padStart(3)}%`;
}

/** `3 min left`; empty where nobody can know. */
export function leftText({ leftMs }: Pace): string {
  return leftMs === undefined ? '' : `${formatLeft(leftMs)} left`;
}

/** `1.20 GiB of 3.40 GiB`. */
export function bytesText(done: number, total: number | undefined): string {
  return total === undefined ? formatBytes(done) : `${formatBytes(done)} of ${formatBytes(total)}`;
}

/** `12 of 40 files`. */
export function countText(done: number, total: number | undefined, word: string, plural = `${word}s`): string {
  return total === undefined ? formatCount(done, word, plural) : `${done} of ${formatCount(total, word, plural)}`;
}

/** `210 MiB/s`; empty before there is anything to tell from. */
export function speedText({ perSecond }: Pace): string {
  return perSecond === undefined ? '' : formatRate(perSecond, 1000);
}

/** How far work on files is, the fact that matters most first. Totals are undefined as long as nobody knows them. */
export function fileFacts(
  done: { readonly files: number; readonly bytes: number },
  total: { readonly files: number | undefined; readonly bytes: number | undefined },
  pace: Pace,
): readonly string[] {
  return [
    percentText(done.bytes, total.bytes),
    leftText(pace),
    bytesText(done.bytes, total.bytes),
    speedText(pace),
    countText(done.files, total.files, 'file'),
  ];
}

/** What programs are told of the pace: bytes a second and milliseconds, or null. */
export function paceFields({ elapsedMs, perSecond, leftMs }: Pace): Readonly<Record<string, number | null>> {
  const rounded = (value: number | undefined): number | null => (value === undefined ? null : Math.round(value));
  return { elapsedMs: Math.round(elapsedMs), bytesPerSecond: rounded(perSecond), leftMs: rounded(leftMs) };
}
