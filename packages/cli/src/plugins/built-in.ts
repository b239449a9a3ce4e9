/**
 * The plugins that are on unless `mbk.yaml` turns them off, in the order in which they are asked. Their manifests are
 * data and load at once; their code is loaded by the plugin thread, when there is something to ask.
 *
 * To add one: a row here, its package under `dependencies`, a reference in `tsconfig.json`.
 */
import type { Manifest } from '@mbk/plugin-sdk';

export interface BuiltIn {
  readonly manifest: Manifest;
  /** URL of its code. */
  readonly module: string;
}

export async function builtInPlugins(): Promise<readonly BuiltIn[]> {
  const [gguf, checkpoint, dataset, config] = await Promise.all([
    import('@mbk/plugin-gguf/manifest'),
    import('@mbk/plugin-checkpoint/manifest'),
    import('@mbk/plugin-dataset/manifest'),
    import('@mbk/plugin-config/manifest'),
  ]);
  return [
    { manifest: gguf.manifest, module: import.meta.resolve('@mbk/plugin-gguf') },
    { manifest: checkpoint.manifest, module: import.meta.resolve('@mbk/plugin-checkpoint') },
    { manifest: dataset.manifest, module: import.meta.resolve('@mbk/plugin-dataset') },
    { manifest: config.manifest, module: import.meta.resolve('@mbk/plugin-config') },
  ];
}
