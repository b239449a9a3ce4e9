/** What mbk claims about growth, held against the steps of `pnpm bench:scale`. */

import type { Judgement } from '../claims.ts';
import type { RowReport, Run } from '../report.ts';
import { median } from '../statistics.ts';
import { resultOf } from '../table.ts';

export interface ScaleClaim {
  readonly claim: string;
  readonly target: string;
  /** undefined when a step that it needs was not measured. */
  judge(rows: readonly RowReport[]): Judgement | undefined;
}

const largestMemory = 250e6;
/** What counts as flat: the machine's own noise is about a fifth. */
const flat = 1.25;

export const scaleClaims: readonly ScaleClaim[] = [
  memoryStays('models from 1 to 20 GB', ['models-1', 'models-4', 'models-20']),
  timeStays('models from 1 to 20 GB', ['models-1', 'models-20'], 'byte'),
  memoryStays('10 thousand to 1 million files', ['files-10k', 'files-100k', 'files-1m', 'one-folder-1m']),
  timeStays('10 thousand to 1 million files', ['files-10k', 'files-1m'], 'file'),
  bothCores('snapshot of one large file', 'one-file-snapshot'),
  bothCores('restore of one large file', 'one-file-restore'),
  {
    claim: '`mbk log` over 10,000 snapshots, warm, with a key file',
    target: 'under 0.5 s',
    judge(rows) {
      const runs = runsOf(rows, 'log-10k');
      if (runs === undefined) return undefined;
      const seconds = median(runs.map((run) => run.seconds));
      return { measured: `${seconds.toFixed(2)} s`, isMet: seconds < 0.5 };
    },
  },
  memoryStays('a repository of 10 million blobs, opened and added to', ['index-10m']),
];

function memoryStays(what: string, ids: readonly string[]): ScaleClaim {
  return {
    claim: `memory, ${what}`,
    target: 'at most 250 MB',
    judge(rows) {
      const peaks = ids.map((id) => runsOf(rows, id)?.map(({ peakBytes = NaN }) => peakBytes));
      if (peaks.some((one) => one === undefined)) return undefined;
      const megabytes = peaks.map((one) => Math.max(...(one ?? [])) / 1e6);
      if (megabytes.some(Number.isNaN)) return { measured: '–', isMet: undefined };
      return {
        measured: megabytes.map((one) => `${one.toFixed(0)} MB`).join(', '),
        isMet: Math.max(...megabytes) * 1e6 <= largestMemory,
      };
    },
  };
}

function timeStays(what: string, ids: readonly [string, string], unit: 'byte' | 'file'): ScaleClaim {
  return {
    claim: `time per ${unit}, ${what}`,
    target: 'flat, within a quarter',
    judge(rows) {
      const [small, large] = ids.map((id) => timePer(rows, id, unit));
      if (small === undefined || large === undefined) return undefined;
      return { measured: `${(large / small).toFixed(2)} times as long`, isMet: large / small <= flat };
    },
  };
}

function bothCores(what: string, id: string): ScaleClaim {
  return {
    claim: `cores busy, ${what}`,
    target: 'nine tenths of two cores',
    judge(rows) {
      const run = runsOf(rows, id)?.[0];
      const sourceBytes = rows.find((one) => one.id === id)?.sourceBytes;
      if (run?.cpuSeconds === undefined || sourceBytes === undefined) return undefined;
      const busy = run.cpuSeconds / run.seconds;
      return { measured: `${busy.toFixed(2)} cores, ${(sourceBytes / 1e9).toFixed(1)} GB`, isMet: busy >= 1.8 };
    },
  };
}

function timePer(rows: readonly RowReport[], id: string, unit: 'byte' | 'file'): number | undefined {
  const row = rows.find((one) => one.id === id);
  const runs = runsOf(rows, id);
  if (row === undefined || runs === undefined) return undefined;
  return median(runs.map(({ seconds }) => seconds)) / (unit === 'byte' ? row.sourceBytes : row.sourceFiles);
}

function runsOf(rows: readonly RowReport[], id: string): readonly Run[] | undefined {
  const row = rows.find((one) => one.id === id);
  return row === undefined ? undefined : resultOf(row, 'mbk')?.runs;
}
