import { checkExamination, checkLayout, examineFile, isLayoutError, memoryReader, plainContext } from '@mbk/plugin-sdk';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pickleBytes } from '../../../test/assets/pickle-bytes.ts';
import { readRealAssets } from '../../../test/assets/real-assets.ts';
import { safetensorsFile } from '../../../test/assets/safetensors-file.ts';
import { weights } from '../../../test/assets/tensor.ts';
import { torchZipFile } from '../../../test/assets/torch-zip-file.ts';
import { zipFile } from '../../../test/assets/zip-file.ts';
import { plugin } from '../src/index.ts';
import { legacyFile, npyFile, onnxFile } from './samples.ts';

const tensors = [
  weights('a', { shape: [3, 5], dtype: 'F16', seed: 1 }),
  weights('b', { shape: [7], dtype: 'F32', seed: 2 }),
];
const files: readonly Uint8Array[] = [
  safetensorsFile({ tensors, metadata: { format: 'pt' } }),
  torchZipFile({ tensors }),
  torchZipFile({ tensors, isZip64: true }),
  legacyFile(tensors),
  npyFile(new Uint8Array(24), { shape: '(2, 3)' }),
  zipFile([{ name: 'x.npy', data: npyFile(new Uint8Array(24), { shape: '(2, 3)' }), isDeflated: true }]),
  onnxFile([weights('c', { shape: [3], dtype: 'F32', seed: 3 })]),
  pickleBytes({ call: { global: ['os', 'system'] }, args: ['true'], build: { dict: [['a', 1]] } }),
  // Real ones, small enough to be cut a thousand times.
  ...readRealAssets('.pt')
    .filter(({ bytes }) => bytes.length < 10_000)
    .map(({ bytes }) => bytes),
];

const anyFile = fc.constantFrom(...files);
const place = fc.double({ min: 0, max: 1, noNaN: true });
const at = (bytes: Uint8Array, where: number): number => Math.floor(where * bytes.length);

const truncated = fc.tuple(anyFile, place).map(([bytes, where]) => bytes.subarray(0, at(bytes, where)));
const flipped = fc
  .tuple(anyFile, fc.array(fc.tuple(place, fc.nat(255)), { minLength: 1, maxLength: 6 }))
  .map(([bytes, changes]) => {
    const changed = Uint8Array.from(bytes);
    for (const [where, value] of changes) if (bytes.length > 0) changed[at(bytes, where) % bytes.length] = value;
    return changed;
  });
const spliced = fc
  .tuple(anyFile, anyFile, place, place)
  .map(([a, b, end, start]) => new Uint8Array(Buffer.concat([a.subarray(0, at(a, end)), b.subarray(at(b, start))])));

const extensions = ['.safetensors', '.pt', '.pkl', '.npy', '.npz', '.onnx', '.bin', '.safetensors.index.json', ''];

describe('whatever becomes of a file, it has findings or none, and never an exception', () => {
  test.each([
    ['truncated', truncated],
    ['flipped', flipped],
    ['spliced', spliced],
    ['anything', fc.uint8Array({ maxLength: 300 })],
  ] as const)('%s', async (_, variants) => {
    await fc.assert(
      fc.asyncProperty(variants, fc.constantFrom(...extensions), async (bytes, extension) => {
        const reader = memoryReader(`a${extension}`, bytes);
        const context = plainContext({ kind: 'model/safetensors', options: { unknownGlobals: 'warning' } });
        const check = checkExamination(await examineFile(plugin, reader, context));
        expect(check.ok ? 'ok' : check.reason).toBe('ok');
        try {
          const layout = await plugin.layout?.(reader, context);
          if (layout !== undefined) expect(checkLayout(layout, bytes.length).ok).toBe(true);
        } catch (error) {
          expect(isLayoutError(error)).toBe(true);
        }
        await plugin.diff?.(reader, memoryReader('b.pt', bytes), context);
      }),
      { numRuns: 300 },
    );
  });
});
