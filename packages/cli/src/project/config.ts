/** `mbk.yaml`: found from a subfolder, checked against its schema, errors with line and column. */

import { type Compression, isMbkError, MbkError } from '@mbk/core';
import type { JsonObject } from '@mbk/plugin-sdk';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { ErrorObject } from 'ajv';
import type { Document, LineCounter } from 'yaml';
import type { HookEvent, HookPolicy } from '../hooks/hook-events.ts';
import { configSchema } from './config-schema.ts';

export const configName = 'mbk.yaml';

export interface Rule {
  readonly match: string;
  readonly collection: string;
  readonly domain?: string;
}

export interface Plan {
  readonly collections: readonly string[];
  readonly at?: string;
}

/** A program, or a program with what belongs to it. */
export type HookSetting =
  | string
  | {
      readonly program: string;
      readonly args?: readonly string[];
      /** `30s`, `5m`, `1h`. */
      readonly timeout?: string;
      readonly policy?: HookPolicy;
    };

export type HooksConfig = Readonly<Partial<Record<HookEvent, HookSetting | readonly HookSetting[]>>>;

export type Retention = { readonly within: string } | { readonly forever: true };

/** `false` turns a plugin off; else its options, and where it is if it is not built in. */
export type PluginSetting =
  | boolean
  | {
      readonly options?: JsonObject;
      /** A path relative to the file, or the name of a package. */
      readonly module?: string;
      /** A program that speaks the contract: a path relative to the file, or a name on the PATH. */
      readonly program?: string;
    };

export interface ProjectConfig {
  /** Absolute path of the file. */
  readonly file: string;
  /** Absolute path of its folder: the source root. */
  readonly root: string;
  readonly repository?: string;
  readonly timezone?: string;
  readonly compression?: Compression;
  readonly domains: readonly string[];
  readonly rules: readonly Rule[];
  readonly exclude: readonly string[];
  readonly plans: Readonly<Record<string, Plan>>;
  readonly retention: Readonly<Record<string, Retention>>;
  readonly plugins: Readonly<Record<string, PluginSetting>>;
  readonly hooks?: HooksConfig;
}

/** Most bytes of a configuration that are read. */
const maximumBytes = 1_048_576;

/** The nearest `mbk.yaml` at or above `folder`, or undefined. */
export function findConfig(folder: string): string | undefined {
  for (let at = resolve(folder); ; at = dirname(at)) {
    const file = join(at, configName);
    if (existsSync(file)) return file;
    if (dirname(at) === at) return undefined;
  }
}

/** The configuration in `file`; `config-invalid` names line and column. */
export async function readConfig(file: string): Promise<ProjectConfig> {
  const path = resolve(file);
  const value = await parseConfig(readText(path), path);
  return {
    domains: [],
    rules: [],
    exclude: [],
    plans: {},
    retention: {},
    plugins: {},
    ...value,
    file: path,
    root: dirname(path),
  };
}

function readText(path: string): string {
  try {
    const { size } = statSync(path);
    if (size > maximumBytes)
      throw new MbkError('config-invalid', `${path} has ${size} bytes; at most ${maximumBytes} are read`);
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (isMbkError(cause)) throw cause;
    throw new MbkError('config-invalid', `${path} cannot be read`, {
      cause,
      remedy: 'Check the path and its permissions.',
    });
  }
}

type ConfigValue = Partial<Omit<ProjectConfig, 'file' | 'root'>>;

async function parseConfig(text: string, path: string): Promise<ConfigValue> {
  const { LineCounter: Lines, parseDocument } = await import('yaml');
  const lines = new Lines();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const [syntax] = document.errors;
  if (syntax !== undefined) throw invalid(path, lines.linePos(syntax.pos[0]), syntax.message);
  const value: unknown = document.toJS({ maxAliasCount: 100 }) ?? {};
  const { Ajv2020 } = await import('ajv/dist/2020.js');
  // Our own schema is checked by a test, and is used once: compiling it so takes a quarter of the time.
  const quickStart = { meta: false, validateSchema: false, code: { optimize: false } } as const;
  const validate = new Ajv2020({ allErrors: true, strict: true, ...quickStart }).compile<ConfigValue>(configSchema);
  if (validate(value)) return value;
  const error = mostTelling(validate.errors ?? []);
  throw error === undefined
    ? invalid(path, { line: 1, col: 1 }, 'not valid')
    : schemaError(path, error, document, lines);
}

/** The first error, but a setting that is not known before the one that is then missing: it was meant to be that. */
function mostTelling(errors: readonly ErrorObject[]): ErrorObject | undefined {
  const isUnknown = ({ keyword, schemaPath }: ErrorObject): boolean =>
    keyword === 'additionalProperties' && !schemaPath.includes('/oneOf/');
  return errors.find(isUnknown) ?? errors[0];
}

function schemaError(path: string, error: ErrorObject, document: Document, lines: LineCounter): MbkError {
  const unknownKey: unknown = error.params['additionalProperty'];
  const keys = error.instancePath.split('/').slice(1).map(unescapePointer);
  const place = typeof unknownKey === 'string' ? [...keys, unknownKey] : keys;
  const name = place.join('.') || 'the file';
  const problem =
    typeof unknownKey === 'string'
      ? `${name} is not a setting that mbk knows`
      : `${name} ${error.message ?? 'is not valid'}`;
  return invalid(path, lines.linePos(offsetOf(document, place)), problem);
}

/** Offset of the value at `keys`, or of its nearest parent. */
function offsetOf(document: Document, keys: readonly string[]): number {
  for (let length = keys.length; length >= 0; length--) {
    const node: unknown = document.getIn(keys.slice(0, length), true);
    const range = (node as { readonly range?: readonly number[] | null } | null | undefined)?.range;
    if (range?.[0] !== undefined) return range[0];
  }
  return 0;
}

function unescapePointer(key: string): string {
  return key.replaceAll('~1', '/').replaceAll('~0', '~');
}

function invalid(
  path: string,
  { line, col }: { readonly line: number; readonly col: number },
  problem: string,
): MbkError {
  return new MbkError('config-invalid', `${path}:${line}:${col}: ${problem}`, { details: { path, line, column: col } });
}
