import { checkLayout, type Layout, layoutLimits, memoryReader } from '@mbk/plugin-sdk';
import { describe, expect, test } from 'vitest';
import { layoutGguf } from '../src/index.ts';
import { ggufFile, type GgufFileOptions, type GgufFileTensor } from '../../../test/assets/gguf-file.ts';
import { readRealAssets, realAssets } from '../../../test/assets/real-assets.ts';
import { seededBytes, weights } from '../../../test/assets/tensor.ts';

const context = { signal: new AbortController().signal, limits: layoutLimits };
const layoutOf = (bytes: Uint8Array): Promise<Layout | undefined> => layoutGguf(memoryReader('a.gguf', bytes), context);

const tensors: readonly GgufFileTensor[] = [
  weights('a', { shape: [3, 5], dtype: 'F32', seed: 1 }),
  { name: 'b', dtype: 'Q4_K', shape: [2, 256], data: seededBytes(288, 2) },
  { name: 'scalar', dtype: 'F16', shape: [], data: seededBytes(2, 3) },
];

describe('layoutGguf', () => {
  test.each<[string, Partial<GgufFileOptions>]>([
    ['version 3', {}],
    ['version 2', { version: 2 }],
    ['version 1', { version: 1 }],
    ['big-endian', { byteOrder: 'big' }],
    ['alignment 256', { alignment: 256 }],
    ['alignment 1', { alignment: 1 }],
  ])('finds the bytes of every tensor: %s', async (_, change) => {
    const bytes = ggufFile({ tensors, ...change });
    const layout = await layoutOf(bytes);
    expect(layout?.tensors.map(({ dtype, name, shape }) => ({ dtype, name, shape }))).toEqual(
      tensors.map(({ dtype, name, shape }) => ({ dtype, name, shape })),
    );
    for (const [index, { length, offset }] of (layout?.tensors ?? []).entries()) {
      expect(bytes.subarray(offset, offset + length)).toEqual(tensors[index]?.data);
    }
    expect(layout?.tensors[0]?.byteOrder).toBe(change.byteOrder);
  });

  test('lists tensors by place, whatever the order of the header', async () => {
    const swapped = tensors.slice(0, 2).map((tensor, at) => ({ ...tensor, dataOffset: at === 0 ? 288 : 0 }));
    const layout = await layoutOf(ggufFile({ tensors: swapped }));
    expect(layout?.tensors.map(({ name }) => name)).toEqual(['b', 'a']);
  });

  test('has an empty list for a file without tensors, and zero bytes for a tensor without elements', async () => {
    expect(await layoutOf(ggufFile({ tensors: [] }))).toEqual({ container: 'gguf', tensors: [] });
    const empty = { name: 'e', dtype: 'F32', shape: [0, 4], data: new Uint8Array(0) };
    expect((await layoutOf(ggufFile({ tensors: [empty] })))?.tensors[0]).toMatchObject({ shape: [0, 4], length: 0 });
  });

  const oneTensor = (change: Partial<GgufFileTensor>): GgufFileOptions => ({
    tensors: [{ name: 'w', dtype: 'F32', shape: [4], data: new Uint8Array(16), ...change }],
  });
  const alignment = (value: number | bigint, type: 'u32' | 'u64' = 'u32'): GgufFileOptions => ({
    ...oneTensor({}),
    metadata: { 'general.alignment': { type, value } },
  });

  test.each<[string, string, GgufFileOptions]>([
    ['gguf/bad-type', 'a removed type', oneTensor({ dtype: 4 })],
    ['gguf/bad-type', 'a type of the future', oneTensor({ dtype: 2 ** 31 })],
    ['gguf/split-block', 'rows of half a block', oneTensor({ dtype: 'Q8_0', shape: [2, 16] })],
    ['gguf/too-large', 'a product that wraps to zero', oneTensor({ shape: [2n ** 32n, 2n ** 32n] })],
    ['gguf/too-large', 'a product that wraps to little', oneTensor({ shape: [2n ** 42n + 1n, 2n ** 22n] })],
    ['gguf/too-large', 'a negative dimension', oneTensor({ shape: [-1n] })],
    ['gguf/too-large', 'a huge dimension beside a zero', oneTensor({ shape: [0, 2n ** 60n] })],
    ['gguf/out-of-file', 'more elements than bytes', oneTensor({ shape: [2n ** 50n] })],
    ['gguf/out-of-file', 'an offset past the end', oneTensor({ dataOffset: 2n ** 63n })],
    ['gguf/misaligned', 'an odd offset', oneTensor({ dataOffset: 8 })],
    [
      'layout/overlap',
      'two tensors in one place',
      { tensors: [...tensors, { ...weights('z', { shape: [1], dtype: 'F32', seed: 1 }), dataOffset: 0 }] },
    ],
    ['layout/duplicate-name', 'a name given twice', { tensors: [...tensors, ...tensors.slice(0, 1)] }],
    ['gguf/bad-alignment', 'an alignment of zero', alignment(0)],
    ['gguf/bad-alignment', 'an alignment of 48', alignment(48)],
    ['gguf/bad-alignment', 'an alignment that is no u32', alignment(32, 'u64')],
    ['gguf/out-of-file', 'an alignment of 2^31', alignment(2 ** 31)],
  ])('refuses with %s: %s', async (code, _, options) => {
    await expect(layoutOf(ggufFile(options))).rejects.toMatchObject({ name: 'LayoutError', code });
  });

  test('refuses a file that was cut short', async () => {
    const bytes = ggufFile({ tensors });
    await expect(layoutOf(bytes.subarray(0, -64))).rejects.toMatchObject({ code: 'gguf/out-of-file' });
  });
});

describe.skipIf(realAssets === undefined)('real models (skipped unless MBK_TEST_ASSETS names their folder)', () => {
  test('are covered but for their headers', async () => {
    const models = readRealAssets('.gguf').filter(({ path }) => path.includes('rife'));
    expect(models).toHaveLength(16);
    for (const { bytes, path } of models) {
      const layout = await layoutOf(bytes);
      const covered = layout?.tensors.reduce((sum, { length }) => sum + length, 0) ?? 0;
      expect({ path, ok: checkLayout(layout, bytes.length).ok, rest: bytes.length - covered < 2048 }).toEqual({
        path,
        ok: true,
        rest: true,
      });
    }
  });

  test('of vocabulary alone have no tensors', async () => {
    const vocabularies = readRealAssets('.gguf').filter(({ path }) => path.includes('vocab'));
    expect(vocabularies).toHaveLength(5);
    for (const { bytes } of vocabularies) expect((await layoutOf(bytes))?.tensors).toEqual([]);
  });
});
