import { pluginConformance, type PluginSample } from '@mbk/plugin-sdk/testing';
import { describe, expect, test } from 'vitest';
import { plugin } from '../src/index.ts';
import { readRealAssets, realAssets } from '../../../test/assets/real-assets.ts';
import { pickleBytes } from '../../../test/assets/pickle-bytes.ts';
import { safetensorsFile } from '../../../test/assets/safetensors-file.ts';
import { weights } from '../../../test/assets/tensor.ts';
import { torchZipFile } from '../../../test/assets/torch-zip-file.ts';
import { zipFile } from '../../../test/assets/zip-file.ts';
import { legacyFile, loraTensors, npyFile, onnxFile, peftConfig } from './samples.ts';

const tensors = [
  weights('encoder.weight', { shape: [16, 24], dtype: 'BF16', seed: 1 }),
  weights('encoder.bias', { shape: [16], dtype: 'F32', seed: 2 }),
  weights('scale', { shape: [], dtype: 'F16', seed: 3 }),
  weights('nothing', { shape: [0, 4], dtype: 'F16', seed: 4 }),
];
const shard = safetensorsFile({ tensors });
const index = new TextEncoder().encode(
  JSON.stringify({
    metadata: { total_size: 834 },
    weight_map: Object.fromEntries(tensors.map(({ name }) => [name, 'model-00001-of-00001.safetensors'])),
  }),
);
const array = weights('x', { shape: [8, 3], dtype: 'F32', seed: 5 });

const samples: readonly PluginSample[] = [
  { path: 'models/model.safetensors', bytes: safetensorsFile({ metadata: { format: 'pt' }, tensors }) },
  { path: 'cache/0f3a', bytes: safetensorsFile({ tensors }) },
  {
    path: 'lora/adapter_model.safetensors',
    bytes: safetensorsFile({ tensors: loraTensors(4) }),
    siblings: { 'adapter_config.json': peftConfig({}) },
  },
  {
    path: 'models/model.safetensors.index.json',
    bytes: index,
    siblings: { 'model-00001-of-00001.safetensors': shard },
    hasLayout: false,
  },
  { path: 'runs/last.pt', bytes: torchZipFile({ tensors }) },
  { path: 'runs/large.ckpt', bytes: torchZipFile({ tensors, isZip64: true }) },
  { path: 'runs/power.pth', bytes: torchZipFile({ tensors, byteOrder: 'big' }), findings: ['checkpoint/nan'] },
  { path: 'runs/old.pt', bytes: legacyFile(tensors), findings: ['torch/legacy'] },
  {
    path: 'runs/state.pkl',
    bytes: pickleBytes({ call: { global: ['os', 'system'] }, args: ['true'] }),
    hasLayout: false,
    findings: ['pickle/dangerous-global'],
  },
  { path: 'data/x.npy', bytes: npyFile(array.data, { shape: '(8, 3)' }) },
  {
    path: 'data/x.npz',
    bytes: zipFile([
      { name: 'x.npy', data: npyFile(array.data, { shape: '(8, 3)' }) },
      { name: 'y.npy', data: npyFile(array.data, { shape: '(3, 8)', order: 'True' }), isDeflated: true },
    ]),
  },
  { path: 'models/net.onnx', bytes: onnxFile([array]) },
];

pluginConformance({ describe, test, expect }, plugin, { samples, mutations: 40 });

describe.skipIf(realAssets === undefined)('real files (skipped unless MBK_TEST_ASSETS names their folder)', () => {
  const wanted = /ti\.pt$|af_nova\.pt$/;
  const real = readRealAssets('').filter(({ path }) => wanted.test(path));
  if (real.length > 0) pluginConformance({ describe, test, expect }, plugin, { samples: real, mutations: 20 });
  test('are there', () => expect(real).toHaveLength(2));
});
