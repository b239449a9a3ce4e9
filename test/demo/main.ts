/**
 * `npm run demo`: a small lab is made, backed up, changed, backed up again, looked at, restored and verified, with the
 * real command. Everything happens in a temporary folder, which stays so that it can be looked at; nothing of the user's
 * own is touched.
 */

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { changeLab, makeLab } from './make-lab.ts';

const mbk = join(import.meta.dirname, '..', '..', 'node_modules', '.bin', 'mbk');
const folder = mkdtempSync(join(tmpdir(), 'mbk-demo-'));
const lab = join(folder, 'lab');
const home = join(folder, 'home');
const passphraseFile = join(folder, 'passphrase');

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
  demo();
} catch (error) {
  process.stderr.write(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

function demo(): void {
  say(`A small lab: two domains with a model in GGUF and in safetensors, a checkpoint, training data, configurations.`);
  makeLab(lab);
  run('ls -R1 lab | head -n 30', () => shell('ls -R1 lab | head -n 30', folder));
  say('A repository beside it. The recovery key would open it if the passphrase were lost; the demo throws it away.');
  mbkRun('init', '--recovery-key-file', join(folder, 'recovery-key'));
  say('The first snapshot: one commit for each domain.');
  mbkRun('snapshot', '-m', 'day one');
  const before = join(folder, 'before');
  cpSync(lab, before, { recursive: true, preserveTimestamps: true, filter: (path) => path !== join(lab, 'backups') });

  say('A day of work: a new checkpoint, twenty more records, a lower learning rate. Only what is new is stored.');
  changeLab(lab);
  mbkRun('snapshot', '-m', 'day two', '--skip-if-unchanged');
  mbkRun('log');
  mbkRun('diff', 'healthcare~1', 'healthcare');

  say('The state of day one, restored into a new folder.');
  const restored = join(folder, 'restored');
  mbkRun('checkout', 'healthcare~1', '--to', restored);
  compare(before, restored);

  say('Every byte that is stored, read and checked.');
  mbkRun('verify', '--data');
  say('What it takes.');
  report();
}

function report(): void {
  const live = sizeOf(lab, join(lab, 'backups'));
  const kept = sizeOf(before(), undefined) + live;
  const stored = sizeOf(join(lab, 'backups'), undefined);
  process.stdout.write(`the lab now                ${mebibytes(live)}\n`);
  process.stdout.write(`both days, copied in full  ${mebibytes(kept)}\n`);
  process.stdout.write(`the repository             ${mebibytes(stored)}\n\n`);
  process.stdout.write(`It is all in ${folder}: look around, then remove it.\n`);
}

function before(): string {
  return join(folder, 'before');
}

/** Runs the real command and shows how it was called; what it must not do is fail. */
function mbkRun(...args: readonly string[]): void {
  const shown = args.map((arg) => (/[^\w./~@:-]/.test(arg) ? `"${arg}"` : arg)).join(' ');
  run(`mbk ${shown.replaceAll(`${folder}/`, '../')}`, () => {
    const { status, error } = spawnSync(mbk, args, { cwd: lab, env, stdio: ['ignore', 'inherit', 'inherit'] });
    if (status !== 0) throw new Error(`mbk ${shown} ended with ${status ?? error?.message ?? 'a signal'}`);
  });
}

/** The restored domain, held against the copy by an independent program. */
function compare(original: string, restored: string): void {
  const paths = readdirSync(restored, { recursive: true, encoding: 'utf8' }).filter((path) =>
    statSync(join(restored, path)).isFile(),
  );
  run(`cmp: ${paths.length} restored files against a plain copy of day one`, () => {
    for (const path of paths) {
      if (!readFileSync(join(original, path)).equals(readFileSync(join(restored, path))))
        throw new Error(`${path} differs`);
    }
    process.stdout.write('no difference\n');
  });
}

function shell(command: string, cwd: string): void {
  spawnSync('sh', ['-c', command], { cwd, env, stdio: ['ignore', 'inherit', 'inherit'] });
}

function run(title: string, work: () => void): void {
  process.stdout.write(`\n$ ${title}\n`);
  work();
}

function say(text: string): void {
  process.stdout.write(`\n── ${text}\n`);
}

function sizeOf(path: string, except: string | undefined): number {
  if (path === except) return 0;
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.size;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name), except), 0);
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MiB`.padStart(10);
}
