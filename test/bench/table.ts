/** Results as a Markdown table. Every number in it comes from a report. */

import type { Result, RowReport } from './report.ts';
import { median, medianOf, rangeOf } from './statistics.ts';

const MiB = 2 ** 20;

/** One line for each row and contender; ratios above 1 mean faster than that peer. */
export function resultsTable(rows: readonly RowReport[]): string {
  const head = ['work', 'contender', 'seconds', 'CPU s', 'peak MiB', 'stored MiB', 'vs restic', 'vs borg'];
  const lines = rows.flatMap((row) =>
    row.results.map((result, index) => [
      index === 0 ? row.title : '',
      result.contender,
      shownSeconds(result),
      shownNumber(medianOf(result.runs.map(({ cpuSeconds }) => cpuSeconds)), 2),
      shownNumber(inMiB(medianOf(result.runs.map(({ peakBytes }) => peakBytes))), 0),
      shownNumber(inMiB(medianOf(result.runs.map(({ storedBytes }) => storedBytes))), 1),
      shownRatio(speedRatio(row, result.contender, 'restic')),
      shownRatio(speedRatio(row, result.contender, 'borg')),
    ]),
  );
  return markdownTable(head, lines);
}

/** How many times as fast `contender` is as `peer`, by medians; undefined when one of them was not measured. */
export function speedRatio(row: RowReport, contender: string, peer: string): number | undefined {
  const [own, other] = [resultOf(row, contender), resultOf(row, peer)];
  return own === undefined || other === undefined ? undefined : secondsOf(other) / secondsOf(own);
}

export function resultOf(row: RowReport, contender: string): Result | undefined {
  return row.results.find((result) => result.contender === contender);
}

/** Median of the whole process. */
export function secondsOf({ runs }: Result): number {
  return median(runs.map(({ seconds }) => seconds));
}

export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

export function shownNumber(value: number | undefined, digits: number): string {
  return value === undefined ? '–' : value.toFixed(digits);
}

export function shownRatio(value: number | undefined): string {
  return value === undefined ? '–' : `${value.toFixed(2)}x`;
}

export function inMiB(bytes: number | undefined): number | undefined {
  return bytes === undefined ? undefined : bytes / MiB;
}

function shownSeconds({ runs }: Result): string {
  const seconds = runs.map((run) => run.seconds);
  const { least, most } = rangeOf(seconds);
  return `${median(seconds).toFixed(2)} (${least.toFixed(2)}–${most.toFixed(2)})`;
}
