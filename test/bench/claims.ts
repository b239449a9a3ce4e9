/** What mbk claims about speed and size, each held against the row that measures it. */

import type { RowReport } from './report.ts';
import { medianOf } from './statistics.ts';
import { inMiB, resultOf, secondsOf, shownNumber, shownRatio, speedRatio } from './table.ts';

export interface Claim {
  /** Of the row that measures it. */
  readonly row: string;
  readonly claim: string;
  readonly target: string;
  /** What is worked for beyond the target. */
  readonly aim: string;
  judge(row: RowReport): Judgement;
}

export interface Judgement {
  readonly measured: string;
  /** undefined: the row does not say. */
  readonly isMet: boolean | undefined;
}

const own = 'mbk';
/** The same program with all plugins turned off. */
export const withoutPlugins = 'mbk, no plugins';

/** The claims that `pnpm bench` measures. */
export const claims: readonly Claim[] = [
  fasterThanRestic('first-models', 'first backup of models', 2, '2.5x the faster peer'),
  storesAtMost('first-models', 'stored for models', {
    peer: 'borg',
    share: 1,
    aim: '735 MiB; 360 with derived quantisations',
  }),
  {
    row: 'plugins',
    claim: 'what plugins cost a first backup of models, row checks included',
    target: 'below 10 % more time',
    aim: '',
    judge(row) {
      const ratio = speedRatio(row, withoutPlugins, own);
      if (ratio === undefined) return { measured: '–', isMet: undefined };
      return { measured: `${((ratio - 1) * 100).toFixed(1)} %`, isMet: ratio < 1.1 };
    },
  },
  fasterThanRestic('first-checkpoint', 'first backup of an FP32 checkpoint', 2, '2.5x the faster peer'),
  storesAtMost('first-checkpoint', 'stored for the checkpoint', { peer: 'borg', share: 1, aim: '650 MiB' }),
  fasterThanRestic('first-files', 'first backup of many small files', 3),
  storesAtMost('first-files', 'stored for small files', { peer: 'tar | zstd -1', share: 1, aim: '165 MiB' }),
  fasterThanRestic('unchanged', 'small files again, nothing changed', 4),
  storesAtMost('next-models', 'added by the next fine-tune', { peer: 'borg', share: 0.21, aim: '160 MiB' }),
  fasterThanRestic('check-all', 'full read check', 1.5, '2x'),
  fasterThanRestic('restore-models', 'restore of models', 2),
  fasterThanRestic('restore-files', 'restore of small files', 2),
  fasterThanRestic('log', 'log with a passphrase', 1.5),
  fasterThanRestic('log-key-file', 'log with a key file', 4),
  {
    row: 'version',
    claim: '`mbk --version`',
    target: 'under 0.15 s',
    aim: '',
    judge(row) {
      const result = resultOf(row, own);
      if (result === undefined) return { measured: '–', isMet: undefined };
      const seconds = secondsOf(result);
      return { measured: `${seconds.toFixed(3)} s`, isMet: seconds < 0.15 };
    },
  },
];

/** The most memory that one of its processes took in any run of these rows. */
export function peakMemory(rows: readonly RowReport[]): Judgement {
  const peaks = rows.flatMap((row) => (resultOf(row, own)?.runs ?? []).map(({ peakBytes }) => ({ row, peakBytes })));
  let highest: { row: RowReport; mebibytes: number } | undefined;
  for (const { peakBytes, row } of peaks) {
    const mebibytes = inMiB(peakBytes);
    if (mebibytes !== undefined && mebibytes > (highest?.mebibytes ?? 0)) highest = { row, mebibytes };
  }
  if (highest === undefined) return { measured: '–', isMet: undefined };
  return {
    measured: `${highest.mebibytes.toFixed(0)} MiB (${highest.row.title})`,
    // The target is in megabytes.
    isMet: highest.mebibytes * 2 ** 20 <= 250e6,
  };
}

function fasterThanRestic(row: string, claim: string, times: number, aim = ''): Claim {
  return {
    aim,
    row,
    claim,
    target: `${times}x restic's speed`,
    judge(report) {
      const [restic, borg] = ['restic', 'borg'].map((peer) => speedRatio(report, own, peer));
      return {
        measured: `${shownRatio(restic)} restic, ${shownRatio(borg)} borg`,
        isMet: restic === undefined ? undefined : restic >= times,
      };
    },
  };
}

function storesAtMost(
  row: string,
  claim: string,
  { aim, peer, share }: { readonly peer: string; readonly share: number; readonly aim: string },
): Claim {
  return {
    aim,
    row,
    claim,
    target: share === 1 ? `no more than ${peer}` : `at most ${share} of ${peer}`,
    judge(report) {
      const stored = (contender: string): number | undefined =>
        medianOf((resultOf(report, contender)?.runs ?? []).map(({ storedBytes }) => storedBytes));
      const [ours, theirs] = [stored(own), stored(peer)];
      return {
        measured: `${shownNumber(inMiB(ours), 1)} MiB, ${peer} ${shownNumber(inMiB(theirs), 1)} MiB`,
        isMet: ours === undefined || theirs === undefined ? undefined : ours <= theirs * share,
      };
    },
  };
}
