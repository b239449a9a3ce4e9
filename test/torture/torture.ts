/** The rows, one after the other, and the table. */
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WriteStream } from 'node:tty';
import { seededRandom } from '../protocol/random.ts';
import { crashPoints } from './crash-points.ts';
import { crowd } from './crowd.ts';
import { failingWrites } from './failing-writes.ts';
import { powerCuts } from './power-cuts.ts';
import { protocol } from './protocol.ts';
import { randomKills } from './random-kills.ts';
import { rolledBack } from './rolled-back.ts';
import type { RowOptions } from './row.ts';
import { faultCount, faults, newTally, storyOf, type Tally } from './tally.ts';

export interface Row {
  readonly summary: string;
  readonly run: (options: RowOptions) => Promise<void>;
}

export const rows = {
  'crash-points': { summary: 'killed at every call of the filesystem', run: crashPoints },
  'random-kills': { summary: 'the real command, killed at any moment', run: randomKills },
  'power-cuts': { summary: 'what was not brought to the disk is gone', run: powerCuts },
  'failing-writes': { summary: 'ENOSPC, EIO, EROFS, EACCES at every writing call', run: failingWrites },
  'crowd': { summary: 'eight processes at once', run: crowd },
  'rolled-back': { summary: 'a storage that shows another history', run: rolledBack },
  'protocol': { summary: 'random schedules of the model', run: protocol },
} as const satisfies Record<string, Row>;

export type RowName = keyof typeof rows;

export interface TortureOptions {
  readonly seed: number;
  /** Share of the points that are tried, up to 1. */
  readonly share: number;
  /** Names of rows; all of them when there are none. */
  readonly only: readonly string[];
  readonly out: NodeJS.WritableStream & Partial<Pick<WriteStream, 'isTTY'>>;
}

/** Runs the rows and prints the table; how many faults were found. */
export async function runTorture({ seed, share, only, out }: TortureOptions): Promise<number> {
  const names = Object.keys(rows) as RowName[];
  const unknown = only.filter((name) => !names.includes(name as RowName));
  if (unknown.length > 0) throw new RangeError(`expected names of ${names.join(', ')}, got ${unknown.join(', ')}`);
  const total = { points: 0, lost: 0, wrong: 0, amiss: 0, hung: 0 };
  out.write(`${line(['row', 'points', 'lost', 'wrongly restored', 'amiss', 'hung', 'seconds'])}\n`);
  for (const name of names.filter((one) => only.length === 0 || only.includes(one))) {
    const startedAt = Date.now();
    const tally = await runRow(name, { seed, share, progress: progressOn(out, name) });
    if (out.isTTY === true) out.write('\r\u001b[K');
    const { points, counts } = tally;
    out.write(`${line([name, points, counts.lost, counts.wrong, counts.amiss, counts.hung, Math.round((Date.now() - startedAt) / 1000)])}\n`);
    for (const text of [...tally.notes, ...tally.stories]) out.write(`    ${text}\n`);
    total.points += points;
    for (const fault of faults) total[fault] += counts[fault];
  }
  const { points, lost, wrong, amiss, hung } = total;
  out.write(`${points} points tried, lost ${lost}, wrongly restored ${wrong}, amiss ${amiss}, hung ${hung} (60 s); seed ${seed}\n`);
  return lost + wrong + amiss + hung;
}

/** Runs one row in a folder of its own. */
export async function runRow(name: RowName, options: Pick<RowOptions, 'seed' | 'share' | 'progress'>): Promise<Tally> {
  const tally = newTally();
  const folder = fs.mkdtempSync(join(tmpdir(), `mbk-torture-${name}-`));
  try {
    const random = seededRandom(options.seed);
    await rows[name].run({ ...options, tally, folder: fs.realpathSync(folder), random });
    if (tally.points === 0) tally.fault('amiss', 'no point was tried');
  } catch (error) {
    tally.fault('amiss', `the row itself failed: ${storyOf(error)}\n${error instanceof Error ? error.stack : ''}`);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
  return tally;
}

const widths = [16, 8, 6, 18, 7, 6, 9];

function line(cells: readonly (string | number)[]): string {
  return cells.map((cell, index) => (index === 0 ? String(cell).padEnd(widths[0] ?? 0) : String(cell).padStart(widths[index] ?? 0))).join('');
}

function progressOn(out: TortureOptions['out'], name: string): (text: string) => void {
  if (out.isTTY !== true) return () => undefined;
  return (text) => out.write(`\r\u001b[K${name}: ${text}`);
}
