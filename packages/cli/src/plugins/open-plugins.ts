/** The plugin host of a command. */
import { MbkError, pluginHost, startPluginThread } from '@mbk/core';
import type { ByteString, PluginHost, PluginHostOptions } from '@mbk/core';
import { join } from 'node:path';
import type { ProjectConfig } from '../project/config.ts';
import { choosePlugins, type Describe } from './choose-plugins.ts';

export interface OpenPluginsOptions {
  readonly config: ProjectConfig | undefined;
  /** Where the files of this run lie; undefined where they lie in a repository. */
  readonly root: ByteString | undefined;
  readonly handlers?: PluginHostOptions['handlers'];
  /** Whether there will be something to ask for sure: then the thread starts at once. */
  readonly isUrgent?: boolean;
  /** Where what is known of contents is kept. */
  readonly stateFolder: string;
  readonly signal: AbortSignal;
}

/** The caller closes it. Errors: those of `choosePlugins`. */
export async function openPlugins({
  config,
  handlers,
  isUrgent = false,
  root,
  signal,
  stateFolder,
}: OpenPluginsOptions): Promise<PluginHost> {
  const threads = isUrgent ? startPluginThread() : undefined;
  try {
    const sources = await choosePlugins(config, describeWith(signal));
    const storeFolder = join(stateFolder, 'examined');
    return pluginHost({ sources, root, handlers, threads, storeFolder, signal });
  } catch (error) {
    await threads?.close();
    throw error;
  }
}

function describeWith(signal: AbortSignal): Describe {
  return async ({ argument, module }) => {
    const manifest = { apiVersion: 1, name: 'unknown', version: '0.0.0', match: [] } as const;
    const host = pluginHost({ sources: [{ manifest, module, argument, options: {} }], root: undefined, signal });
    try {
      const described = await host.describe(0);
      if ('problem' in described) {
        throw new MbkError('plugin-unusable', `${module} cannot be used: ${described.problem}`, {
          details: { module },
        });
      }
      return described;
    } finally {
      await host.close();
    }
  };
}
