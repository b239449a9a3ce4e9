/** The rows, two beside each other, and the table. */
import { runScript } from './child.ts';
import { rowNames, type RowName } from './rows.ts';
import { faults, type FaultKind } from './tally.ts';

export interface TortureOptions {
  readonly seed: number;
  /** Share of the points that are tried, up to 1. */
  readonly share: number;
  /** Names of rows; all of them when there are none. */
  readonly only: readonly string[];
  readonly write: (text: string) => void;
}

interface RowReport {
  readonly points: number;
  readonly counts: Readonly<Record<FaultKind, number>>;
  readonly stories: readonly string[];
  readonly notes: readonly string[];
}

/** A process each: some wait for processes of their own. */
const lanes = 2;
/** A row that takes longer hangs. */
const limitMs = 180 * 60_000;

/** Runs the rows and prints the table; how many faults were found. */
export async function runTorture({ seed, share, only, write }: TortureOptions): Promise<number> {
  const unknown = only.filter((name) => !rowNames.some((one) => one === name));
  if (unknown.length > 0)
    throw new RangeError(`expected names among ${rowNames.join(', ')}, got ${unknown.join(', ')}`);
  const queue = rowNames.filter((name) => only.length === 0 || only.includes(name));
  const total = { points: 0, lost: 0, wrong: 0, amiss: 0, hung: 0 };
  const startedAt = Date.now();
  write(line(['row', 'points tried', 'lost', 'wrongly restored', 'amiss', 'hung', 'seconds']));
  const lane = async (): Promise<void> => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      const begunAt = Date.now();
      const { points, counts, stories, notes } = await runRowProcess(name, { seed, share });
      write(line([name, points, counts.lost, counts.wrong, counts.amiss, counts.hung, secondsSince(begunAt)]));
      for (const text of [...notes, ...stories]) write(`    ${text}\n`);
      total.points += points;
      for (const fault of faults) total[fault] += counts[fault];
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  const { points, lost, wrong, amiss, hung } = total;
  write(line(['all', points, lost, wrong, amiss, hung, secondsSince(startedAt)]));
  write(
    `${points} points tried, lost ${lost}, wrongly restored ${wrong}, amiss ${amiss}, hung ${hung} (60 s); seed ${seed}\n`,
  );
  return lost + wrong + amiss + hung;
}

async function runRowProcess(
  name: RowName,
  { seed, share }: { readonly seed: number; readonly share: number },
): Promise<RowReport> {
  const ended = await runScript('row-process.ts', [name, String(seed), String(share)], { env: {}, limitMs });
  const failed = (kind: FaultKind, story: string): RowReport => {
    const counts = { lost: 0, wrong: 0, amiss: 0, hung: 0, [kind]: 1 };
    return { points: 0, counts, stories: [`${kind}: ${story}`], notes: [] };
  };
  if (ended.isHung) return failed('hung', `the row did not end; last it did: ${lastLine(ended.stderr)}`);
  if (ended.code !== 0)
    return failed('amiss', `the row ended with ${ended.code ?? ended.signal}: ${ended.stderr.slice(-1000)}`);
  return JSON.parse(ended.stdout) as RowReport;
}

function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? '';
}

function secondsSince(atMs: number): number {
  return Math.round((Date.now() - atMs) / 1000);
}

const widths = [16, 14, 6, 18, 7, 6, 9];

function line(cells: readonly (string | number)[]): string {
  const [first = '', ...others] = cells.map(String);
  return `${first.padEnd(widths[0] ?? 0)}${others.map((cell, index) => cell.padStart(widths[index + 1] ?? 0)).join('')}\n`;
}
