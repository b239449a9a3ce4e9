/**
 * `pnpm bench:scale`: what memory and time do while the data grows, a step at a time. Prints one table and writes it as
 * JSON to docs/bench. The whole of it writes tens of gigabytes and takes about an hour.
 *
 *   --only STEP       only this step; may be repeated
 *   --contenders A,B  mbk and restic unless given
 *   --runs N          runs of each contender in each step; 1 unless given
 *   --work DIR        where sources and repositories lie; else the memory disk when it has room, or temporary files
 *   --scale N         a share of every size, such as 0.05, to try the steps; 1 unless given
 *   --seed N          other data of the same kinds
 *   --name NAME       write docs/bench/NAME.json; `scale`, or `quick-scale` when it is no full measurement
 *   --note TEXT       kept beside the numbers
 *   --list            list the steps and the room that they need
 */

import { mkdirSync } from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { findContenders } from '../contenders/find-contenders.ts';
import { openLab } from '../lab.ts';
import { describeMachine } from '../machine.ts';
import { openMeter } from '../measure-command.ts';
import { writePage } from '../page-file.ts';
import { mergeRows, type RowReport } from '../report.ts';
import { readReport, reportPath, writeReport } from '../report-files.ts';
import { runRow } from '../run-rows.ts';
import { openWorkFolder } from '../work-folder.ts';
import { growthTable } from './growth-table.ts';
import { type ScalePlace, type ScaleStep, scaleSteps } from './steps.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    contenders: { type: 'string', default: 'mbk,restic' },
    runs: { type: 'string', default: '1' },
    work: { type: 'string' },
    seed: { type: 'string', default: '7' },
    scale: { type: 'string', default: '1' },
    name: { type: 'string' },
    note: { type: 'string', default: '' },
    list: { type: 'boolean', default: false },
  },
});

const scale = Number(values.scale);
if (!(scale > 0)) throw new RangeError(`expected a number above 0 as --scale, got ${values.scale}`);
const name = values.name ?? (scale === 1 ? 'scale' : 'quick-scale');
const allSteps = scaleSteps(scale);
const names = values.contenders.split(',');
if (values.list)
  for (const step of allSteps) say(`${step.id.padEnd(16)}${gigabytes(neededFor(step)).padStart(8)}  ${step.title}`);
else await benchScale();

async function benchScale(): Promise<void> {
  const [runs, seed] = [Number(values.runs), Number(values.seed)];
  if (!Number.isSafeInteger(runs) || runs < 1) throw new RangeError(`expected a count as --runs, got ${values.runs}`);
  if (!Number.isSafeInteger(seed)) throw new TypeError(`expected a whole number as --seed, got ${values.seed}`);
  const steps = chooseSteps(values.only);
  const { found: contenders, missing } = findContenders(names);
  for (const one of missing) say(`${one} is not installed (or, mbk, not built) and is left out`);
  // One disk for all steps, or they could not be held against each other.
  const neededBytes = Math.max(...steps.map(neededFor));
  const work = openWorkFolder({ work: values.work, corpora: undefined, neededBytes, processId: process.pid });
  try {
    mkdirSync(work.run, { recursive: true });
    const meter = openMeter(work.run);
    if (!meter.hasGnuTime) say('GNU time is not installed: processor time and memory are not measured');
    const lab = openLab(work.run, { meter, folderNames: [] });
    say(`work folder ${work.folder} (${describeMachine(work.folder).fileSystem})`);
    const measured: RowReport[] = [];
    for (const step of steps) {
      say(`${step.id}: making the source`);
      const source = lab.freshFolder('source');
      step.makeSource(source, seed);
      const place: ScalePlace = { lab, source, sites: new Map() };
      for (const row of step.rows) {
        measured.push(
          await runRow(place, row, {
            contenders,
            runs,
            seed,
            scale,
            note: values.note,
            report: say,
            machine: () => describeMachine(work.folder),
            now: () => new Date(),
          }),
        );
        writeReport(name, { rows: mergeRows(readReport(name).rows, measured) });
      }
      for (const site of place.sites.values()) lab.removeSite(site);
    }
    process.stdout.write(`\n${growthTable(measured)}\n\n`);
    say(`written to ${reportPath(name)}`);
    if (name === 'scale') writePage();
  } finally {
    work.remove();
  }
}

/** The repositories of all contenders lie beside each other. */
function neededFor({ contenderBytes, sourceBytes }: ScaleStep): number {
  return sourceBytes + contenderBytes * names.length;
}

function chooseSteps(only: readonly string[]): readonly ScaleStep[] {
  const unknown = only.filter((id) => allSteps.every((step) => step.id !== id));
  if (unknown.length > 0)
    throw new RangeError(`expected steps among ${allSteps.map(({ id }) => id).join(', ')}, got ${unknown.join(', ')}`);
  return allSteps.filter(({ id }) => only.length === 0 || only.includes(id));
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
