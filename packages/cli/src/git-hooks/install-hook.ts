/** Puts scripts into a hooks folder and takes them away again; what was there before is never lost, and restored as it was. */

import { MbkError } from '@mbk/core';
import { randomBytes } from 'node:crypto';
import { linkSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { earlierSuffix, gitHookNames, readHookScript, renderHookScript } from './hook-script.ts';
import type { GitHookName, HookScriptOptions } from './hook-script.ts';

export interface InstalledHook {
  readonly name: GitHookName;
  /** Absolute path of the script. */
  readonly path: string;
  /**
   * `installed`; `changed` by somebody since; `other` for a hook that is not of mbk; `none`. Under `other` with an earlier
   * one, somebody put a hook over that of mbk.
   */
  readonly state: 'installed' | 'changed' | 'other' | 'none';
  /** Whether a hook that was there before is started first. */
  readonly hasEarlier: boolean;
  readonly options: HookScriptOptions | undefined;
}

/** The hooks that mbk knows, in the folder. */
export function listHooks(folder: string): readonly InstalledHook[] {
  return gitHookNames.map((name) => look(folder, name));
}

/**
 * Installs a hook, in place of an older one of mbk; one of somebody else is kept beside it and started first. At every
 * moment one of both is there. Errors: `git-hook-blocked`.
 */
export function installHook(folder: string, options: HookScriptOptions): InstalledHook {
  const { name } = options;
  const { hasEarlier, path, state } = look(folder, name);
  if (state === 'changed') throw changed(path);
  if (state === 'other' && hasEarlier) {
    throw new MbkError('git-hook-blocked', `${path} is not of mbk, and ${path}${earlierSuffix} is in the way`, {
      details: { path },
      remedy: `Look at both, and move one of them away.`,
    });
  }
  const next = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(next, renderHookScript(options), { mode: 0o755, flag: 'wx' });
    if (state === 'other') keep(path);
    renameSync(next, path);
  } catch (cause) {
    rmSync(next, { force: true });
    throw blocked(path, 'cannot be written', cause);
  }
  return look(folder, name);
}

/** Takes a hook of mbk away and puts back what was there before it; whether there was one. Errors: `git-hook-blocked`. */
export function uninstallHook(folder: string, name: GitHookName): boolean {
  const { hasEarlier, path, state } = look(folder, name);
  if (state === 'changed') throw changed(path);
  if (state === 'other' && hasEarlier) {
    throw blocked(path, `is not of mbk, which keeps an earlier hook in ${path}${earlierSuffix}`);
  }
  if (state !== 'installed') return false;
  try {
    if (hasEarlier) renameSync(`${path}${earlierSuffix}`, path);
    else rmSync(path);
  } catch (cause) {
    throw blocked(path, 'cannot be taken away', cause);
  }
  return true;
}

function look(folder: string, name: GitHookName): InstalledHook {
  const path = join(folder, name);
  const hasEarlier = isThere(`${path}${earlierSuffix}`);
  if (!isThere(path)) return { name, path, state: 'none', hasEarlier, options: undefined };
  const script = lstatSync(path).isFile() ? readHookScript(readText(path)) : undefined;
  if (script === undefined) return { name, path, state: 'other', hasEarlier, options: undefined };
  if (script === 'changed') return { name, path, state: 'changed', hasEarlier, options: undefined };
  return { name, path, state: 'installed', hasEarlier, options: script };
}

/** A second name for what is there, so that the first one can be given to another file; links stay links. */
function keep(path: string): void {
  try {
    linkSync(path, `${path}${earlierSuffix}`);
  } catch (error) {
    // A file system without hard links: for a moment there is no hook.
    if (!hasCode(error, 'EPERM', 'ENOTSUP', 'EMLINK')) throw error;
    renameSync(path, `${path}${earlierSuffix}`);
  }
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw blocked(path, 'cannot be read', cause);
  }
}

function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

function changed(path: string): MbkError {
  return blocked(path, 'was changed since mbk wrote it');
}

function blocked(path: string, problem: string, cause?: unknown): MbkError {
  return new MbkError('git-hook-blocked', `${path} ${problem}`, {
    details: { path },
    ...(cause === undefined ? {} : { cause }),
  });
}
