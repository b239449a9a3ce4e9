/**
 * The command line in this process: many calls in the time that starting one process takes. What depends on the process
 * (signals, closed pipes, the launcher) is tested by `run-program.ts`.
 */

import { run } from '../packages/cli/src/run.ts';
import type { Ended } from './run-program.ts';

export interface RunHereOptions {
  readonly cwd: string;
  /** Beside what the test has, without its MBK_ variables; undefined takes a variable away. */
  readonly env: NodeJS.ProcessEnv;
}

/** Runs mbk to its end. One call at a time: folder, environment and output are those of the process. */
export async function runHere(args: readonly string[], { cwd, env }: RunHereOptions): Promise<Ended> {
  const before = { cwd: process.cwd(), env: { ...process.env }, exitCode: process.exitCode };
  const outputs = { stdout: '', stderr: '' };
  const restore = (['stdout', 'stderr'] as const).map((name) => {
    const { write } = process[name];
    process[name].write = ((part: string | Uint8Array) => {
      outputs[name] += typeof part === 'string' ? part : Buffer.from(part).toString('utf8');
      return true;
    }) as typeof write;
    return () => void (process[name].write = write);
  });
  try {
    process.chdir(cwd);
    for (const name of Object.keys(process.env)) if (name.startsWith('MBK_')) delete process.env[name];
    for (const [name, value] of Object.entries(env)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    process.exitCode = undefined;
    const code = await run(args);
    return { code, ...outputs };
  } finally {
    for (const one of restore) one();
    process.exitCode = before.exitCode;
    for (const name of Object.keys(process.env)) if (!(name in before.env)) delete process.env[name];
    Object.assign(process.env, before.env);
    process.chdir(before.cwd);
  }
}
