/** Steps of `pnpm bench:scale` as a Markdown table. */

import type { RowReport } from '../report.ts';
import { median, medianOf } from '../statistics.ts';
import { inMiB, markdownTable, shownNumber } from '../table.ts';

export function growthTable(rows: readonly RowReport[]): string {
  const head = ['step', 'contender', 'seconds', 's/GB', 'µs/file', 'cores busy', 'peak MiB', 'stored MiB'];
  const lines = rows.flatMap((row) =>
    row.results.map(({ contender, runs }, index) => {
      const seconds = median(runs.map((run) => run.seconds));
      const cpu = medianOf(runs.map(({ cpuSeconds }) => cpuSeconds));
      return [
        index === 0 ? row.title : '',
        contender,
        seconds.toFixed(2),
        row.sourceBytes === 0 || row.sourceFiles >= 1000 ? '–' : (seconds / (row.sourceBytes / 1e9)).toFixed(2),
        // Of a few large files the time of one says nothing.
        row.sourceFiles < 1000 ? '–' : ((seconds / row.sourceFiles) * 1e6).toFixed(0),
        cpu === undefined ? '–' : (cpu / seconds).toFixed(2),
        shownNumber(inMiB(medianOf(runs.map(({ peakBytes }) => peakBytes))), 0),
        shownNumber(inMiB(medianOf(runs.map(({ storedBytes }) => storedBytes))), 1),
      ];
    }),
  );
  return markdownTable(head, lines);
}
