import { pluginConformance, type PluginSample } from '@mbk/plugin-sdk/testing';
import { describe, expect, test } from 'vitest';
import { plugin } from '../src/index.ts';
import { ggufFile } from '../../../test/assets/gguf-file.ts';
import { readRealAssets, realAssets } from '../../../test/assets/real-assets.ts';
import { q8, text, tinyKeys, tinyModel, tinyTensors, u32 } from '../../../test/assets/tiny-gguf.ts';

const second = ggufFile({
  metadata: {
    'split.no': { type: 'u16', value: 1 },
    'split.count': { type: 'u16', value: 2 },
    'split.tensors.count': { type: 'i32', value: 5 },
  },
  tensors: [q8('blk.0.ffn_up.weight', [2, 64])],
});
const first = tinyModel({
  keys: {
    'general.quantization_version': u32(2),
    'split.no': { type: 'u16', value: 0 },
    'split.count': { type: 'u16', value: 2 },
    'split.tensors.count': { type: 'i32', value: 5 },
    'a.nested': { type: 'raw', id: 9, value: Uint8Array.from([9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]) },
  },
});

const big = ['gguf/big-endian'];
const samples: readonly PluginSample[] = [
  { path: 'models/v3.gguf', bytes: tinyModel() },
  {
    path: 'models/v2.gguf',
    bytes: tinyModel({ version: 2, tensors: [...tinyTensors, q8('x', [1, 32])] }),
    findings: ['gguf/missing-quantization-version'],
  },
  { path: 'models/v1.gguf', bytes: tinyModel({ version: 1 }), findings: ['gguf/version-1'] },
  { path: 'models/big-endian.gguf', bytes: tinyModel({ byteOrder: 'big' }), findings: big },
  {
    path: 'models/without-extension',
    bytes: tinyModel({ magic: 'FUGG', byteOrder: 'big' }),
    findings: [...big, 'gguf/swapped-magic'],
  },
  { path: 'models/vocabulary.gguf', bytes: ggufFile({ metadata: tinyKeys, tensors: [] }) },
  {
    path: 'models/behind.gguf',
    bytes: Uint8Array.from([...new Uint8Array(32).fill(1), ...tinyModel()]),
    hasLayout: false,
    findings: ['gguf/embedded'],
  },
  {
    path: 'models/m-00001-of-00002.gguf',
    bytes: first,
    siblings: { 'm-00001-of-00002.gguf': first, 'm-00002-of-00002.gguf': second },
    findings: ['gguf/nested-array'],
  },
  {
    path: 'models/nothing.gguf',
    bytes: ggufFile({ metadata: { 'general.type': text('imatrix') }, tensors: [] }),
  },
];

pluginConformance({ describe, test, expect }, plugin, { samples, mutations: 80 });

describe.skipIf(realAssets === undefined)('real files (skipped unless MBK_TEST_ASSETS names their folder)', () => {
  const wanted = /rife-hd\.q2_k\.gguf$|llama-spm\.gguf$/;
  const real = readRealAssets('.gguf')
    .filter(({ path }) => wanted.test(path))
    .map((asset) => ({ ...asset, findings: asset.path.includes('rife') ? ['gguf/unknown-architecture'] : [] }));
  if (real.length > 0) pluginConformance({ describe, test, expect }, plugin, { samples: real, mutations: 20 });
  test('are there', () => expect(real).toHaveLength(2));
});
