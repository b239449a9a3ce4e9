/** The real command, killed at any moment, round after round on one repository whose source goes on changing. */
import { join } from 'node:path';
import { commandLab, failureOf, type CommandLab } from './command-lab.ts';
import { describeFolder, newFolder } from './describe-folder.ts';
import { examine, type Ledger } from './examine.ts';
import { shareOf, type RowOptions } from './row.ts';
import { changeSource, domains } from './source.ts';

const rounds = 200;
/** Rounds between two that read every byte. */
const dataEvery = 20;
const host = 'worker';

/** Repositories that are tortured at a time, each by one process. */
const lanes = 2;

export async function randomKills(options: RowOptions): Promise<void> {
  const count = shareOf(rounds, options);
  const labs = await Promise.all(
    Array.from({ length: Math.min(lanes, count) }, async (_, lane) => {
      const folder = newFolder(options.folder, `lane-${lane}`);
      const lab = await commandLab(folder);
      return { lab, folder, project: lab.makeProject('project', options.random), ledger: new Map() as Ledger };
    }),
  );
  const [first] = labs;
  if (first === undefined) return;
  const window = await measure(first, options);
  let killed = 0;
  let next = 1;
  await Promise.all(
    labs.map(async (one) => {
      while (next <= count) {
        const round = next;
        next += 1;
        options.progress(`round ${round} of ${count}`);
        if (await killOnce(one, { round, window }, options)) killed += 1;
      }
      await finish(one, options);
    }),
  );
  const restored = labs.reduce((sum, { ledger }) => sum + ledger.size, 0);
  options.tally.note(
    `killed ${killed} of ${count}, from ${window.from} to ${Math.round(window.to)} ms; ${restored} snapshots restored`,
  );
}

interface Lane {
  readonly lab: CommandLab;
  readonly folder: string;
  readonly project: string;
  readonly ledger: Ledger;
}

/** When kills come, in milliseconds. It follows the machine, so that every few processes one comes to its end. */
interface Window {
  readonly from: number;
  to: number;
}

/** One round; whether the process was killed before its end. */
async function killOnce(
  { lab, folder, project, ledger }: Lane,
  { round, window }: { readonly round: number; readonly window: Window },
  { random, tally }: RowOptions,
): Promise<boolean> {
  const changed = domains.filter(() => random.chance(0.6));
  changeSource(project, random, changed.length === 0 ? [domains[0]] : changed);
  const current = describeFolder(project);
  const killAfterMs = Math.round(window.from + random.fraction() * (window.to - window.from));
  const ended = await lab.mbk(['snapshot', '--json', '--skip-if-unchanged', '--jobs', '2'], {
    project,
    host,
    killAfterMs,
  });
  const wasKilled = ended.signal !== null;
  window.to = Math.max(window.from + 100, window.to * (wasKilled ? 1.03 : 0.9));
  tally.point();
  const where = `round ${round}, killed after ${killAfterMs} ms`;
  if (ended.isHung) tally.fault('hung', where);
  else if (!wasKilled && ended.code !== 0) tally.fault('amiss', `${where}: ${failureOf(ended)}`);
  const scratch = join(folder, 'scratch');
  await examine(lab.watcher, { tally, where, ledger, current, scratch, data: round % dataEvery === 0, all: false });
  return wasKilled;
}

async function finish({ lab, folder, project, ledger }: Lane, { tally }: RowOptions): Promise<void> {
  const last = await lab.mbk(['snapshot', '--json'], { project, host });
  if (last.code !== 0) tally.fault('amiss', `the snapshot at the end: ${failureOf(last)}`);
  await examine(lab.watcher, {
    tally,
    where: 'at the end',
    ledger,
    current: describeFolder(project),
    scratch: join(folder, 'scratch'),
  });
}

/** When a kill meets the command at its work: from the time that it takes to start to a little after its end. */
async function measure({ lab, folder, project, ledger }: Lane, { tally }: RowOptions): Promise<Window> {
  const timed = async (args: readonly string[]): Promise<number> => {
    const startedAt = Date.now();
    const ended = await lab.mbk(args, { project, host });
    if (ended.code !== 0) tally.fault('amiss', `mbk ${args.join(' ')}: ${failureOf(ended)}`);
    return Date.now() - startedAt;
  };
  await timed(['snapshot', '--dry-run']); // the first one compiles
  const idle = await timed(['snapshot', '--dry-run']);
  const atWork = await timed(['snapshot', '--jobs', '2']);
  const where = 'not killed';
  await examine(lab.watcher, {
    tally,
    where,
    ledger,
    current: describeFolder(project),
    scratch: join(folder, 'scratch'),
  });
  return { from: Math.round(idle / 2), to: Math.round(atWork * 1.2) };
}
