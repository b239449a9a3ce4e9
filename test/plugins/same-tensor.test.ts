/** One tensor in three containers is the same bytes, dtype and shape, so that it is stored once. */

import { plugin as checkpoint } from '@mbk/plugin-checkpoint';
import { plugin as gguf } from '@mbk/plugin-gguf';
import { layoutLimits, memoryReader } from '@mbk/plugin-sdk';
import { hash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { ggufFile } from '../assets/gguf-file.ts';
import { readRealAssets, realAssets } from '../assets/real-assets.ts';
import { safetensorsFile } from '../assets/safetensors-file.ts';
import { weights } from '../assets/tensor.ts';
import { torchZipFile } from '../assets/torch-zip-file.ts';

interface File {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Dtype, shape and SHA-256 of every tensor's bytes, in the order of the file. */
async function payloadsOf({ bytes, path }: File): Promise<readonly string[]> {
  const plugin = path.endsWith('.gguf') ? gguf : checkpoint;
  const context = { signal: new AbortController().signal, limits: layoutLimits };
  const layout = await plugin.layout?.(memoryReader(path, bytes), context);
  return (layout?.tensors ?? []).map(({ dtype, length, offset, shape }) => {
    const digest = hash('sha256', bytes.subarray(offset, offset + length));
    return `${dtype} [${shape.join(', ')}] ${digest}`;
  });
}

describe('the same tensors in another container', () => {
  const tensors = [
    weights('blk.0.weight', { shape: [7, 11], dtype: 'F16', seed: 1 }),
    weights('blk.0.bias', { shape: [7], dtype: 'F32', seed: 2 }),
    weights('blk.1.weight', { shape: [3, 2, 5], dtype: 'BF16', seed: 3 }),
  ];

  test('have the same payloads in GGUF, safetensors and a PyTorch zip', async () => {
    const expected = await payloadsOf({ path: 'm.safetensors', bytes: safetensorsFile({ tensors }) });
    expect(expected).toHaveLength(3);
    expect(await payloadsOf({ path: 'm.gguf', bytes: ggufFile({ tensors }) })).toEqual(expected);
    expect(await payloadsOf({ path: 'm.pt', bytes: torchZipFile({ tensors }) })).toEqual(expected);
  });

  test.skipIf(realAssets === undefined)(
    'have the same payloads in real files (skipped unless MBK_TEST_ASSETS names their folder)',
    async () => {
      for (const model of ['rife-hd', 'rife-anime']) {
        const [inGguf] = readRealAssets(`${model}.f16.gguf`);
        const [inSafetensors] = readRealAssets(`${model}.f16.safetensors`);
        if (inGguf === undefined || inSafetensors === undefined) throw new Error(`expected both files of ${model}`);
        const payloads = await payloadsOf(inGguf);
        expect(payloads).toHaveLength(17);
        expect(payloads.toSorted()).toEqual((await payloadsOf(inSafetensors)).toSorted());
      }
    },
  );
});
