/** Real processes with a limit on their time. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { freshWay } from '../end-to-end/fresh-way.ts';
import { waysToRun } from '../run-program.ts';

const defaultLimitMs = 60_000;

export interface Ended {
  /** null when a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
  readonly isHung: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ChildOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd?: string | undefined;
  /** Whoever takes longer hangs and is killed; 60 seconds unless given. */
  readonly limitMs?: number | undefined;
  /** Sends SIGKILL after so many milliseconds. */
  readonly killAfterMs?: number | undefined;
}

const fromSource = '--conditions=@mbk/source';

/** Runs a script of this folder from source. */
export function runScript(script: string, args: readonly string[], options: ChildOptions): Promise<Ended> {
  return run([fromSource, join(import.meta.dirname, script), ...args], options);
}

/** Runs the real command as it is installed, or from source when that is newer. */
export function runMbk(args: readonly string[], options: ChildOptions): Promise<Ended> {
  const [, ...first] = waysToRun[freshWay];
  return run([...first, ...args], options);
}

function run(
  args: readonly string[],
  { env, cwd, limitMs = defaultLimitMs, killAfterMs }: ChildOptions,
): Promise<Ended> {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(MBK_|NODE_|VITEST|FORCE_COLOR)/.test(name));
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...Object.fromEntries(inherited), NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  let isHung = false;
  const limit = setTimeout(() => {
    isHung = true;
    child.kill('SIGKILL');
  }, limitMs);
  const kill = killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(limit);
      clearTimeout(kill);
      resolve({ code, signal, isHung, ...output });
    });
  });
}

/** Runs `work` for 0, 1, 2, … in so many lanes at once until one of them gives false; waits for all. */
export async function inLanes(lanes: number, work: (index: number) => Promise<boolean>): Promise<void> {
  let next = 0;
  let goesOn = true;
  const lane = async (): Promise<void> => {
    while (goesOn) {
      const index = next;
      next += 1;
      if (!(await work(index))) goesOn = false;
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
