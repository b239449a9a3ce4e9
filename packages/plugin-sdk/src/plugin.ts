/** What a plugin is: a plain object, checked the moment it is defined. */

import type { Layout, LayoutLimits } from './layout.ts';
import type { Match } from './match.ts';
import type { Reader } from './reader.ts';

/** The version of this contract. A host loads plugins of exactly this version. */
export const apiVersion = 1;

/** What a host hands to `layout` beside the reader. */
export interface LayoutContext {
  /** Aborted when the answer is no longer wanted; a plugin passes it to every read. */
  readonly signal: AbortSignal;
  readonly limits: LayoutLimits;
}

export interface Plugin {
  readonly apiVersion: typeof apiVersion;
  /** `[a-z0-9]` and dashes, at most 64 characters. */
  readonly name: string;
  /** Semantic version; results are cached by it, so it changes whenever they do. */
  readonly version: string;
  /** Which files this plugin knows, the most telling rule first. */
  readonly match: readonly Match[];
  /**
   * Where the tensors of a file lie. Deterministic; undefined for a file that is not of this plugin's kind.
   * Throws a LayoutError for one that is and is malformed. A wrong layout costs compression, never bytes.
   */
  layout?(reader: Reader, context: LayoutContext): Promise<Layout | undefined>;
}

/**
 * Returns `plugin` unchanged, its manifest checked; a TypeError says what is wrong with it.
 * Members that this version does not know are left alone: they may belong to a later one.
 */
export function definePlugin<P extends Plugin>(plugin: P): P {
  const value: unknown = plugin;
  if (typeof value !== 'object' || value === null) {
    throw new TypeError(`expected a plugin object, got ${describe(value)}`);
  }
  const { apiVersion: api, layout, match, name, version } = value as Record<string, unknown>;
  if (api !== apiVersion) throw new TypeError(`expected apiVersion ${apiVersion}, got ${describe(api)}`);
  if (typeof name !== 'string' || !/^[a-z0-9][a-z0-9-]{0,63}$/.test(name)) {
    throw new TypeError(`expected a plugin name of a-z, 0-9 and dashes, got ${describe(name)}`);
  }
  if (typeof version !== 'string' || !/^\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]{1,64})?$/.test(version)) {
    throw new TypeError(`expected a semantic version for plugin ${name}, got ${describe(version)}`);
  }
  if (!Array.isArray(match) || match.length === 0) {
    throw new TypeError(`expected plugin ${name} to have at least one match rule, got ${describe(match)}`);
  }
  for (const [index, rule] of match.entries()) checkMatch(rule, `plugin ${name}, match[${index}]`);
  if (layout !== undefined && typeof layout !== 'function') {
    throw new TypeError(`expected layout of plugin ${name} to be a function, got ${describe(layout)}`);
  }
  return plugin;
}

const matchMembers = new Set(['kind', 'extensions', 'globs', 'magic']);

function checkMatch(rule: unknown, where: string): void {
  if (typeof rule !== 'object' || rule === null) {
    throw new TypeError(`${where}: expected an object, got ${describe(rule)}`);
  }
  for (const member of Object.keys(rule)) {
    if (!matchMembers.has(member)) throw new TypeError(`${where}: unknown member ${JSON.stringify(member)}`);
  }
  const { extensions, globs, kind, magic } = rule as Record<string, unknown>;
  if (typeof kind !== 'string' || !/^[a-z0-9-]{1,32}\/[a-z0-9-]{1,32}$/.test(kind)) {
    throw new TypeError(`${where}: expected a kind such as model/gguf, got ${describe(kind)}`);
  }
  if (extensions === undefined && globs === undefined && magic === undefined) {
    throw new TypeError(`${where}: expected extensions, globs or magic, got none`);
  }
  checkStrings(extensions, /^\.[^/\s]{1,63}$/, `${where}.extensions`);
  checkStrings(globs, /^[^/].{0,255}$/, `${where}.globs`);
  if (magic !== undefined) checkMagic(magic, `${where}.magic`);
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
