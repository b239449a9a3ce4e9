/** Where the hooks of the Git repository around a folder lie. */

import { MbkError } from '@mbk/core';
import { realpathSync } from 'node:fs';
import { isAbsolute, relative, sep } from 'node:path';
import { askGit, tryGit, type GitOptions } from './git.ts';

export interface HooksFolder {
  /** Top of the working folder: Git runs the hooks there. */
  readonly top: string;
  /** Absolute path; it need not be there. Worktrees share it, and `core.hooksPath` moves it. */
  readonly folder: string;
}

/**
 * Asks Git. Errors: `git-failed` outside of a working folder; `git-hook-blocked` where the hooks folder is that of all
 * repositories of the user or the system.
 */
export async function findHooksFolder(options: GitOptions): Promise<HooksFolder> {
  const top = await askGit(['rev-parse', '--show-toplevel'], options);
  const atTop = { ...options, cwd: top };
  const setting = await tryGit(['config', '--show-scope', '--get', 'core.hooksPath'], atTop);
  const [scope, path] = setting?.split('\t') ?? [];
  if (scope === 'global' || scope === 'system') {
    throw new MbkError('git-hook-blocked', `core.hooksPath of the ${scope} configuration is ${path ?? ''}`, {
      details: { scope, path },
      remedy: 'A hook there would run for every repository: give this one a core.hooksPath of its own first.',
    });
  }
  return { top, folder: await askGit(['rev-parse', '--path-format=absolute', '--git-path', 'hooks'], atTop) };
}

/** The project folder as a hook names it: relative to the top, for other worktrees have it too; absolute outside of it. */
export function projectBelow(top: string, project: string): string {
  const path = relative(realpathSync(top), realpathSync(project));
  if (path === '..' || path.startsWith(`..${sep}`) || isAbsolute(path)) return realpathSync(project);
  return path === '' ? '.' : `./${path}`;
}
