/**
 * The plugins that `mbk.yaml` brings along: a module or a program beside each name. Nothing of them is loaded here; what is
 * loaded must be trusted first (`hooks/trust.ts`).
 */
import { isMbkError, MbkError } from '@mbk/core';
import type { JsonObject } from '@mbk/plugin-sdk';
import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isAbsolute, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { fileHash, isBelow, settingsHash, sortedByName } from '../hooks/trust.ts';
import type { Trusted } from '../hooks/trust.ts';
import { findOnPath } from '../on-path.ts';
import type { PluginSetting, ProjectConfig } from '../project/config.ts';

/** One that is found. */
export interface ProjectPlugin {
  readonly name: string;
  /** As `mbk.yaml` names it, for people. */
  readonly place: string;
  /** Absolute path of its module or program. */
  readonly file: string;
  /** URL of the code that is loaded for it. */
  readonly module: string;
  readonly argument?: JsonObject;
}

type CodeSetting = Exclude<PluginSetting, boolean>;

/** The settings among `plugins:` that bring code, by name. */
export function codeSettings(
  config: Pick<ProjectConfig, 'plugins'> | undefined,
): Readonly<Record<string, CodeSetting>> {
  const code: Record<string, CodeSetting> = {};
  for (const [name, setting] of Object.entries(config?.plugins ?? {})) {
    if (typeof setting === 'object' && (setting.module !== undefined || setting.program !== undefined)) {
      code[name] = setting;
    }
  }
  return code;
}

/** Gets the `plugin-unusable` of a plugin that is left out for it; may throw it. */
export type OnUnusable = (error: MbkError) => void;

/** For whom one plugin that cannot be used is reason enough to stop. */
export const refuseUnusable: OnUnusable = (error) => {
  throw error;
};

/** Those of a project, in the order of `mbk.yaml`, but for those whose file is not there; `path` is the PATH variable. */
export function findProjectPlugins(
  config: Pick<ProjectConfig, 'plugins' | 'root'> | undefined,
  path: string | undefined,
  onUnusable: OnUnusable = refuseUnusable,
): readonly ProjectPlugin[] {
  if (config === undefined) return [];
  return Object.entries(codeSettings(config)).flatMap(([name, { module, program }]) =>
    orUnusable(onUnusable, () => {
      if (program !== undefined) return [programPlugin(name, program, config.root, path)];
      const file = moduleFile(name, module ?? '', config.root);
      return [{ name, place: module ?? '', file, module: pathToFileURL(file).href }];
    }),
  );
}

function orUnusable<T>(onUnusable: OnUnusable, find: () => readonly T[]): readonly T[] {
  try {
    return find();
  } catch (error) {
    if (!isMbkError(error, 'plugin-unusable')) throw error;
    onUnusable(error);
    return [];
  }
}

/** What of them would have to be trusted. Errors: `plugin-unusable` for a file that cannot be read. */
export function describeProjectPlugins(
  plugins: readonly ProjectPlugin[],
  config: Pick<ProjectConfig, 'plugins' | 'root'> | undefined,
): Pick<Trusted, 'files' | 'plugins'> {
  const files: Record<string, string | null> = {};
  for (const { file, name, place } of plugins) {
    // As with hooks: what PATH found outside of the project changes with the system.
    const isOfSystem = codeSettings(config)[name]?.program !== undefined && !place.includes('/');
    try {
      files[file] = isOfSystem && !isBelow(file, config?.root ?? '/') ? null : fileHash(file);
    } catch (cause) {
      throw unusable(name, `${file} of plugin ${name} cannot be read`, cause);
    }
  }
  const code = codeSettings(config);
  return { plugins: Object.keys(code).length === 0 ? null : settingsHash(code), files: sortedByName(files) };
}

function programPlugin(name: string, program: string, root: string, path: string | undefined): ProjectPlugin {
  const file = program.includes('/') ? resolve(root, program) : findOnPath(program, path);
  if (file === undefined) throw unusable(name, `the program ${program} of plugin ${name} is not on the PATH`);
  if (!isFile(file)) throw unusable(name, `the program ${file} of plugin ${name} is not there`);
  const argument = { name, program: file };
  return { name, place: program, file, module: import.meta.resolve('@mbk/cli/program-plugin'), argument };
}

function moduleFile(name: string, module: string, root: string): string {
  if (!module.startsWith('.') && !isAbsolute(module)) {
    try {
      return createRequire(join(root, 'mbk.yaml')).resolve(module);
    } catch (cause) {
      throw unusable(name, `the package ${module} of plugin ${name} is not installed`, cause);
    }
  }
  const file = resolve(root, module);
  if (isFile(file)) return file;
  throw unusable(name, `the module ${file} of plugin ${name} is not there`);
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function unusable(name: string, message: string, cause?: unknown): MbkError {
  return new MbkError('plugin-unusable', message, {
    details: { plugin: name },
    ...(cause === undefined ? {} : { cause }),
  });
}
