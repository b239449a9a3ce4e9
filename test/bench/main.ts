/**
 * `pnpm bench`: mbk beside the programs that a user would take instead, each as a whole process, on corpora made from a
 * seed. Prints one table and writes it as JSON to docs/bench.
 *
 *   --scale N         size of the corpora; 1 (about 3 GB) unless given, 0.1 for a quick look
 *   --runs N          runs of each contender in each row; 3 unless given
 *   --only ROW        only this row; may be repeated
 *   --contenders A,B  among mbk, restic, borg, borg-lz4, cp, tar; what is not installed is left out
 *   --work DIR        where sources, repositories and restored files lie; corpora are kept there for the next time
 *   --corpora DIR     where corpora are kept instead
 *   --seed N          other corpora of the same kinds
 *   --name NAME       write docs/bench/NAME.json; `bench`, or `quick` when it is no full measurement
 *   --note TEXT       kept beside the numbers: what else the machine did, for example
 *   --list            list the rows
 */

import { mkdirSync } from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { findContenders, usualContenders } from './contenders/find-contenders.ts';
import { corpusBytes, openCorpus } from './corpus/corpus.ts';
import { type Lab, openLab } from './lab.ts';
import { describeMachine } from './machine.ts';
import { openMeter } from './measure-command.ts';
import { writePage } from './page-file.ts';
import { mergeRows, type RowReport } from './report.ts';
import { readReport, reportPath, writeReport } from './report-files.ts';
import { fullSites, rows } from './rows.ts';
import { runRow } from './run-rows.ts';
import { resultsTable } from './table.ts';
import { isOnOneDisk, openWorkFolder } from './work-folder.ts';

const { values } = parseArgs({
  options: {
    scale: { type: 'string', default: '1' },
    runs: { type: 'string', default: '3' },
    only: { type: 'string', multiple: true, default: [] },
    contenders: { type: 'string', default: usualContenders.join(',') },
    work: { type: 'string' },
    corpora: { type: 'string' },
    seed: { type: 'string', default: '7' },
    name: { type: 'string' },
    note: { type: 'string', default: '' },
    list: { type: 'boolean', default: false },
  },
});

if (values.list) for (const { id, title } of rows) say(`${id.padEnd(18)}${title}`);
else await bench();

async function bench(): Promise<void> {
  const scale = numberAbove0('scale', values.scale);
  const runs = numberAbove0('runs', values.runs);
  const seed = Number(values.seed);
  if (!Number.isSafeInteger(seed)) throw new TypeError(`expected a whole number as --seed, got ${values.seed}`);
  const chosen = chooseRows(values.only);
  const { found, missing } = findContenders(values.contenders.split(','));
  const name = values.name ?? (scale >= 1 && runs >= 3 ? 'bench' : 'quick');

  const pieces = [...new Set(chosen.flatMap((row) => row.needs))];
  // Sources, one part restored, and for each contender a repository of everything or of what is restored.
  const shares = found.map(({ isPlain }) => (isPlain === true ? 0.45 : 0.9));
  const neededBytes = corpusBytes(pieces, scale) * shares.reduce((sum, share) => sum + share, 1.35);
  const { corpora: given, work: wanted } = values;
  const work = openWorkFolder({ work: wanted, corpora: given, neededBytes, processId: process.pid });
  try {
    const corpus = openCorpus(work.corpora, pieces, { seed, scale, report: say });
    const lab = openLabIn(work.run, work.corpora);
    say(`work folder ${work.folder} (${describeMachine(work.folder).fileSystem}), corpora ${work.corpora}`);
    if (pieces.length > 0 && !isOnOneDisk(work.corpora, work.run))
      say('corpora and repositories are on different disks');
    say(`contenders: ${found.map((one) => `${one.name} ${one.version}`).join(', ')}`);
    for (const one of missing) say(`${one} is not installed (or, mbk, not built) and is left out`);

    const theBench = { lab, corpus, fullSite: fullSites(lab, corpus) };
    const measured: RowReport[] = [];
    for (const row of chosen) {
      const options = {
        contenders: found,
        runs,
        seed,
        scale,
        note: values.note,
        report: say,
        machine: () => describeMachine(work.folder),
        now: () => new Date(),
      };
      measured.push(await runRow(theBench, row, options));
      // Kept row by row: an interrupted benchmark has measured what it has measured.
      writeReport(name, { rows: mergeRows(readReport(name).rows, measured) });
    }
    process.stdout.write(`\n${resultsTable(measured)}\n\n`);
    say(`written to ${reportPath(name)}`);
    if (name === 'bench') writePage();
  } finally {
    work.remove();
  }
}

function openLabIn(run: string, corpora: string): Lab {
  mkdirSync(run, { recursive: true });
  const meter = openMeter(run);
  if (!meter.hasGnuTime) say('GNU time is not installed: processor time and memory are not measured');
  return openLab(run, { meter, folderNames: [[corpora, '$CORPORA']] });
}

function chooseRows(only: readonly string[]): typeof rows {
  const unknown = only.filter((id) => rows.every((row) => row.id !== id));
  if (unknown.length > 0)
    throw new RangeError(`expected rows among ${rows.map(({ id }) => id).join(', ')}, got ${unknown.join(', ')}`);
  return rows.filter(({ id }) => only.length === 0 || only.includes(id));
}

function numberAbove0(name: string, text: string): number {
  const number = Number(text);
  if (!(number > 0)) throw new RangeError(`expected a number above 0 as --${name}, got ${text}`);
  return number;
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
