/** The ways in which mbk is started, each as a real process. */

import { spawn } from 'node:child_process';
import { join } from 'node:path';

export interface Ended {
  /** null when a signal ended the process. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const root = join(import.meta.dirname, '..');
const cli = join(root, 'packages', 'cli');

/** Program and first arguments of each way of running. */
export const waysToRun = {
  source: [process.execPath, '--conditions=@mbk/source', join(cli, 'src', 'main.ts')],
  dist: [process.execPath, join(cli, 'dist', 'main.js')],
  bundle: [process.execPath, join(cli, 'dist-bundle', 'main.js')],
  command: [join(root, 'node_modules', '.bin', 'mbk')],
} as const satisfies Record<string, readonly [string, ...string[]]>;

export type WayToRun = keyof typeof waysToRun;

export interface Running {
  readonly pid: number;
  kill(signal: NodeJS.Signals): void;
  /** Settles when the program has printed something, or ended. */
  readonly speaks: Promise<void>;
  readonly ended: Promise<Ended>;
}

/**
 * Runs mbk to its end; the environment is the test's own without what steers mbk, Node or colours, plus `env`. It works
 * in `cwd`, the test's own folder unless given.
 */
export async function runMbk(
  way: WayToRun,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  options: { readonly cwd?: string } = {},
): Promise<Ended> {
  return startMbk(way, args, env, options).ended;
}

/** Starts mbk as `runMbk` does, for tests that do something to it while it runs. */
export function startMbk(
  way: WayToRun,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  { cwd, uid }: { readonly cwd?: string; /** User to run as; only root can. */ readonly uid?: number } = {},
): Running {
  const [program, ...first] = waysToRun[way];
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(MBK_|NODE_|VITEST|FORCE_COLOR|NO_COLOR)/.test(name),
  );
  const child = spawn(program, [...first, ...args], {
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd,
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  const { promise: speaks, resolve: onSpeaking } = Promise.withResolvers<void>();
  const ended = Promise.all([
    textOf(child.stdout, onSpeaking),
    textOf(child.stderr),
    new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve)),
  ]).then(([stdout, stderr, code]) => ({ code, stdout, stderr }));
  // Without a number it could not be started; `ended` says why.
  return { pid: child.pid ?? 0, kill: (signal) => void child.kill(signal), speaks, ended };
}

async function textOf(stream: AsyncIterable<Buffer>, onPart?: () => void): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of stream) {
    parts.push(part);
    onPart?.();
  }
  onPart?.();
  return Buffer.concat(parts).toString();
}
