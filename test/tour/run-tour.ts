/** The tour of the README, taken: each command in a shell, in the folder of a small lab, as its reader would. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { changeLab, makeLab } from '../demo/make-lab.ts';
import type { TourStep } from './tour-page.ts';

export interface TakenStep {
  readonly command: string;
  readonly status: number | null;
  /** Standard output, then standard error, with the folder of the tour as `/`, as the README shows it. */
  readonly printed: string;
}

const bin = join(import.meta.dirname, '..', '..', 'node_modules', '.bin');

export async function runTour(steps: readonly TourStep[]): Promise<TakenStep[]> {
  const place = realpathSync(mkdtempSync(join(tmpdir(), 'mbk-tour-')));
  const lab = join(place, 'lab');
  const home = join(place, 'home');
  const passphrase = join(home, 'passphrase');
  const env = {
    PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}`,
    HOME: home,
    NO_COLOR: '1',
    TZ: 'UTC',
    MBK_PASSPHRASE_FILE: passphrase,
  };
  try {
    makeLab(lab);
    mkdirSync(home);
    writeFileSync(passphrase, 'correct horse battery staple\n', { mode: 0o600 });
    // Files that were written this very moment would be read again by the next snapshot: they could still change unseen.
    await pause(2100);
    return steps.map(({ before, command }) => {
      if (before !== undefined) doBefore(before, lab);
      const { status, stdout, stderr } = spawnSync('sh', ['-c', command], { cwd: lab, env, encoding: 'utf8' });
      return { command, status, printed: `${stdout}${stderr}`.replaceAll(place, '').trimEnd() };
    });
  } finally {
    rmSync(place, { recursive: true });
  }
}

function doBefore(what: string, lab: string): void {
  if (what !== 'a day of work') throw new Error(`the tour knows no step called “${what}”`);
  changeLab(lab);
}
