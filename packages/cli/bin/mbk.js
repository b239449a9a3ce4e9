#!/usr/bin/env node
// The launcher: plain JavaScript that any Node from 18 on can read. It starts mbk in this process when this Node is
// new enough; otherwise with the Node that the workspace installed; otherwise it says what is missing.
import { spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';

const script = fileURLToPath(import.meta.url);
/** V8's flag for the room of young objects, in MiB. */
const semiSpace = '--max-semi-space-size';

if (isSupported(process.versions.node)) {
  // Commands that go through many files.
  if (['snapshot', 'checkout', 'verify', 'hook'].includes(process.argv[2])) runFrugally();
  await start();
} else {
  const node = findWorkspaceNode();
  if (node === undefined) {
    process.stderr.write(
      `mbk: this is Node ${process.versions.node}; mbk needs Node 24.15 or a later 24, or Node 26 or later.\n`,
    );
    process.exitCode = 1;
  } else {
    runWith(node);
  }
}

/** The range of `engines` in package.json: ^24.15.0 || >=26.0.0. */
function isSupported(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major >= 26 || (major === 24 && minor >= 15);
}

/**
 * Leaves less room for garbage, where the system can. The old generation would grow to three times what is live in it:
 * collecting it more often saves 45 MB of a snapshot of 100,000 files, for a thirtieth of its processor time. What a
 * running process cannot be told any more, it is told by starting anew, which costs 30 ms: V8 would let the young
 * generation grow to 96 MiB, which is 110 MB of a snapshot of 25,000 files, and the C library keeps free memory for each
 * thread apart, 16 MB of 100,000 files. V8 may drop such a flag and then starts no more: they are given to versions that
 * were tried.
 */
function runFrugally() {
  const isSet = `${process.execArgv.join(' ')} ${process.env.NODE_OPTIONS ?? ''}`.includes(semiSpace);
  const isTried = Number.parseInt(process.versions.node, 10) <= 26;
  if (isSet || !isTried || process.execve === undefined) return;
  const flags = [`${semiSpace}=2`, '--heap-growing-percent=80'];
  const args = [process.execPath, ...process.execArgv, ...flags, ...process.argv.slice(1)];
  // The threads of a snapshot allocate little; those that read wait for each other then.
  const arenas = ['snapshot', 'hook'].includes(process.argv[2]) ? '1' : '2';
  try {
    process.execve(process.execPath, args, { MALLOC_ARENA_MAX: arenas, ...process.env });
  } catch {
    // This system cannot; the command works all the same.
  }
}

async function start() {
  // Threads have limits of their own, smaller ones, which the flag would overrule.
  if (process.execArgv.some((one) => one.startsWith(semiSpace))) setFlagsFromString(`${semiSpace}=0`);
  const package_ = dirname(dirname(script));
  // The bundle starts fastest; the emitted files do the same work.
  const built = ['dist-bundle', 'dist'].find((folder) => existsSync(join(package_, folder, 'main.js')));
  if (built === undefined) {
    process.stderr.write('mbk: this copy is not built yet; run `npx -y pnpm@12.21.0 run build` in its folder.\n');
    process.exitCode = 1;
    return;
  }
  await import(`../${built}/main.js`);
}

/** The nearest `node_modules/.bin/node` above this file that is not the Node running now. */
function findWorkspaceNode() {
  const running = realpathSync(process.execPath);
  for (let folder = dirname(script); ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', '.bin', 'node');
    if (existsSync(candidate) && realpathSync(candidate) !== running) return candidate;
    if (dirname(folder) === folder) return undefined;
  }
}

function runWith(node) {
  const child = spawn(node, [script, ...process.argv.slice(2)], { stdio: 'inherit' });
  // A terminal sends SIGINT to both of us: the child decides, this process waits for it.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`mbk: ${node} could not be started: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1);
  });
}
