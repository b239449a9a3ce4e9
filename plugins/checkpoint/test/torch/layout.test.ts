import { checkLayout, type Layout, layoutLimits, memoryReader } from '@mbk/plugin-sdk';
import { describe, expect, test } from 'vitest';
import { layoutTorchZip } from '../../src/index.ts';
import { pickledStorages } from '../../src/torch/pickled-tensors.ts';
import { pickleBytes, type PickleItem } from '../../../../test/assets/pickle-bytes.ts';
import { readRealAssets, realAssets } from '../../../../test/assets/real-assets.ts';
import { seededBytes, weights } from '../../../../test/assets/tensor.ts';
import {
  orderedDict,
  pickledStorage,
  pickledTensor,
  torchZipFile,
  torchZipOf,
} from '../../../../test/assets/torch-zip-file.ts';
import { zipFile } from '../../../../test/assets/zip-file.ts';

const context = { signal: new AbortController().signal, limits: layoutLimits };
const layoutOf = (bytes: Uint8Array): Promise<Layout | undefined> =>
  layoutTorchZip(memoryReader('a.pt', bytes), context);
/** Name, dtype and shape of each span of a checkpoint with this pickle. */
async function spansOf(root: PickleItem, ...storages: readonly Uint8Array[]): Promise<readonly unknown[] | undefined> {
  const pickle = pickleBytes(root);
  const keyed = storages.map((data, key): [string, Uint8Array] => [`${key}`, data]);
  const layout = await layoutOf(torchZipOf(pickle, keyed));
  return layout?.tensors.map(({ dtype, name, shape }) => [name, dtype, shape]);
}

const w = weights('w', { shape: [2, 3], dtype: 'F32', seed: 1 });
const b = weights('b', { shape: [3], dtype: 'BF16', seed: 2 });

describe('layoutTorchZip', () => {
  test.each([{}, { isZip64: true }, { folder: 'epoch 3', alignment: 1 }])(
    'finds storages by name: %o',
    async (options) => {
      const tensors = [w, b, { name: 'steps', dtype: 'I64' as const, shape: [], data: seededBytes(8, 3) }];
      const bytes = torchZipFile({ tensors, ...options });
      const layout = await layoutOf(bytes);
      expect(layout?.tensors.map(({ dtype, name, shape }) => [name, dtype, shape])).toEqual([
        ['w', 'F32', [2, 3]],
        ['b', 'BF16', [3]],
        ['steps', 'I64', []],
      ]);
      for (const [index, { length, offset }] of (layout?.tensors ?? []).entries()) {
        expect(bytes.subarray(offset, offset + length)).toEqual(tensors[index]?.data);
      }
    },
  );

  test('knows every tensor of thirty thousand, of which most is not kept once it is read', () => {
    const one = (key: string): PickleItem => pickledTensor({ dtype: 'F32', shape: [2, 2], data: { length: 16 } }, key);
    const pickle = pickleBytes({ dict: Array.from({ length: 30_000 }, (_, at) => [`t${at}`, one(`${at}`)]) });
    const storages = pickledStorages(pickle);
    expect(storages.size).toBe(30_000);
    expect([...storages].filter(([key, { name }]) => name !== `t${key}`)).toEqual([]);
  });

  test('marks the elements of a big-endian file', async () => {
    const layout = await layoutOf(torchZipFile({ tensors: [w], byteOrder: 'big' }));
    expect(layout?.tensors[0]?.byteOrder).toBe('big');
  });

  test('names tensors by their path through dicts, lists, tuples and modules', async () => {
    const root: PickleItem = {
      dict: [
        ['model', { call: orderedDict, args: [], set: [['w', pickledTensor(w, '0')]] }],
        ['state', { dict: [[0, { dict: [['avg', pickledTensor(w, '1')]] }]] }],
        ['history', { list: [1, { tuple: ['x', pickledTensor(b, '2')] }] }],
        [
          'module',
          {
            call: { global: ['my.net', 'Net'] },
            args: [],
            build: {
              dict: [
                [
                  '_modules',
                  { dict: [['fc', { dict: [['_parameters', { dict: [['weight', pickledTensor(w, '3')]] }]] }]] },
                ],
              ],
            },
          },
        ],
      ],
    };
    expect(await spansOf(root, w.data, w.data, b.data, w.data)).toEqual([
      ['model.w', 'F32', [2, 3]],
      ['state.0.avg', 'F32', [2, 3]],
      ['history.1.1', 'BF16', [3]],
      ['module.fc.weight', 'F32', [2, 3]],
    ]);
  });

  test('reads parameters, subclasses and tensors with a dtype of their own', async () => {
    const parameter: PickleItem = {
      call: { global: ['torch._utils', '_rebuild_parameter'] },
      args: [pickledTensor(w, '0'), true, { dict: [] }],
    };
    const subclass: PickleItem = {
      call: { global: ['torch._tensor', '_rebuild_from_type_v2'] },
      args: [
        { global: ['torch._utils', '_rebuild_tensor_v2'] },
        { global: ['my.tensors', 'Tagged'] },
        { tuple: [pickledStorage('BFloat16Storage', '1', 3), 0, { tuple: [3] }, { tuple: [1] }, false, null] },
        { dict: [] },
      ],
    };
    const float8: PickleItem = {
      call: { global: ['torch._utils', '_rebuild_tensor_v3'] },
      args: [
        pickledStorage('UntypedStorage', '2', 4),
        0,
        { tuple: [2, 2] },
        { tuple: [2, 1] },
        false,
        null,
        { global: ['torch', 'float8_e4m3fn'] },
      ],
    };
    const root: PickleItem = {
      dict: [
        ['p', parameter],
        ['s', subclass],
        ['q', float8],
      ],
    };
    expect(await spansOf(root, w.data, b.data, seededBytes(4, 1))).toEqual([
      ['p', 'F32', [2, 3]],
      ['s', 'BF16', [3]],
      ['q', 'F8_E4M3', [2, 2]],
    ]);
  });

  test('lays out a storage whole, whatever tensors look at it', async () => {
    const view = pickledTensor({ ...w, shape: [3] }, '0', { offset: 3 });
    expect(await spansOf({ dict: [['view', view]] }, w.data)).toEqual([['data/0', 'F32', [6]]]);
    const transposed = pickledTensor({ ...w, shape: [3, 2] }, '0', { stride: [1, 3] });
    expect(await spansOf({ dict: [['t', transposed]] }, w.data)).toEqual([['t', 'F32', [6]]]);
    const tied: PickleItem = {
      dict: [
        ['view', view],
        ['in', pickledTensor(w, '0')],
        ['out', pickledTensor(w, '0')],
      ],
    };
    expect(await spansOf(tied, w.data)).toEqual([['in', 'F32', [2, 3]]]);
  });

  test('gives a name once', async () => {
    const root: PickleItem = {
      dict: [
        ['a.b', pickledTensor(w, '0')],
        ['a', { dict: [['b', pickledTensor(b, '1')]] }],
      ],
    };
    expect(await spansOf(root, w.data, b.data)).toEqual([
      ['a.b', 'F32', [2, 3]],
      ['data/1', 'BF16', [3]],
    ]);
  });

  test('keeps the places of storages that the pickle does not explain', async () => {
    const unnamed = [['data/0', 'U8', [24]]];
    expect(await spansOf({ dict: [] }, w.data)).toEqual(unnamed);
    const wrongSize = pickledTensor({ ...w, shape: [7], data: new Uint8Array(28) }, '0');
    expect(await spansOf({ dict: [['w', wrongSize]] }, w.data)).toEqual(unnamed);
    const broken = torchZipOf(Uint8Array.of(0x80, 2, 0xff), [['0', w.data]]);
    expect((await layoutOf(broken))?.tensors).toMatchObject([{ name: 'data/0', dtype: 'U8' }]);
    const alone = pickledTensor(w, '0');
    expect(await spansOf(alone, w.data)).toEqual([['data/0', 'F32', [2, 3]]]);
  });

  test('reads the constants of TorchScript beside its data', async () => {
    const member = (name: string, data: Uint8Array): { name: string; data: Uint8Array } => ({
      name: `net/${name}`,
      data,
    });
    const bytes = zipFile([
      member('constants/0', b.data),
      member('data/0', w.data),
      member('code/__torch__/net.py', seededBytes(10, 1)),
      member('data.pkl', pickleBytes({ dict: [['w', pickledTensor(w, '0')]] })),
      member('constants.pkl', pickleBytes({ tuple: [pickledTensor(b, '0')] })),
    ]);
    expect((await layoutOf(bytes))?.tensors.map(({ dtype, name }) => [name, dtype])).toEqual([
      ['constants.0', 'BF16'],
      ['w', 'F32'],
    ]);
  });

  test('leaves out members that are packed', async () => {
    const pickle = pickleBytes({
      dict: [
        ['w', pickledTensor(w, '0')],
        ['b', pickledTensor(b, '1')],
      ],
    });
    const bytes = zipFile([
      { name: 'a/data.pkl', data: pickle },
      { name: 'a/data/0', data: w.data, isDeflated: true },
      { name: 'a/data/1', data: b.data },
    ]);
    expect((await layoutOf(bytes))?.tensors.map(({ name }) => name)).toEqual(['b']);
  });

  test('says nothing of other zip files', async () => {
    expect(await layoutOf(zipFile([{ name: 'word/document.xml', data: seededBytes(10, 1) }]))).toBeUndefined();
    expect(await layoutOf(zipFile([]))).toBeUndefined();
    expect(await layoutOf(seededBytes(500, 1))).toBeUndefined();
  });

  test('refuses members given twice, and headers that name another member', async () => {
    const pickle = { name: 'a/data.pkl', data: pickleBytes({ dict: [] }) };
    const storage = { name: 'a/data/0', data: w.data };
    const code = (members: Parameters<typeof zipFile>[0]): Promise<unknown> =>
      layoutOf(zipFile(members)).then(
        () => 'ok',
        (error: unknown) => (error as { code?: unknown }).code,
      );
    expect(await code([pickle, storage])).toBe('ok');
    expect(await code([pickle, storage, storage])).toBe('zip/duplicate-member');
    expect(await code([pickle, pickle, storage])).toBe('zip/duplicate-member');
    expect(await code([pickle, { ...storage, localName: 'a/data/1' }])).toBe('zip/header-disagrees');
  });
});

describe.skipIf(realAssets === undefined)(
  'real checkpoints (skipped unless MBK_TEST_ASSETS names their folder)',
  () => {
    const named = async (ending: string): Promise<readonly (readonly [string, number, number])[]> => {
      const found: [string, number, number][] = [];
      for (const { bytes, path } of readRealAssets(ending)) {
        const layout = await layoutOf(bytes);
        expect(checkLayout(layout, bytes.length).ok).toBe(true);
        const tensors = layout?.tensors ?? [];
        found.push([path, tensors.length, tensors.filter(({ dtype }) => dtype === 'U8').length]);
      }
      return found;
    };

    test('have a dtype for every storage', async () => {
      expect(await named('.jit')).toEqual([
        ['checkpoints/silero_vad.v3.jit', 113, 0],
        ['checkpoints/silero_vad.v4.jit', 223, 0],
      ]);
      expect(await named('.pth')).toEqual([['checkpoints/taesana_encoder.pth', 69, 0]]);
      expect(await named('illust.pt')).toEqual([['adapters/lora_illust.pt', 256, 0]]);
    });

    test('are named as their state dicts are', async () => {
      const [encoder] = readRealAssets('taesana_encoder.pth');
      const layout = encoder && (await layoutOf(encoder.bytes));
      expect(layout?.tensors.slice(0, 2)).toMatchObject([
        { name: '0.weight', dtype: 'F16', shape: [32, 3, 3, 3] },
        { name: '0.bias', dtype: 'F16', shape: [32] },
      ]);
    });
  },
);
