/**
 * Which Git commit a source folder stands at, as its own Git tells it.
 *
 * The folder may be an unpacked archive, and a `.git/config` can name commands: Git is asked so that none of them runs.
 */

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

/** Programs that Git would start, and places that it would fetch missing objects from: nothing here needs them. */
const settings: readonly (readonly [string, string])[] = [
  ['core.fsmonitor', 'false'],
  ['core.hooksPath', '/dev/null'],
];
const guards = { GIT_ALLOW_PROTOCOL: 'none', GIT_NO_LAZY_FETCH: '1', GIT_TERMINAL_PROMPT: '0' };

/** Commit, branch and whether tracked files differ; null where there is no Git or no working folder of it. */
export async function readGitProvenance(
  folder: string,
  { env, signal }: ProvenanceOptions,
): Promise<GitProvenance | null> {
  if (!isInWorkTree(folder)) return null;
  const { execa } = await import('execa');
  const filters: [string, string][] = [];
  const git = async (...args: readonly string[]): Promise<string | undefined> => {
    const result = await execa('git', ['--no-optional-locks', '-C', folder, ...args], {
      env: { ...childEnvironment(env), ...guards, ...configuration([...settings, ...filters], env) },
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
  filters.push(...ownFilters(await git('config', '--null', '--show-scope', '--get-regexp', '^filter\\.')));
  // A submodule has a configuration of its own: Git would run what that names to look into its files.
  const status = await git('status', '--porcelain', '--untracked-files=no', '--ignore-submodules=dirty');
  return { commit: commit ?? null, branch: branch ?? null, dirty: status !== '' };
}

/** Settings that come before those of all files, behind those of `env`; unlike `-c` they take any name. */
function configuration(rows: readonly (readonly [string, string])[], env: NodeJS.ProcessEnv): Record<string, string> {
  const first = Number(env['GIT_CONFIG_COUNT'] ?? 0);
  const variables = rows.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${first + index}`, key],
    [`GIT_CONFIG_VALUE_${first + index}`, value],
  ]);
  return { GIT_CONFIG_COUNT: String(first + rows.length), ...Object.fromEntries(variables) };
}

/** What switches off the filters that the folder itself names; those of the user and the system are the user's word. */
function ownFilters(listed = ''): [string, string][] {
  // Scope, then key, a newline and the value, each ended by a zero byte.
  const parts = listed.split('\0');
  const off: [string, string][] = [];
  for (let at = 0; at + 1 < parts.length; at += 2) {
    if (parts[at] !== 'local' && parts[at] !== 'worktree') continue;
    const [key = ''] = (parts[at + 1] ?? '').split('\n', 1);
    off.push([key, key.endsWith('.required') ? 'false' : '']);
  }
  return off;
}

/** Git is only started where there is something for it to say. */
function isInWorkTree(folder: string): boolean {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, '.git'))) return true;
    if (dirname(at) === at) return false;
  }
}
