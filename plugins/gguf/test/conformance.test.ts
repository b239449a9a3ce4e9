import { pluginConformance } from '@mbk/plugin-sdk/testing';
import { describe, expect, test } from 'vitest';
import { plugin } from '../src/index.ts';
import { ggufFile, type GgufFileOptions } from '../../../test/assets/gguf-file.ts';
import { readRealAssets, realAssets } from '../../../test/assets/real-assets.ts';
import { seededBytes, weights } from '../../../test/assets/tensor.ts';

const content: GgufFileOptions = {
  metadata: {
    'general.architecture': { type: 'string', value: 'llama' },
    'general.quantization_version': { type: 'u32', value: 2 },
    'llama.rope.freq_base': { type: 'f32', value: 10_000 },
    'tokenizer.ggml.tokens': { type: 'strings', value: ['<s>', '</s>', 'a', ''] },
  },
  tensors: [
    weights('token_embd.weight', { shape: [4, 64], dtype: 'F16', seed: 1 }),
    weights('blk.0.attn_norm.weight', { shape: [33], dtype: 'F32', seed: 2 }),
    { name: 'blk.0.ffn_up.weight', dtype: 'Q8_0', shape: [2, 32], data: seededBytes(68, 3) },
  ],
};

pluginConformance({ describe, test, expect }, plugin, {
  samples: [
    { path: 'models/v3.gguf', bytes: ggufFile(content) },
    { path: 'models/v2.gguf', bytes: ggufFile({ ...content, version: 2 }) },
    { path: 'models/v1.gguf', bytes: ggufFile({ ...content, version: 1 }) },
    { path: 'models/big-endian.gguf', bytes: ggufFile({ ...content, byteOrder: 'big' }) },
    { path: 'models/without-extension', bytes: ggufFile({ ...content, magic: 'FUGG', byteOrder: 'big' }) },
  ],
});

describe.skipIf(realAssets === undefined)('real files (skipped unless MBK_TEST_ASSETS names their folder)', () => {
  const wanted = /rife-hd\.(?:f16|q2_k)\.gguf$|llama-spm\.gguf$/;
  const samples = readRealAssets('.gguf').filter(({ path }) => wanted.test(path));
  if (samples.length > 0) pluginConformance({ describe, test, expect }, plugin, { samples, mutations: 60 });
  test('are there', () => expect(samples).toHaveLength(3));
});
