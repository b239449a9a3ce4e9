/** The page docs/bench/checkpoints.md, made from the measurement beside it. */
import { median } from '../statistics.ts';
import { markdownTable } from '../table.ts';
import type { Chain, ChainResult } from './measure-chain.ts';
import { linePlot } from './plot.ts';

const MiB = 2 ** 20;

export function chainPage({ contenders, fileBytes, losses, note, training }: Chain): string {
  const count = losses.length;
  const middle = Math.floor((count - 1) / 2);
  return `# ${count} checkpoints of one training run

A network of ${training.widths.join('-')} learns what another one computes, by Adam with a warm-up and a cosine decay
(\`test/bench/chain/training-run.ts\`): a real run, if a small one. A checkpoint is its FP32 weights in safetensors,
${mebibytes(fileBytes)} MiB, every ${training.stepsEach} steps; the loss falls from ${shownLoss(losses[1])} to ${shownLoss(losses.at(-1))}.
Each is backed up over the one before, in the same place, with a passphrase.${note === '' ? '' : ` ${note}`}

![What each checkpoint adds to the repository](checkpoints.svg)

${markdownTable(
  ['program', `all ${count}, MiB`, 'first', 'second', `number ${middle + 1}`, 'last', 'of what they hold'],
  contenders.map((one) => growthLine(one, { fileBytes, middle })),
)}

Checkpoints are stored as differences to the one before, at most eight one upon the other: then one is stored alone,
which are the peaks of the line. Restoring one reads what it is built upon:

${markdownTable(
  ['restore, seconds', 'oldest', `number ${middle + 1}`, 'newest'],
  contenders.map(({ contender, restores }) => [
    contender,
    ...restores.map(({ seconds }) => median(seconds).toFixed(2)),
  ]),
)}

Whole processes, medians of ${contenders[0]?.restores[0]?.seconds.length ?? 0}; deriving a key from the passphrase is in all of them. \`pnpm bench:chain\` repeats it.
`;
}

export function chainPlot({ contenders }: Chain): string {
  const series = contenders.map(({ contender, growth }) => ({
    name: contender,
    values: growth.map(({ bytes }) => bytes / MiB),
  }));
  return linePlot(series, { title: 'What each checkpoint adds', x: 'checkpoint', y: 'MiB' });
}

function growthLine(
  { contender, growth }: ChainResult,
  { fileBytes, middle }: { readonly fileBytes: number; readonly middle: number },
): string[] {
  const all = growth.reduce((sum, { bytes }) => sum + bytes, 0);
  const at = (number: number): string => mebibytes(growth[number]?.bytes ?? 0);
  const share = `${((100 * all) / (fileBytes * growth.length)).toFixed(1)} %`;
  return [contender, mebibytes(all), at(0), at(1), at(middle), at(growth.length - 1), share];
}

function mebibytes(bytes: number): string {
  return (bytes / MiB).toFixed(bytes < 10 * MiB ? 2 : 1);
}

function shownLoss(loss: number | null | undefined): string {
  return loss === null || loss === undefined ? '–' : loss.toPrecision(2);
}
