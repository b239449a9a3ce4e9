/**
 * Which hooks a user trusts, a project folder at a time.
 *
 * A project may come from anybody: an archive, a clone, a pull. None of its hooks runs before this user has said so for
 * exactly what would run: the `hooks:` of `mbk.yaml`, and the bytes of every file that they start or hand to a program.
 * Any change takes that back until it is trusted again. What a trusted program reads or starts by itself is its own matter.
 */

import { MbkError } from '@mbk/core';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { HooksConfig } from '../project/config.ts';
import type { Hook } from './find-hooks.ts';

/** What is trusted. */
export interface TrustedHooks {
  /** SHA-256 of the `hooks:` of `mbk.yaml`, in a form that spaces and order do not change; null without any. */
  readonly settings: string | null;
  /** SHA-256 of each file by its absolute path. Programs of the system, found by their name, are held by path alone: null. */
  readonly files: Readonly<Record<string, string | null>>;
}

export interface TrustedProject extends TrustedHooks {
  /** Real path of the project folder. */
  readonly project: string;
  /** RFC 3339. */
  readonly trustedAt: string;
}

/** What of `hooks` would have to be trusted. Errors: `hook-invalid` for a file that cannot be read. */
export function describeHooks(hooks: readonly Hook[], config: HooksConfig | undefined, root: string): TrustedHooks {
  const files: Record<string, string | null> = {};
  for (const hook of hooks) {
    files[hook.program] = isOfSystem(hook, root) ? null : hashOf(hook.program);
    // An interpreter is told what to run: what its arguments name is part of it.
    for (const arg of hook.args) {
      const file = resolve(root, arg);
      if (isFile(file)) files[file] = hashOf(file);
    }
  }
  const sorted = Object.fromEntries(Object.entries(files).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return { settings: config === undefined ? null : sha256(canonical(config)), files: sorted };
}

/** What differs from what is trusted, a line each; empty when all of it is. */
export function untrustedParts(now: TrustedHooks, trusted: TrustedHooks | undefined): readonly string[] {
  if (trusted === undefined) return ['nothing of this project is trusted yet'];
  const parts = now.settings === trusted.settings ? [] : ['`hooks:` of mbk.yaml changed'];
  for (const [path, hash] of Object.entries(now.files)) {
    if (!Object.hasOwn(trusted.files, path)) parts.push(`${path} is new`);
    else if (trusted.files[path] !== hash) parts.push(`${path} changed`);
  }
  return parts;
}

/** All that is trusted, by project folder. Errors: `local-state-failed`. */
export function readTrust(stateFolder: string): readonly TrustedProject[] {
  const file = trustFile(stateFolder);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return [];
    throw unusable(file, 'cannot be read', cause);
  }
  const value = parse(text);
  if (!isRecord(value) || value['version'] !== 1 || !Array.isArray(value['projects'])) {
    throw unusable(file, 'is not understood');
  }
  const projects: readonly unknown[] = value['projects'];
  return projects.map((one) => {
    if (!isTrustedProject(one)) throw unusable(file, 'is not understood');
    return one;
  });
}

/** The entry of the project in `root`, if there is one. */
export function trustOf(stateFolder: string, root: string): TrustedProject | undefined {
  const project = realpathSync(root);
  return readTrust(stateFolder).find((one) => one.project === project);
}

/** Trusts `hooks` of the project in `root`, in place of what was trusted of it. */
export function addTrust(stateFolder: string, root: string, hooks: TrustedHooks, now: Date): TrustedProject {
  const project = realpathSync(root);
  const added = { project, trustedAt: now.toISOString(), ...hooks };
  writeTrust(stateFolder, [...readTrust(stateFolder).filter((one) => one.project !== project), added]);
  return added;
}

/** Trusts the project no more; whether it was. The folder need not be there any more. */
export function revokeTrust(stateFolder: string, root: string): boolean {
  const names = [resolve(root), realPathIfAny(root)];
  const before = readTrust(stateFolder);
  const after = before.filter(({ project }) => !names.includes(project));
  if (after.length === before.length) return false;
  writeTrust(stateFolder, after);
  return true;
}

function writeTrust(stateFolder: string, projects: readonly TrustedProject[]): void {
  const file = trustFile(stateFolder);
  const sorted = projects.toSorted((a, b) => (a.project < b.project ? -1 : 1));
  const next = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    mkdirSync(stateFolder, { recursive: true, mode: 0o700 });
    writeFileSync(next, `${JSON.stringify({ version: 1, projects: sorted }, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
    renameSync(next, file);
  } catch (cause) {
    rmSync(next, { force: true });
    throw unusable(file, 'cannot be written', cause);
  }
}

const trustFile = (stateFolder: string): string => join(stateFolder, 'trusted-hooks.json');

/** A program that PATH found outside of the project: it changes with the system, not with the project. */
function isOfSystem({ name, program }: Hook, root: string): boolean {
  const isNamedByPath = name.split(' ', 1)[0]?.includes('/') ?? false;
  return !isNamedByPath && !realpathSync(program).startsWith(`${realpathSync(root)}/`);
}

function hashOf(path: string): string {
  try {
    return sha256(readFileSync(path));
  } catch (cause) {
    throw new MbkError('hook-invalid', `${path} cannot be read`, { cause, details: { path } });
  }
}

function sha256(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** JSON with sorted keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) =>
    isRecord(one) ? Object.fromEntries(Object.entries(one).toSorted(([a], [b]) => (a < b ? -1 : 1))) : one,
  );
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function realPathIfAny(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTrustedProject(value: unknown): value is TrustedProject {
  return (
    isRecord(value) &&
    typeof value['project'] === 'string' &&
    typeof value['trustedAt'] === 'string' &&
    (value['settings'] === null || typeof value['settings'] === 'string') &&
    isRecord(value['files']) &&
    Object.values(value['files']).every((hash) => hash === null || typeof hash === 'string')
  );
}

function unusable(file: string, problem: string, cause?: unknown): MbkError {
  return new MbkError('local-state-failed', `${file} ${problem}`, {
    details: { path: file },
    remedy: 'Mend its permissions, or remove it and trust the hooks of your projects again.',
    ...(cause === undefined ? {} : { cause }),
  });
}
