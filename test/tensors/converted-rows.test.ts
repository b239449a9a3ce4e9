/**
 * What llama.cpp's converter makes of a llama: queries and keys have their rows in another order, all else is as it was.
 * No file holds the weights twice.
 */
import { describe, expect, test } from 'vitest';
import { decodeFrame } from '../../packages/core/src/codec/registry.ts';
import { safetensorsFile } from '../assets/safetensors-file.ts';
import { type AssetTensor, weights } from '../assets/tensor.ts';
import { tinyModel } from '../assets/tiny-gguf.ts';
import { sha256Of, tensorLab } from './tensor-lab.ts';

const deriveCodec = 4;
/** Numbers of a row, and rows of an attention head. */
const columns = 2048;
const headRows = 64;

/** Queries, of two pieces; keys, of fewer heads; what the converter leaves as it is. */
const llama: readonly AssetTensor[] = [
  weights('model.layers.0.self_attn.q_proj.weight', { shape: [20 * headRows, columns], dtype: 'BF16', seed: 1 }),
  weights('model.layers.0.self_attn.k_proj.weight', { shape: [2 * headRows, columns], dtype: 'BF16', seed: 2 }),
  weights('model.layers.0.self_attn.v_proj.weight', { shape: [2 * headRows, columns], dtype: 'BF16', seed: 3 }),
];
const queriesAndKeys = 22 * headRows * columns;
const all = 24 * headRows * columns;

/** `reshape(heads, 2, rows / 2, columns).swapaxes(1, 2)` of convert_hf_to_gguf.py. */
function permuted({ data }: AssetTensor): Uint8Array {
  const rowBytes = 2 * columns;
  const made = new Uint8Array(data.length);
  for (let row = 0; row < data.length / rowBytes; row += 1) {
    const inHead = row % headRows;
    const half = Math.floor(inHead / (headRows / 2));
    const to = row - inHead + 2 * (inHead % (headRows / 2)) + half;
    made.set(data.subarray(row * rowBytes, (row + 1) * rowBytes), to * rowBytes);
  }
  return made;
}

/** What the derive codec makes of BF16 in the same order (docs/format.md: recipe 1 F16, 4 Q8_0). */
function castTo(dtype: 'F16' | 'Q8_0', floats: Uint8Array): Uint8Array {
  const [recipe, length] = dtype === 'F16' ? [1, floats.length] : [4, (floats.length / 64) * 34];
  const parameters = Uint8Array.of(1, 2, recipe, 0, 0, 0, 0);
  return decodeFrame(deriveCodec, new Uint8Array(0), { plainLength: length, parameters, bases: [floats], what: dtype });
}

const ggufNames = ['blk.0.attn_q.weight', 'blk.0.attn_k.weight', 'blk.0.attn_v.weight'] as const;

function converted(dtype: 'BF16' | 'F16' | 'Q8_0'): Uint8Array {
  const tensors = llama.map((tensor, at) => {
    const floats = at < 2 ? permuted(tensor) : tensor.data;
    const data = dtype === 'BF16' ? floats : castTo(dtype, floats);
    return { name: ggufNames[at] ?? '', dtype, shape: tensor.shape, data };
  });
  return tinyModel({ tensors });
}

const original = safetensorsFile({ tensors: llama });

describe.each([1, 2])('with %i threads', (jobs) => {
  const threads = { jobs, threadsFrom: 0 };

  test.each([
    ['F16', all * 2],
    ['Q8_0', (all * 34) / 32],
    // What kept its order is the same bytes.
    ['BF16', queriesAndKeys * 2],
  ] as const)('its %s is how it was made, in one run', async (dtype, expected) => {
    const lab = await tensorLab();
    const files = { 'llama.gguf': converted(dtype), 'llama.safetensors': original };
    for (const [name, bytes] of Object.entries(files)) lab.write(name, bytes);
    await lab.snapshot({ jobs });
    const derived = (await lab.frames()).filter(({ codec }) => codec === deriveCodec);
    expect(derived.reduce((sum, { plainLength }) => sum + plainLength, 0)).toBe(expected);
    expect(derived.reduce((sum, { boxLength }) => sum + boxLength, 0)).toBeLessThan(100 * derived.length);
    const sums = Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, sha256Of(bytes)]));
    expect(await lab.restored('lab', threads)).toEqual(sums);
    expect((await lab.verify({ ...threads, independent: true })).findings).toEqual([]);
  });

  test.each([
    [
      'the model',
      'its conversion',
      [
        ['llama.safetensors', original],
        ['llama.gguf', converted('BF16')],
      ],
    ],
    [
      'its conversion',
      'the model',
      [
        ['llama.gguf', converted('BF16')],
        ['llama.safetensors', original],
      ],
    ],
  ] as const)('%s is stored, and in a later snapshot %s is how it was made of it', async (_, __, files) => {
    const lab = await tensorLab();
    for (const [at, [name, bytes]] of files.entries()) {
      lab.write(name, bytes);
      await lab.snapshot({ jobs, tag: `v${at + 1}` });
    }
    const derived = (await lab.frames()).filter(({ codec }) => codec === deriveCodec);
    expect(derived.reduce((sum, { plainLength }) => sum + plainLength, 0)).toBe(queriesAndKeys * 2);
    const sums = Object.fromEntries(files.map(([name, bytes]) => [name, sha256Of(bytes)]));
    expect(await lab.restored('lab/v2', threads)).toEqual(sums);
    expect((await lab.verify(threads)).findings).toEqual([]);
  });
});
