/** Runs a program to its end and tells what it took. */

import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import type { Run } from './report.ts';

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The whole environment but for PATH. */
  readonly env: Readonly<Record<string, string>>;
}

export interface Meter {
  /** The whole process; rejects when it fails. */
  measure(command: Command): Promise<Run & { readonly output: string }>;
  /** Whether processor time and memory are measured. */
  readonly hasGnuTime: boolean;
}

/** How much of what a program says is kept. */
const keptOutput = 1 << 20;

/** A meter that leaves its files in `folder`. Processor time and memory come from GNU time, where that is installed. */
export function openMeter(folder: string): Meter {
  const gnuTime = findGnuTime();
  const facts = join(folder, 'time-facts');
  return {
    hasGnuTime: gnuTime !== undefined,
    async measure(command) {
      const { args, program } = command;
      const started = process.hrtime.bigint();
      const { code, stderr, stdout } = await (gnuTime === undefined
        ? run(command)
        : run({ ...command, program: gnuTime, args: ['-f', '%U %S %M', '-o', facts, program, ...args] }));
      const seconds = Number(process.hrtime.bigint() - started) / 1e9;
      if (code !== 0)
        throw new Error(`${shellText(command)} ended with ${code}: ${stderr.slice(-2000)}${stdout.slice(-500)}`);
      if (gnuTime === undefined) return { seconds, output: stdout };
      const [user = NaN, system = NaN, kibibytes = NaN] = (readFileSync(facts, 'utf8').trim().split('\n').at(-1) ?? '')
        .split(' ')
        .map(Number);
      return { seconds, cpuSeconds: user + system, peakBytes: kibibytes * 1024, output: stdout };
    },
  };
}

/** As it could be typed. */
export function shellText({ args, program }: Pick<Command, 'args' | 'program'>): string {
  return [program, ...args].map((word) => (/^[\w./:=@%+,-]+$/.test(word) ? word : `'${word}'`)).join(' ');
}

/** The first program of that name on PATH that answers to these arguments; its first line of output. */
export function askProgram(program: string, args: readonly string[]): string | undefined {
  const { error, status, stderr, stdout } = spawnSync(program, args, { encoding: 'utf8' });
  if (error !== undefined || status !== 0) return undefined;
  return (stdout === '' ? stderr : stdout).split('\n', 1)[0];
}

/** `time` is a word of the shell nearly everywhere, and a program of that name need not be GNU's. */
function findGnuTime(): string | undefined {
  return ['time', 'gtime'].find((name) => /GNU/.test(askProgram(name, ['--version']) ?? ''));
}

async function run({ args, cwd, env, program }: Command): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(program, args, {
    cwd,
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const collect = (stream: NodeJS.ReadableStream): (() => string) => {
    let text = '';
    stream.on('data', (chunk: Buffer) => {
      if (text.length < keptOutput) text += chunk.toString();
    });
    return () => text;
  };
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve(status ?? 128));
  });
  return { code, stdout: stdout(), stderr: stderr() };
}
