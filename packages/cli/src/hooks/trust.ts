/**
 * What of a project a user trusts: its hooks, and the plugins that it brings along, a project folder at a time.
 *
 * A project may come from anybody: an archive, a clone, a pull. None of its code runs before this user has said so for
 * exactly what would run: the `hooks:` and `plugins:` of `mbk.yaml`, and the bytes of every file that they start, load or
 * hand to a program. Any change takes that back until it is trusted again. What trusted code reads or starts by itself is
 * its own matter.
 */

import { MbkError } from '@mbk/core';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { HooksConfig } from '../project/config.ts';
import type { Hook } from './find-hooks.ts';

/** What is trusted. */
export interface Trusted {
  /** SHA-256 of the `hooks:` of `mbk.yaml`, in a form that spaces and order do not change; null without any. */
  readonly hooks: string | null;
  /** The same of those of its `plugins:` that bring code; null without any. */
  readonly plugins: string | null;
  /** SHA-256 of each file by its absolute path. Programs of the system, found by their name, are held by path alone: null. */
  readonly files: Readonly<Record<string, string | null>>;
}

/** A part of what would have to be trusted: hooks, plugins, or both. */
export type ToTrust = Pick<Trusted, 'files'> & Partial<Pick<Trusted, 'hooks' | 'plugins'>>;

export interface TrustedProject extends Trusted {
  /** Real path of the project folder. */
  readonly project: string;
  /** RFC 3339. */
  readonly trustedAt: string;
}

/** What of `hooks` would have to be trusted. Errors: `hook-invalid` for a file that cannot be read. */
export function describeHooks(
  hooks: readonly Hook[],
  config: HooksConfig | undefined,
  root: string,
): Pick<Trusted, 'files' | 'hooks'> {
  const files: Record<string, string | null> = {};
  for (const hook of hooks) {
    files[hook.program] = isOfSystem(hook, root) ? null : hookHash(hook.program);
    // An interpreter is told what to run: what its arguments name is part of it.
    for (const arg of hook.args) {
      const file = resolve(root, arg);
      if (isFile(file)) files[file] = hookHash(file);
    }
  }
  return { hooks: config === undefined ? null : settingsHash(config), files: sortedByName(files) };
}

/** What differs from what is trusted, a line each; empty when all of it is. */
export function untrustedParts(now: ToTrust, trusted: Trusted | undefined): readonly string[] {
  if (trusted === undefined) return ['nothing of this project is trusted yet'];
  const parts: string[] = [];
  for (const part of ['hooks', 'plugins'] as const) {
    if (now[part] !== undefined && now[part] !== trusted[part]) parts.push(`\`${part}:\` of mbk.yaml changed`);
  }
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

/** Trusts `parts` of the project in `root`, in place of what was trusted of it. */
export function addTrust(stateFolder: string, root: string, parts: Trusted, now: Date): TrustedProject {
  const project = realpathSync(root);
  const added = { project, trustedAt: now.toISOString(), ...parts };
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

const trustFile = (stateFolder: string): string => join(stateFolder, 'trusted-projects.json');

/** A program that PATH found outside of the project: it changes with the system, not with the project. */
function isOfSystem({ name, program }: Hook, root: string): boolean {
  const isNamedByPath = name.split(' ', 1)[0]?.includes('/') ?? false;
  return !isNamedByPath && !isBelow(program, root);
}

/** Whether a file is, wherever links lead, below a folder. Both are there. */
export function isBelow(path: string, folder: string): boolean {
  return realpathSync(path).startsWith(`${realpathSync(folder)}/`);
}

function hookHash(path: string): string {
  try {
    return fileHash(path);
  } catch (cause) {
    throw new MbkError('hook-invalid', `${path} cannot be read`, { cause, details: { path } });
  }
}

/** Throws what reading the file throws. */
export function fileHash(path: string): string {
  return sha256(readFileSync(path));
}

/** Of settings: spaces, comments and order do not change it. */
export function settingsHash(settings: unknown): string {
  return sha256(canonical(settings));
}

export function sortedByName<T>(values: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(values).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function sha256(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** JSON with sorted keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) => (isRecord(one) ? sortedByName(one) : one));
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
    isHashOrNull(value['hooks']) &&
    isHashOrNull(value['plugins']) &&
    isRecord(value['files']) &&
    Object.values(value['files']).every(isHashOrNull)
  );
}

function isHashOrNull(value: unknown): boolean {
  return value === null || typeof value === 'string';
}

function unusable(file: string, problem: string, cause?: unknown): MbkError {
  return new MbkError('local-state-failed', `${file} ${problem}`, {
    details: { path: file },
    remedy: 'Mend its permissions, or remove it and trust your projects again.',
    ...(cause === undefined ? {} : { cause }),
  });
}
