/** A package or a module that holds a plugin: found, loaded, and checked. Loading it runs its code. */

import { MbkError } from '@mbk/core';
import { definePlugin } from '@mbk/plugin-sdk';
import type { Plugin } from '@mbk/plugin-sdk';
import { readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

export interface LoadedPlugin {
  readonly plugin: Plugin;
  /** Absolute path. */
  readonly module: string;
}

/** Modules that the package in `folder` names under `mbk.plugins`. Errors: `plugin-invalid`. */
export function pluginModules(folder: string): readonly string[] {
  const value = readPackageFile(folder);
  const own = (value as { readonly mbk?: { readonly plugins?: unknown } } | null)?.mbk?.plugins;
  const list: readonly unknown[] = Array.isArray(own) ? own : [];
  const paths = list.filter((path) => typeof path === 'string');
  if (paths.length > 0 && paths.length === list.length) return paths.map((path) => join(folder, path));
  throw invalid(folder, 'its package.json names no plugin under `mbk.plugins`');
}

/** The plugins of a package folder, or of a module. Errors: `plugin-invalid`. */
export async function loadPlugins(path: string): Promise<readonly LoadedPlugin[]> {
  const place = resolve(path);
  const modules = isFolder(place) ? pluginModules(place) : [place];
  return Promise.all(
    modules.map(async (module) => {
      try {
        const { plugin } = (await import(pathToFileURL(module).href)) as { readonly plugin?: Plugin };
        if (plugin === undefined) throw new TypeError('it exports no `plugin`');
        return { plugin: definePlugin(plugin), module };
      } catch (cause) {
        throw invalid(module, cause instanceof Error ? cause.message : String(cause), cause);
      }
    }),
  );
}

function readPackageFile(folder: string): unknown {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  } catch (cause) {
    throw invalid(folder, 'it has no package.json that can be read', cause);
  }
}

export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function invalid(path: string, problem: string, cause?: unknown): MbkError {
  return new MbkError('plugin-invalid', `${path} is no plugin: ${problem}`, {
    details: { path },
    ...(cause === undefined ? {} : { cause }),
  });
}
