import { type Difference, memoryReader, plainContext } from '@mbk/plugin-sdk';
import { expect, test } from 'vitest';
import { pickleBytes } from '../../../test/assets/pickle-bytes.ts';
import { safetensorsFile } from '../../../test/assets/safetensors-file.ts';
import { weights } from '../../../test/assets/tensor.ts';
import { torchZipFile } from '../../../test/assets/torch-zip-file.ts';
import { plugin } from '../src/index.ts';

const context = plainContext({ kind: 'model/safetensors', options: { unknownGlobals: 'warning' } as const });
async function diff(before: Uint8Array, after: Uint8Array, path = 'a.pt'): Promise<Difference> {
  const found = await plugin.diff?.(memoryReader(path, before), memoryReader(path, after), context);
  return found ?? { changes: [], lines: [] };
}

const a = weights('a', { shape: [4], dtype: 'F32', seed: 1 });
const b = weights('b', { shape: [2, 2], dtype: 'F32', seed: 2 });

test('tensors added, removed, retyped, reshaped and changed', async () => {
  const before = [
    a,
    b,
    weights('c', { shape: [4], dtype: 'F32', seed: 3 }),
    weights('d', { shape: [4], dtype: 'F32', seed: 4 }),
  ];
  const after = [
    weights('a', { shape: [4], dtype: 'F32', seed: 9 }),
    weights('b', { shape: [4], dtype: 'F32', seed: 2 }),
    weights('c', { shape: [4], dtype: 'F16', seed: 3 }),
    weights('e', { shape: [1], dtype: 'F32', seed: 5 }),
  ];
  const { changes, lines } = await diff(torchZipFile({ tensors: before }), torchZipFile({ tensors: after }));
  expect(changes).toEqual([
    { what: 'fact', name: 'import torch.HalfStorage', change: 'added', after: true },
    { what: 'tensor', name: 'a', change: 'changed' },
    { what: 'tensor', name: 'b', change: 'changed', before: 'F32 [2, 2]', after: 'F32 [4]' },
    { what: 'tensor', name: 'c', change: 'retyped', before: 'F32 [4]', after: 'F16 [4]' },
    { what: 'tensor', name: 'd', change: 'removed', before: 'F32 [4]' },
    { what: 'tensor', name: 'e', change: 'added', after: 'F32 [1]' },
  ]);
  expect(lines).toContain('~ tensor c: F32 [4] → F16 [4]');
});

test('metadata, and what a pickle imports', async () => {
  const file = (metadata: Record<string, string>): Uint8Array => safetensorsFile({ metadata, tensors: [a] });
  expect((await diff(file({ step: '1' }), file({ step: '2' }), 'a.safetensors')).lines).toEqual([
    '~ fact metadata.step: 1 → 2',
  ]);
  const call = (name: string): Uint8Array => pickleBytes({ call: { global: ['my', name] }, args: [] });
  expect((await diff(call('old'), call('new'), 'a.pkl')).changes).toEqual([
    { what: 'fact', name: 'import my.old', change: 'removed', before: true },
    { what: 'fact', name: 'import my.new', change: 'added', after: true },
  ]);
});

test('the same weights in another container', async () => {
  const { changes } = await diff(torchZipFile({ tensors: [a, b] }), safetensorsFile({ tensors: [a, b] }));
  expect(changes.filter(({ what }) => what === 'tensor')).toEqual([]);
  expect(changes[0]).toEqual({
    what: 'file',
    name: 'format',
    change: 'changed',
    before: 'pytorch-zip',
    after: 'safetensors',
  });
});
