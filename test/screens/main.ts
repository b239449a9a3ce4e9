/**
 * Records what mbk looks like on a terminal into docs/screens: `pnpm screens`, after a build. Needs tmux;
 * without it nothing is recorded, and that is said.
 */

import { randomFillSync } from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { changeLab, makeLab } from '../demo/make-lab.ts';
import { screenSvg } from './screen-svg.ts';
import type { Theme } from './screen-svg.ts';
import { hasTmux, openTerminal } from './terminal.ts';
import type { Terminal } from './terminal.ts';

const root = join(import.meta.dirname, '..', '..');
const pictures = join(root, 'docs', 'screens');
const themes: readonly Theme[] = ['light', 'dark'];
/** What a file must hold so that its snapshot shows progress. */
const largeBytes = 1_200_000_000;

if (hasTmux()) for (const columns of [80, 140]) await record(columns);
else process.stdout.write('skipped: tmux is not installed, so no screen was recorded\n');

async function record(columns: number): Promise<void> {
  // A short name: it is in the pictures.
  const folder = mkdtempSync(join(tmpdir(), 'mbk-'));
  const lab = join(folder, 'lab');
  makeLab(lab);
  const terminal = openTerminal(`mbk-screens-${columns}`, { columns, rows: 48, cwd: lab, env: environment(folder) });
  try {
    await recordAll(terminal, { columns, folder, lab });
  } finally {
    terminal.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function environment(folder: string): NodeJS.ProcessEnv {
  return {
    PATH: `${join(root, 'node_modules', '.bin')}:${process.env['PATH'] ?? ''}`,
    HOME: join(folder, 'home'),
    LANG: 'C.UTF-8',
    TZ: 'UTC',
    TMUX_TMPDIR: folder,
    MBK_HOST: 'trainer-1',
  };
}

async function recordAll(
  terminal: Terminal,
  { columns, folder, lab }: { readonly columns: number; readonly folder: string; readonly lab: string },
): Promise<void> {
  const save = (name: string, screen: string): void => {
    mkdirSync(pictures, { recursive: true });
    for (const theme of themes) {
      const file = join(pictures, `${name}-${columns}-${theme}.svg`);
      writeFileSync(file, screenSvg(screen, { columns, theme, title: `mbk ${name}, ${columns} columns, ${theme}` }));
    }
    process.stdout.write(`${name} at ${columns} columns\n`);
  };
  /** Runs a command on an empty screen, to its end. */
  const look = async (command: string): Promise<string> => {
    terminal.key('C-l');
    await pause(300);
    terminal.type(command);
    return withoutPrompt(await terminal.shows(/\n\$ *\s*$/));
  };

  // The conversation, with a passphrase of its own, typed twice.
  terminal.type("PS1='$ '; clear");
  await terminal.shows(/^\$\s/);
  terminal.type('mbk init');
  await terminal.shows(/Which domains/);
  terminal.key('Enter');
  await terminal.shows(/which folder/);
  terminal.key('Enter');
  await terminal.shows(/What shall open it/);
  terminal.key('Enter');
  await terminal.shows(/Passphrase/);
  terminal.type('seven violet engines argue quietly');
  await terminal.shows(/The same again/);
  terminal.type('seven violet engines argue quietly');
  await terminal.shows(/Where shall it/);
  terminal.key('Enter');
  await terminal.shows(/Make the repository/);
  terminal.key('Enter');
  save('init', withoutPrompt(await terminal.shows(/Next: .*\n\$ *\s*$/)));

  terminal.type("export MBK_PASSPHRASE='seven violet engines argue quietly'");
  await pause(2100); // files that were written this very moment would be read again
  await look('mbk snapshot -q -m "day one"');
  changeLab(lab);
  // Of no kind that a plugin knows: it is random, and its size is what counts.
  const large = join(lab, 'data/training/healthcare/recordings.dat');
  writeLarge(large);
  await pause(2100);
  terminal.key('C-l');
  terminal.type('mbk snapshot -m "day two" --jobs 1');
  save('snapshot-progress', await terminal.shows(/ left .*\n.* new, /));
  save('snapshot', withoutPrompt(await terminal.shows(/written in .*\n\$ *\s*$/)));
  terminal.key('C-l');
  terminal.type(`mbk checkout healthcare --to ${join(folder, 'restored')} --jobs 1`);
  save('checkout-progress', await terminal.shows(/ left .* of .* files/));
  save('checkout', withoutPrompt(await terminal.shows(/written in .*\n\$ *\s*$/)));
  save('log', await look('mbk log'));
  save('diff', await look('mbk diff healthcare~1 healthcare'));
  save('status', await look('mbk status'));
  damage(join(lab, 'backups', 'packs'));
  terminal.key('C-l');
  terminal.type('mbk verify --data');
  save('verify-damage', withoutPrompt(await terminal.shows(/Next, [^]*\n\$ *\s*$/)));
  save('error', await look('mbk checkout helthcare/2025-01-31'));
}

function withoutPrompt(screen: string): string {
  // oxlint-disable-next-line no-control-regex -- colours begin with one
  return screen.replace(/\n(?:\u001b\[[\d;]*m)*\$(?:\u001b\[[\d;]*m)*\s*$/, '\n');
}

function writeLarge(file: string): void {
  const fd = openSync(file, 'w');
  const part = new Uint8Array(20_000_000);
  for (let at = 0; at < largeBytes; at += part.length) writeSync(fd, randomFillSync(part));
  closeSync(fd);
}

/** Changes a byte in the middle of the smallest pack that holds content of some size. */
function damage(packs: string): void {
  const files = readdirSync(packs, { recursive: true, encoding: 'utf8' })
    .map((name) => join(packs, name))
    .filter((file) => statSync(file).isFile() && statSync(file).size > 1_000_000)
    .sort((a, b) => statSync(a).size - statSync(b).size);
  const file = files[0] ?? '';
  const fd = openSync(file, 'r+');
  writeSync(fd, Uint8Array.of(0xff, 0xfe, 0xfd), 0, 3, Math.floor(statSync(file).size / 2));
  closeSync(fd);
}
