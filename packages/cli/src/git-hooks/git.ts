/** Asks Git, which is a program of the system; it sees no secret of mbk. */

import { MbkError } from '@mbk/core';
import { childEnvironment } from '../environment.ts';

export interface GitOptions {
  /** Where it works. */
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

/** Longest that Git may take to answer. */
const timeoutMs = 30_000;

/** What `git ARGS` prints, without the newline at its end. Errors: `git-failed`. */
export async function askGit(args: readonly string[], options: GitOptions): Promise<string> {
  const { failed, problem, stdout } = await runGit(args, options);
  if (!failed) return stdout;
  throw new MbkError('git-failed', `\`git ${args.join(' ')}\` failed in ${options.cwd}: ${problem}`, {
    details: { folder: options.cwd },
  });
}

/** The same where a no is an answer: undefined. */
export async function tryGit(args: readonly string[], options: GitOptions): Promise<string | undefined> {
  const { failed, stdout } = await runGit(args, options);
  return failed ? undefined : stdout;
}

async function runGit(
  args: readonly string[],
  { cwd, env, signal }: GitOptions,
): Promise<{ readonly failed: boolean; readonly stdout: string; readonly problem: string }> {
  const { execa } = await import('execa');
  const result = await execa('git', args, {
    cwd,
    env: childEnvironment(env),
    extendEnv: false,
    cancelSignal: signal,
    timeout: timeoutMs,
    reject: false,
    stdin: 'ignore',
  });
  signal.throwIfAborted();
  const problem = result.stderr === '' ? (result.originalMessage ?? '') : result.stderr;
  return { failed: result.failed, stdout: result.stdout, problem };
}
