/** A host of the odd plugin, for tests. */
import { onTestFinished } from 'vitest';
import type { ByteString } from '../../src/format/byte-name.ts';
import { pluginHost, type PluginHost, type PluginHostOptions } from '../../src/snapshot/plugin-host.ts';
import { oddManifest } from './odd-plugin.ts';

export function oddHost(
  root: string | undefined,
  options: Partial<PluginHostOptions> = {},
  layouts = 'good',
): PluginHost {
  const module = new URL('odd-plugin.ts', import.meta.url).href;
  const host = pluginHost({
    sources: [{ manifest: oddManifest, module, argument: { layouts }, options: {} }],
    root: root === undefined ? undefined : (Buffer.from(root).toString('latin1') satisfies ByteString),
    ...options,
  });
  onTestFinished(() => host.close());
  return host;
}
