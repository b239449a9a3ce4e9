/**
 * Plugins that a user installed, for one project or for all: each set in a folder of its own below the state folder, so that
 * nothing that comes with a cloned project is ever taken for installed.
 */

import { MbkError } from '@mbk/core';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { childEnvironment } from '../environment.ts';
import { isFolder, loadPlugins, pluginModules } from './plugin-package.ts';

export interface InstalledPlugin {
  /** Name of the plugin. */
  readonly name: string;
  readonly version: string;
  readonly package: string;
  /** Absolute path of its module. */
  readonly module: string;
}

/** Of the project in `project`, or of the user where it is undefined. */
export function pluginFolder(stateFolder: string, project: string | undefined): string {
  if (project === undefined) return join(stateFolder, 'plugins', 'user');
  const path = realpathSync(project);
  const hash = createHash('sha256').update(path).digest('hex').slice(0, 16);
  return join(stateFolder, 'plugins', `${basename(path).replace(/[^\w.-]/g, '_')}-${hash}`);
}

export interface NpmOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

/**
 * Installs a package, a tarball or a folder with npm, without running any script of it; then loads it once to see that
 * it is a plugin, and removes it again when it is none. Errors: `plugin-install-failed`, `plugin-invalid`.
 */
export async function installPlugin(
  folder: string,
  source: string,
  options: NpmOptions,
): Promise<readonly InstalledPlugin[]> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const before = packagesIn(folder);
  if (before === undefined) writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const place = source.startsWith('.') || source.startsWith('/') ? resolve(options.cwd, source) : source;
  await runNpm(folder, ['install', '--save-exact', '--install-links', place], options);
  const known = before ?? {};
  const now = packagesIn(folder) ?? {};
  const added = Object.keys(now).filter((name) => now[name] !== known[name]);
  // The same source again: what it was before, made anew.
  const names = added.length > 0 ? added : Object.keys(now).filter((name) => now[name]?.includes(basename(place)));
  try {
    return await describePackages(folder, names);
  } catch (error) {
    await removePackages(folder, added, options);
    throw error;
  }
}

/** All of a folder, by name. Errors: `plugin-invalid`. */
export async function installedPlugins(folder: string): Promise<readonly InstalledPlugin[]> {
  const plugins = await describePackages(folder, Object.keys(packagesIn(folder) ?? {}));
  return plugins.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Absolute paths of the modules of all plugins of a folder, by package; nothing of them is loaded. Errors: `plugin-invalid`. */
export function installedModules(folder: string): readonly string[] {
  const packages = Object.keys(packagesIn(folder) ?? {}).toSorted();
  return packages.flatMap((name) => pluginModules(join(folder, 'node_modules', name)));
}

/** Removes the package that is called so. Errors: `plugin-absent`, `plugin-install-failed`. */
export async function removePlugin(folder: string, name: string, options: NpmOptions): Promise<void> {
  const packages = Object.keys(packagesIn(folder) ?? {});
  if (!packages.includes(name)) {
    throw new MbkError('plugin-absent', `no package ${name} is installed here`, {
      details: { package: name, packages },
    });
  }
  await removePackages(folder, [name], options);
}

async function removePackages(folder: string, names: readonly string[], options: NpmOptions): Promise<void> {
  if (names.length > 0) await runNpm(folder, ['uninstall', ...names], options);
}

async function describePackages(folder: string, names: readonly string[]): Promise<readonly InstalledPlugin[]> {
  const found = await Promise.all(
    names.map(async (name) => {
      const plugins = await loadPlugins(join(folder, 'node_modules', name));
      return plugins.map(({ module, plugin }) => ({
        name: plugin.name,
        version: plugin.version,
        package: name,
        module,
      }));
    }),
  );
  return found.flat();
}

/** Sources by package, as npm writes them; undefined where nothing was ever installed. */
function packagesIn(folder: string): Readonly<Record<string, string>> | undefined {
  if (!isFolder(folder)) return undefined;
  try {
    const text = readFileSync(join(folder, 'package.json'), 'utf8');
    return (JSON.parse(text) as { readonly dependencies?: Readonly<Record<string, string>> }).dependencies ?? {};
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new MbkError('local-state-failed', `${folder} cannot be read`, { cause, details: { path: folder } });
  }
}

async function runNpm(folder: string, args: readonly string[], { env, signal }: NpmOptions): Promise<void> {
  const { execa } = await import('execa');
  // A plugin's own kit, mbk's, is the host's to bring: it is not fetched.
  const always = [
    '--ignore-scripts',
    '--legacy-peer-deps',
    '--omit=dev',
    '--no-audit',
    '--no-fund',
    '--prefix',
    folder,
  ];
  const result = await execa('npm', [...args, ...always], {
    cwd: folder,
    env: childEnvironment(env),
    extendEnv: false,
    cancelSignal: signal,
    reject: false,
    all: true,
    stdin: 'ignore',
  });
  signal.throwIfAborted();
  if (!result.failed) return;
  const said = result.all === '' ? (result.originalMessage ?? '') : result.all;
  throw new MbkError('plugin-install-failed', `npm ${args.join(' ')} failed: ${said.trim()}`, {
    details: { folder, exitCode: result.exitCode ?? null },
  });
}
