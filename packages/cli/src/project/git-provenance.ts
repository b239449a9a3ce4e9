/** Which Git commit a source folder stands at, as its own Git tells it. */

import type { GitProvenance } from '@mbk/core';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { childEnvironment } from '../environment.ts';

export interface ProvenanceOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

/** Longest that Git may take: a snapshot does not hang on a folder that it cannot read. */
const timeoutMs = 30_000;

/** Commit, branch and whether tracked files differ; null where there is no Git or no working folder of it. */
export async function readGitProvenance(folder: string, { env, signal }: ProvenanceOptions): Promise<GitProvenance | null> {
  if (!isInWorkTree(folder)) return null;
  const { execa } = await import('execa');
  const git = async (...args: readonly string[]): Promise<string | undefined> => {
    const result = await execa('git', ['--no-optional-locks', '-C', folder, ...args], {
      env: childEnvironment(env),
      extendEnv: false,
      cancelSignal: signal,
      timeout: timeoutMs,
      reject: false,
      stdin: 'ignore',
    });
    signal.throwIfAborted();
    return result.failed ? undefined : result.stdout;
  };
  if ((await git('rev-parse', '--is-inside-work-tree')) !== 'true') return null;
  const commit = await git('rev-parse', '--verify', '--quiet', 'HEAD');
  const branch = await git('symbolic-ref', '--quiet', '--short', 'HEAD');
  const status = await git('status', '--porcelain', '--untracked-files=no');
  return { commit: commit ?? null, branch: branch ?? null, dirty: status !== '' };
}

/** Git is only started where there is something for it to say. */
function isInWorkTree(folder: string): boolean {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, '.git'))) return true;
    if (dirname(at) === at) return false;
  }
}
