/** The plugin host of a command. */
import { MbkError, pluginHost, startPluginThread } from '@mbk/core';
import type { ByteString, PluginHost, PluginHostOptions } from '@mbk/core';
import { join } from 'node:path';
import { trustOf, untrustedParts } from '../hooks/trust.ts';
import type { Output } from '../output.ts';
import type { ProjectConfig } from '../project/config.ts';
import { choosePlugins, type Describe } from './choose-plugins.ts';
import { installedModules, pluginFolder } from './plugin-folder.ts';
import { codeSettings, describeProjectPlugins, findProjectPlugins } from './project-plugins.ts';
import type { OnUnusable, ProjectPlugin } from './project-plugins.ts';

export interface OpenPluginsOptions {
  readonly config: ProjectConfig | undefined;
  /** Absolute path of the working folder: the project where there is no `mbk.yaml`. */
  readonly cwd: string;
  /** The PATH variable, for programs that are named without a slash. */
  readonly path: string | undefined;
  /** Whether plugins of a project that is not trusted are an error; else they are left out, and that is noted. */
  readonly isStrict?: boolean | undefined;
  /** Told of plugins that are left out because they cannot be loaded; unless given, the first of them is an error. */
  readonly onUnusable?: OnUnusable | undefined;
  readonly out: Pick<Output, 'notice'>;
  /** Where the files of this run lie; undefined where they lie in a repository. */
  readonly root: ByteString | undefined;
  readonly handlers?: PluginHostOptions['handlers'];
  /** Whether there will be something to ask for sure: then the thread starts at once. */
  readonly isUrgent?: boolean;
  /** Where trust, installed plugins and what is known of contents are kept. */
  readonly stateFolder: string;
  readonly signal: AbortSignal;
}

/** The caller closes it. Errors: `plugins-untrusted`, `plugin-unusable`, those of `choosePlugins`. */
export async function openPlugins(options: OpenPluginsOptions): Promise<PluginHost> {
  const { config, cwd, handlers, isUrgent = false, onUnusable, root, signal, stateFolder } = options;
  const own = trustedPlugins(options);
  const folders = [pluginFolder(stateFolder, config?.root ?? cwd), pluginFolder(stateFolder, undefined)];
  const installed = folders.flatMap(installedModules);
  const threads = isUrgent ? startPluginThread() : undefined;
  try {
    const sources = await choosePlugins({ config, own, installed, describe: describeWith(signal), onUnusable });
    const storeFolder = join(stateFolder, 'examined');
    return pluginHost({ sources, root, handlers, threads, storeFolder, signal });
  } catch (error) {
    await threads?.close();
    throw error;
  }
}

/** What the project brings along, once `mbk trust` was said for exactly that. Errors: `plugins-untrusted`. */
function trustedPlugins(options: OpenPluginsOptions): ProjectPlugin[] {
  const { config, isStrict = false, onUnusable, out, path, stateFolder } = options;
  const names = Object.keys(codeSettings(config));
  if (config === undefined || names.length === 0) return [];
  const trusted = trustOf(stateFolder, config.root);
  // Of a project that nobody trusts not even the names of files are followed.
  const found = trusted === undefined ? [] : findProjectPlugins(config, path, onUnusable);
  const parts =
    trusted === undefined
      ? untrustedParts({ files: {} }, undefined)
      : untrustedParts(describeProjectPlugins(found, config), trusted);
  if (parts.length === 0) return [...found];
  const what = names.length === 1 ? `the plugin ${names[0] ?? ''}` : `the plugins ${names.join(', ')}`;
  if (isStrict) {
    throw new MbkError('plugins-untrusted', `${what} of ${config.file} may not run: ${parts.join('; ')}`, {
      details: { project: config.root, plugins: names, parts },
    });
  }
  out.notice(
    `${what} of ${config.file} ${names.length === 1 ? 'is' : 'are'} left out: ${parts.join('; ')}. ` +
      'Look at what would run, then say `mbk trust`.',
  );
  return [];
}

function describeWith(signal: AbortSignal): Describe {
  return async (plugins) => {
    const manifest = { apiVersion: 1, name: 'unknown', version: '0.0.0', match: [] } as const;
    const sources = plugins.map(({ argument, module }) => ({ manifest, module, argument, options: {} }));
    const host = pluginHost({ sources, root: undefined, signal });
    try {
      const manifests = [];
      for (const number of plugins.keys()) manifests.push(await host.describe(number));
      return manifests;
    } finally {
      await host.close();
    }
  };
}
