import { type Difference, memoryReader, plainContext } from '@mbk/plugin-sdk';
import { describe, expect, test } from 'vitest';
import { diffGguf } from '../src/diff.ts';
import { type GgufFileTensor } from '../../../test/assets/gguf-file.ts';
import { weights } from '../../../test/assets/tensor.ts';
import { numbers, q8, text, tinyModel, tinyTensors, u32 } from '../../../test/assets/tiny-gguf.ts';

const diff = async (before: Uint8Array, after: Uint8Array): Promise<Difference> =>
  diffGguf(memoryReader('a.gguf', before), memoryReader('a.gguf', after), plainContext({ kind: 'model/gguf' }));

/** The tiny model with one of its tensors as another. */
const withTensor = (index: number, tensor: GgufFileTensor): Uint8Array =>
  tinyModel({ tensors: tinyTensors.with(index, tensor) });

describe('diffGguf', () => {
  test('tells which keys were added, removed, changed and retyped', async () => {
    const after = tinyModel({
      keys: {
        'general.license': undefined,
        'general.name': text('Tiny 2'),
        'llama.context_length': { type: 'u64', value: 128 },
        'llama.rope.freq_base': { type: 'f32', value: 0.5 },
        'tokenizer.ggml.add_bos_token': { type: 'bool', value: 0 },
        'tokenizer.ggml.scores': numbers('f32', 0, 0, 0, -2),
      },
    });
    const { changes, lines } = await diff(tinyModel(), after);
    expect(changes).toEqual([
      { what: 'key', name: 'general.name', change: 'changed', before: 'Tiny', after: 'Tiny 2' },
      { what: 'key', name: 'general.license', change: 'removed', before: 'mit' },
      { what: 'key', name: 'llama.context_length', change: 'retyped', before: 'u32 128', after: 'u64 128' },
      { what: 'key', name: 'tokenizer.ggml.scores', change: 'changed', before: '4 × f32', after: '4 × f32' },
      { what: 'key', name: 'tokenizer.ggml.add_bos_token', change: 'changed', before: true, after: false },
      { what: 'key', name: 'llama.rope.freq_base', change: 'added', after: 0.5 },
    ]);
    expect(lines[0]).toBe('~ key general.name: Tiny → Tiny 2');
    expect(lines.at(-1)).toBe('+ key llama.rope.freq_base: 0.5');
  });

  test.each<[string, Uint8Array, object]>([
    [
      'values',
      withTensor(1, weights('blk.0.attn_norm.weight', { shape: [64], dtype: 'F32', seed: 9 })),
      { name: 'blk.0.attn_norm.weight', change: 'changed' },
    ],
    [
      'shape',
      withTensor(1, weights('blk.0.attn_norm.weight', { shape: [2, 64], dtype: 'F32', seed: 2 })),
      { name: 'blk.0.attn_norm.weight', change: 'changed', before: 'F32 [64]', after: 'F32 [2, 64]' },
    ],
    [
      'type',
      withTensor(2, q8('blk.0.attn_q.weight', [64, 64])),
      { name: 'blk.0.attn_q.weight', change: 'retyped', before: 'F16 [64, 64]', after: 'Q8_0 [64, 64]' },
    ],
    [
      'absence',
      tinyModel({ tensors: tinyTensors.slice(0, -1) }),
      { name: 'output_norm.weight', change: 'removed', before: 'F32 [64]' },
    ],
  ])('tells of a tensor by its %s', async (_, after, change) => {
    expect((await diff(tinyModel(), after)).changes).toEqual([{ what: 'tensor', ...change }]);
  });

  test('finds the same tensors and keys in another order the same', async () => {
    const { changes } = await diff(tinyModel(), tinyModel({ tensors: tinyTensors.toReversed(), alignment: 32 }));
    expect(changes).toEqual([]);
  });

  test.each([
    ['version', 3, 1, { version: 1 }],
    ['byte order', 'little', 'big', { byteOrder: 'big' }],
  ] as const)('finds nothing but the %s changed where all else is the same', async (name, before, after, change) => {
    const { changes } = await diff(tinyModel(), tinyModel(change));
    expect(changes).toEqual([{ what: 'header', name, change: 'changed', before, after }]);
  });

  test('sees through byte orders which lists differ', async () => {
    const keys = { 'tokenizer.ggml.token_type': numbers('i32', 2, 3, 3, 4) };
    const { changes } = await diff(tinyModel(), tinyModel({ byteOrder: 'big', keys }));
    expect(changes.map(({ name }) => name)).toEqual(['byte order', 'tokenizer.ggml.token_type']);
  });

  test('counts what does not fit, and tells a few of many', async () => {
    const many = (seed: number): Uint8Array =>
      tinyModel({
        keys: { 'general.version': u32(seed) },
        tensors: Array.from({ length: 120 }, (_, index) =>
          weights(`t${index}`, { shape: [2], dtype: 'F32', seed: seed * 1000 + index }),
        ),
      });
    const plain = plainContext({ kind: 'model/gguf' });
    const context = { ...plain, limits: { ...plain.limits, changes: 100 } };
    const found = await diffGguf(memoryReader('a', many(1)), memoryReader('a', many(2)), context);
    expect(found.changes).toHaveLength(100);
    expect(found.omitted).toBe(21);
    expect(found.lines).toHaveLength(1 + 50 + 1);
    expect(found.lines.at(-1)).toBe('… and 70 more: changed tensor');
  });

  test('refuses what it cannot read to the end', async () => {
    await expect(diff(tinyModel(), new Uint8Array(9))).rejects.toMatchObject({ code: 'gguf/not-gguf' });
    await expect(diff(tinyModel().subarray(0, 500), tinyModel())).rejects.toMatchObject({ name: 'LayoutError' });
  });
});
