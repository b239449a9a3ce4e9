import { expect, test } from 'vitest';
import { sampleResult, sampleRow } from './sample-rows.ts';
import { markdownTable, resultsTable, speedRatio } from './table.ts';

const MiB = 2 ** 20;
const row = sampleRow('a', [
  sampleResult('mbk', [
    { seconds: 1, cpuSeconds: 1.5, peakBytes: 200 * MiB, storedBytes: 10 * MiB },
    { seconds: 3, cpuSeconds: 2.5, peakBytes: 220 * MiB, storedBytes: 10 * MiB },
    { seconds: 2, cpuSeconds: 2, peakBytes: 240 * MiB, storedBytes: 10 * MiB },
  ]),
  sampleResult('restic', [{ seconds: 4 }, { seconds: 4 }, { seconds: 5 }]),
]);

test('a line tells medians, the range, and how many times as fast as each peer', () => {
  expect(resultsTable([row]).split('\n')).toEqual([
    '| work | contender | seconds | CPU s | peak MiB | stored MiB | vs restic | vs borg |',
    '|---|---|---|---|---|---|---|---|',
    '| the work a | mbk | 2.00 (1.00–3.00) | 2.00 | 220 | 10.0 | 2.00x | – |',
    '|  | restic | 4.00 (4.00–5.00) | – | – | – | 1.00x | – |',
  ]);
});

test('a ratio above 1 is in favour of the contender, and a peer that was not measured has none', () => {
  expect(speedRatio(row, 'mbk', 'restic')).toBe(2);
  expect(speedRatio(row, 'restic', 'mbk')).toBe(0.5);
  expect(speedRatio(row, 'mbk', 'borg')).toBeUndefined();
});

test('bars in cells do not end them', () => {
  expect(markdownTable(['a'], [['tar | zstd']])).toBe('| a |\n|---|\n| tar \\| zstd |');
});
