/**
 * `pnpm bench:chain`: successive checkpoints of one training run, backed up one over the other, by mbk, restic and borg.
 * Writes docs/bench/chain.json, and the page and the plot that are made from it. `--pages` makes only these anew;
 * `--note TEXT` is told on the page.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { findContenders } from '../contenders/find-contenders.ts';
import { folderFacts } from '../folder-facts.ts';
import { openLab } from '../lab.ts';
import { openMeter } from '../measure-command.ts';
import { openWorkFolder } from '../work-folder.ts';
import { measureChain, writeCheckpoints, type Chain, type ChainResult } from './measure-chain.ts';
import { chainPage, chainPlot } from './page.ts';
import type { TrainingOptions } from './training-run.ts';

const { values } = parseArgs({
  options: {
    note: { type: 'string', default: '' },
    pages: { type: 'boolean', default: false },
    work: { type: 'string' },
  },
});

const training: TrainingOptions = { seed: 7, checkpoints: 20, stepsEach: 20, widths: [256, 1024, 1024, 1024, 256] };
const folder = join(import.meta.dirname, '../../../docs/bench');
const reportPath = join(folder, 'chain.json');

if (!values.pages) writeFileSync(reportPath, `${JSON.stringify(await measure(), null, 2)}\n`);
if (!existsSync(reportPath)) throw new Error(`${reportPath} is not there: measure first`);
const chain = JSON.parse(readFileSync(reportPath, 'utf8')) as Chain;
writeFileSync(join(folder, 'checkpoints.md'), chainPage(chain));
writeFileSync(join(folder, 'checkpoints.svg'), chainPlot(chain));

async function measure(): Promise<Chain> {
  const work = openWorkFolder({ work: values.work, corpora: undefined, neededBytes: 2e9, processId: process.pid });
  try {
    const lab = openLab(work.run, { meter: openMeter(work.run), folderNames: [] });
    const checkpoints = lab.freshFolder('checkpoints');
    say('training');
    const losses = writeCheckpoints(checkpoints, training);
    const fileBytes = folderFacts(join(checkpoints, 'checkpoint-0')).bytes;
    const contenders: ChainResult[] = [];
    for (const contender of findContenders(['mbk', 'restic', 'borg']).found) {
      say(contender.name);
      contenders.push(await measureChain(lab, contender, { checkpoints, count: training.checkpoints }));
    }
    return { measuredAt: new Date().toISOString(), note: values.note, fileBytes, training, losses, contenders };
  } finally {
    work.remove();
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
