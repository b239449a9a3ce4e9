import { pluginConformance } from '@mbk/plugin-sdk/testing';
import { describe, expect, test } from 'vitest';
import { plugin } from '../src/index.ts';
import { readRealAssets, realAssets } from '../../../test/assets/real-assets.ts';
import { safetensorsFile } from '../../../test/assets/safetensors-file.ts';
import { weights } from '../../../test/assets/tensor.ts';
import { torchZipFile } from '../../../test/assets/torch-zip-file.ts';

const tensors = [
  weights('encoder.weight', { shape: [16, 24], dtype: 'BF16', seed: 1 }),
  weights('encoder.bias', { shape: [16], dtype: 'F32', seed: 2 }),
  weights('scale', { shape: [], dtype: 'F16', seed: 3 }),
  weights('nothing', { shape: [0, 4], dtype: 'F16', seed: 4 }),
];

pluginConformance({ describe, test, expect }, plugin, {
  samples: [
    { path: 'models/model.safetensors', bytes: safetensorsFile({ metadata: { format: 'pt' }, tensors }) },
    { path: 'cache/0f3a', bytes: safetensorsFile({ tensors }) },
    { path: 'runs/last.pt', bytes: torchZipFile({ tensors }) },
    { path: 'runs/large.ckpt', bytes: torchZipFile({ tensors, isZip64: true }) },
    { path: 'runs/power.pth', bytes: torchZipFile({ tensors, byteOrder: 'big' }) },
  ],
});

describe.skipIf(realAssets === undefined)('real files (skipped unless MBK_TEST_ASSETS names their folder)', () => {
  const wanted = /rife-hd\.bf16|lora_disney_inpainting|ti\.pt$|af_nova\.pt$|taesana_encoder|silero_vad\.v3\.jit/;
  const samples = readRealAssets('').filter(({ path }) => wanted.test(path));
  if (samples.length > 0) pluginConformance({ describe, test, expect }, plugin, { samples, mutations: 60 });
  test('are there', () => expect(samples).toHaveLength(6));
});
