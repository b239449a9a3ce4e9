/** The files with weights below a folder: their layouts, as the plugins that mbk ships read them. */

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { plugin as checkpoint } from '../../../plugins/checkpoint/src/index.ts';
import { plugin as gguf } from '../../../plugins/gguf/src/index.ts';
import { blockOf } from '../../../packages/plugin-sdk/src/index.ts';
import type { TensorSpan } from '../../../packages/core/src/format/layout-record.ts';
import { assetPlugins, type AssetPlugins } from '../../../packages/core/src/snapshot/asset-plugins.ts';

export interface WeightFile {
  /** Relative to the folder. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly tensors: readonly TensorSpan[];
  /** Types of its elements, that with the most bytes first. */
  readonly dtypes: readonly string[];
  readonly payloadBytes: number;
  readonly weights: number;
}

export function weightPlugins(): AssetPlugins {
  return assetPlugins([gguf, checkpoint]);
}

/** All of them, by path. */
export async function weightFiles(folder: string): Promise<WeightFile[]> {
  const plugins = weightPlugins();
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted();
  const files: WeightFile[] = [];
  for (const path of paths) {
    if (!statSync(join(folder, path)).isFile()) continue;
    const bytes = new Uint8Array(readFileSync(join(folder, path)));
    const asset = await plugins.recognise(readerOf(path, bytes), bytes.subarray(0, plugins.headBytes));
    const tensors = asset?.layout?.tensors ?? [];
    if (tensors.length === 0) continue;
    files.push({ path, bytes, tensors, ...factsOf(tensors) });
  }
  return files;
}

function readerOf(path: string, bytes: Uint8Array): Parameters<AssetPlugins['recognise']>[0] {
  return {
    fd: -1,
    path,
    size: bytes.length,
    read: async (offset, length) => bytes.subarray(offset, offset + length),
    async *stream() {
      yield bytes;
    },
    sibling: async () => undefined,
  };
}

function factsOf(tensors: readonly TensorSpan[]): Pick<WeightFile, 'dtypes' | 'payloadBytes' | 'weights'> {
  const byDtype = new Map<string, number>();
  let weights = 0;
  for (const { dtype, length, unit } of tensors) {
    byDtype.set(dtype, (byDtype.get(dtype) ?? 0) + length);
    weights += (length / unit) * (blockOf(dtype)?.elements ?? 1);
  }
  const dtypes = [...byDtype].toSorted(([, a], [, b]) => b - a).map(([dtype]) => dtype);
  return { dtypes, payloadBytes: [...byDtype.values()].reduce((sum, length) => sum + length, 0), weights };
}
