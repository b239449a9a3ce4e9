/** Checks what claims to be a plugin, before anything is asked of it. */

import type { JsonObject } from './json.ts';
import { apiVersion, type Contribution, contributions, type Plugin } from './plugin.ts';

/**
 * Returns `plugin` unchanged, its manifest checked; a TypeError says what is wrong with it.
 * Members that this version does not know are left alone: they may belong to a later one.
 */
export function definePlugin<Options extends object = JsonObject>(plugin: Plugin<Options>): Plugin<Options> {
  const value: unknown = plugin;
  checkManifest(value);
  const { folder, match, name, scan } = plugin;
  const members = value as Record<string, unknown>;
  for (const part of contributions) {
    if (part !== 'folder') checkFunction(members[part], `${part} of plugin ${name}`);
  }
  const has = contributionsOf(plugin);
  if (plugin.contributes !== undefined && plugin.contributes.toSorted().join() !== has.toSorted().join()) {
    throw new TypeError(
      `expected plugin ${name} to contribute ${has.join(', ')}, got ${plugin.contributes.join(', ')}`,
    );
  }
  if (folder !== undefined) {
    const own = folder as unknown;
    if (typeof own !== 'object' || own === null) {
      throw new TypeError(`expected folder of plugin ${name} to be an object, got ${describe(own)}`);
    }
    for (const part of folderContributions) {
      checkFunction((own as Record<string, unknown>)[part], `folder.${part} of plugin ${name}`);
    }
  }
  if (scan === undefined && match.some(({ reads }) => reads === 'stream')) {
    throw new TypeError(`expected plugin ${name} to have scan, for its rule that reads streams`);
  }
  return plugin;
}

/** The functions that a plugin has. */
export function contributionsOf(plugin: Pick<Plugin<never>, Contribution>): readonly Contribution[] {
  return contributions.filter((part) => plugin[part] !== undefined);
}

const folderContributions = ['inspect', 'validate', 'drift', 'diff', 'export'] as const;

/** Checks the data of a plugin, or what a program answers to `describe`; a TypeError says what is wrong with it. */
export function checkManifest(value: unknown): void {
  if (typeof value !== 'object' || value === null) {
    throw new TypeError(`expected a plugin object, got ${describe(value)}`);
  }
  const record = value as Record<string, unknown>;
  const { apiVersion: api, contributes, description, folders, match, name, options, version } = record;
  if (api !== apiVersion) throw new TypeError(`expected apiVersion ${apiVersion}, got ${describe(api)}`);
  if (typeof name !== 'string' || !/^[a-z0-9][a-z0-9-]{0,63}$/.test(name)) {
    throw new TypeError(`expected a plugin name of a-z, 0-9 and dashes, got ${describe(name)}`);
  }
  if (typeof version !== 'string' || !/^\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]{1,64})?$/.test(version)) {
    throw new TypeError(`expected a semantic version for plugin ${name}, got ${describe(version)}`);
  }
  if (description !== undefined && (typeof description !== 'string' || description.length > 1000)) {
    throw new TypeError(
      `expected a description of plugin ${name} of at most 1000 characters, got ${describe(description)}`,
    );
  }
  if (!Array.isArray(match) || (match.length === 0 && folders === undefined)) {
    throw new TypeError(`expected plugin ${name} to have at least one match rule, got ${describe(match)}`);
  }
  for (const [index, rule] of match.entries()) checkMatch(rule, `plugin ${name}, match[${index}]`);
  if (folders !== undefined) checkFolders(folders, `plugin ${name}, folders`);
  const isPart = (part: unknown): boolean => contributions.some((known) => known === part);
  if (contributes !== undefined && !(Array.isArray(contributes) && contributes.every(isPart))) {
    throw new TypeError(`expected plugin ${name} to contribute some of ${contributions.join(', ')}`);
  }
  if (options !== undefined && (options as { readonly type?: unknown } | null)?.type !== 'object') {
    throw new TypeError(`expected options of plugin ${name} to be a JSON Schema of type object`);
  }
}

const matchMembers = new Set(['kind', 'extensions', 'globs', 'magic', 'reads']);
const kindForm = /^[a-z0-9-]{1,32}\/[a-z0-9-]{1,32}$/;

function checkMatch(rule: unknown, where: string): void {
  if (typeof rule !== 'object' || rule === null) {
    throw new TypeError(`${where}: expected an object, got ${describe(rule)}`);
  }
  for (const member of Object.keys(rule)) {
    if (!matchMembers.has(member)) throw new TypeError(`${where}: unknown member ${JSON.stringify(member)}`);
  }
  const { extensions, globs, kind, magic, reads } = rule as Record<string, unknown>;
  checkKind(kind, where);
  if (extensions === undefined && globs === undefined && magic === undefined) {
    throw new TypeError(`${where}: expected extensions, globs or magic, got none`);
  }
  if (reads !== undefined && reads !== 'random' && reads !== 'stream') {
    throw new TypeError(`${where}: expected reads to be random or stream, got ${describe(reads)}`);
  }
  checkStrings(extensions, /^\.[^/\s]{1,63}$/, `${where}.extensions`);
  checkStrings(globs, /^[^/].{0,255}$/, `${where}.globs`);
  if (magic !== undefined) checkMagic(magic, `${where}.magic`);
}

function checkFolders(value: unknown, where: string): void {
  if (!Array.isArray(value) || value.length === 0) {
    throw new TypeError(`${where}: expected a list that is not empty, got ${describe(value)}`);
  }
  for (const [index, rule] of value.entries()) {
    const { kind, markers } = (rule ?? {}) as Record<string, unknown>;
    checkKind(kind, `${where}[${index}]`);
    if (markers === undefined) throw new TypeError(`${where}[${index}]: expected markers, got none`);
    checkStrings(markers, /^[^/]{1,255}$/, `${where}[${index}].markers`);
  }
}

function checkKind(kind: unknown, where: string): void {
  if (typeof kind !== 'string' || !kindForm.test(kind)) {
    throw new TypeError(`${where}: expected a kind such as model/gguf, got ${describe(kind)}`);
  }
}

function checkFunction(value: unknown, what: string): void {
  if (value !== undefined && typeof value !== 'function') {
    throw new TypeError(`expected ${what} to be a function, got ${describe(value)}`);
  }
}

function checkStrings(value: unknown, form: RegExp, where: string): void {
  if (value === undefined) return;
  if (!Array.isArray(value) || value.length === 0) {
    throw new TypeError(`${where}: expected a list that is not empty, got ${describe(value)}`);
  }
  for (const item of value as readonly unknown[]) {
    if (typeof item !== 'string' || !form.test(item)) {
      throw new TypeError(`${where}: expected ${form.source}, got ${describe(item)}`);
    }
  }
}

function checkMagic(value: unknown, where: string): void {
  if (!Array.isArray(value) || value.length === 0) {
    throw new TypeError(`${where}: expected a list that is not empty, got ${describe(value)}`);
  }
  for (const item of value as readonly unknown[]) {
    const { bytes, offset } = (item ?? {}) as Record<string, unknown>;
    if (!Number.isInteger(offset) || (offset as number) < 0 || (offset as number) > 4096) {
      throw new TypeError(`${where}: expected an offset from 0 to 4096, got ${describe(offset)}`);
    }
    if (typeof bytes !== 'string' || !/^(?:[0-9a-f]{2}){1,64}$/.test(bytes)) {
      throw new TypeError(`${where}: expected 1 to 64 bytes as lower-case hexadecimal, got ${describe(bytes)}`);
    }
  }
}

function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}
