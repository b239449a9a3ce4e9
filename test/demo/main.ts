/**
 * `npm run demo`: a small lab is made, backed up, changed, backed up again, looked at, restored and verified, with the
 * real command. Everything happens in a temporary folder, which stays so that it can be looked at; nothing of the user's
 * own is touched.
 */

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { changeLab, makeLab } from './make-lab.ts';

const mbk = join(import.meta.dirname, '..', '..', 'node_modules', '.bin', 'mbk');
const folder = mkdtempSync(join(tmpdir(), 'mbk-demo-'));
const lab = join(folder, 'lab');
const home = join(folder, 'home');
const passphraseFile = join(folder, 'passphrase');
/** Where `mbk init` makes the repository when nobody says it. */
const repository = join(lab, 'backups');
/** A plain copy of the lab as it was on the first day. */
const before = join(folder, 'before');
const restored = join(folder, 'restored');

const env: NodeJS.ProcessEnv = {
  PATH: process.env['PATH'],
  TERM: process.env['TERM'],
  ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : { NO_COLOR: '1' }),
  HOME: home,
  MBK_PASSPHRASE_FILE: passphraseFile,
};

try {
  mkdirSync(home);
  writeFileSync(passphraseFile, 'correct horse battery staple\n', { mode: 0o600 });
  await demo();
} catch (error) {
  process.stderr.write(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function demo(): Promise<void> {
  say('A small lab: two domains with a model in GGUF and in safetensors, a checkpoint, training data, configurations.');
  makeLab(lab);
  run('the files of the lab', () => listFiles(lab));
  // Files that were written this very moment would be read again by the next snapshot: they could still change unseen.
  await pause(2100);

  say('A repository beside it. The recovery key opens it if the passphrase is lost.');
  mbkRun('init', '--recovery-key-file', join(folder, 'recovery-key'));
  say('The first snapshot: one commit for each domain.');
  mbkRun('snapshot', '-m', 'day one');
  cpSync(lab, before, { recursive: true, preserveTimestamps: true, filter: (path) => path !== repository });

  say('A day of work: a new checkpoint, twenty more records, a lower learning rate.');
  changeLab(lab);
  mbkRun('status');
  say('Only what changed is read, and of that only what is new is stored.');
  mbkRun('snapshot', '-m', 'day two', '--skip-if-unchanged');
  mbkRun('log');
  mbkRun('diff', 'healthcare~1', 'healthcare');

  say('A look at one file as it was, then all of day one, restored into a new folder.');
  mbkRun('cat', 'healthcare~1:configs/healthcare.yaml');
  mbkRun('checkout', 'healthcare~1', '--to', restored);
  compare();

  say('Every byte that is stored, read and checked.');
  mbkRun('verify', '--data');
  say('What it takes.');
  report();
}

function report(): void {
  const live = sizeOf(lab, repository);
  process.stdout.write(`the lab now                ${shownSize(live)}\n`);
  process.stdout.write(`both days, copied in full  ${shownSize(sizeOf(before) + live)}\n`);
  process.stdout.write(`the repository             ${shownSize(sizeOf(repository))}\n\n`);
  process.stdout.write(`It is all in ${folder}: look around, then remove it.\n`);
  process.stdout.write(`  cd ${lab}; export MBK_PASSPHRASE_FILE=${passphraseFile}; ${mbk} log\n`);
}

/** Runs the real command and shows how it was called; what it must not do is fail. */
function mbkRun(...args: readonly string[]): void {
  const shown = args.map((arg) => (/[^\w./~@:-]/.test(arg) ? `"${arg}"` : arg)).join(' ');
  run(`mbk ${shown.replaceAll(`${folder}/`, '../')}`, () => {
    const { status, error } = spawnSync(mbk, args, { cwd: lab, env, stdio: ['ignore', 'inherit', 'inherit'] });
    if (status !== 0) throw new Error(`mbk ${shown} ended with ${status ?? error?.message ?? 'a signal'}`);
  });
}

/** What was restored, held against the plain copy of the domain's files: bytes, modes and times. */
function compare(): void {
  const paths = filesIn(before).filter((path) => path.includes('healthcare'));
  run(`the ${paths.length} files of healthcare against a plain copy of day one: bytes, mode, time`, () => {
    const found = filesIn(restored);
    if (found.join('\n') !== paths.join('\n'))
      throw new Error(`restored are ${found.join(', ')} and not ${paths.join(', ')}`);
    for (const path of paths) {
      const [is, should] = [join(restored, path), join(before, path)];
      const [isStats, shouldStats] = [statSync(is), statSync(should)];
      if (!readFileSync(is).equals(readFileSync(should))) throw new Error(`${path} differs`);
      if (isStats.mode !== shouldStats.mode) throw new Error(`${path} has another mode`);
      // The plain copy itself is that exact.
      if (Math.abs(isStats.mtimeMs - shouldStats.mtimeMs) > 1) throw new Error(`${path} has another time`);
    }
    process.stdout.write('no difference\n');
  });
}

function listFiles(folder: string): void {
  for (const path of filesIn(folder))
    process.stdout.write(`${shownSize(statSync(join(folder, path)).size)}  ${path}\n`);
}

function filesIn(folder: string): string[] {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return paths.filter((path) => statSync(join(folder, path)).isFile()).toSorted();
}

function run(title: string, work: () => void): void {
  process.stdout.write(`\n$ ${title}\n`);
  work();
}

function say(text: string): void {
  process.stdout.write(`\n── ${text}\n`);
}

function sizeOf(path: string, except?: string): number {
  if (path === except) return 0;
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.size;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name), except), 0);
}

function shownSize(bytes: number): string {
  const text = bytes < 104_858 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1_048_576).toFixed(1)} MiB`;
  return text.padStart(10);
}
