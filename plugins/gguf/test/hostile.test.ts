/** Files that are not what they should be, of any kind: an answer of the contract, whatever happens to their bytes. */

import {
  checkDifference,
  checkExamination,
  examineFile,
  isLayoutError,
  memoryReader,
  plainContext,
} from '@mbk/plugin-sdk';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diffGguf } from '../src/diff.ts';
import { plugin } from '../src/index.ts';
import { ggufFile } from '../../../test/assets/gguf-file.ts';
import { readRealAssets } from '../../../test/assets/real-assets.ts';
import { q8, tinyKeys, tinyModel, tinyTensors } from '../../../test/assets/tiny-gguf.ts';

/** Real heads are cut to what holds keys and a few tensors, so that a run stays short. */
const heads: readonly Uint8Array[] = [
  tinyModel(),
  tinyModel({ version: 1, tensors: [...tinyTensors, q8('x', [2, 32])] }),
  tinyModel({ byteOrder: 'big' }),
  ggufFile({ metadata: tinyKeys, tensors: [] }),
  ...readRealAssets('.gguf')
    .filter(({ path }) => /rife-hd\.(?:q2_k|q8_0)\.gguf$|bert-bge\.gguf$/.test(path))
    .map(({ bytes }) => bytes.subarray(0, 100_000)),
];

type Change =
  | { readonly at: number; readonly to: readonly number[] }
  | { readonly cut: number }
  | { readonly splice: readonly [from: number, length: number, at: number] };

const place = fc.oneof(fc.nat(2000), fc.nat(100_000));
const anyChange: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ at: place, to: fc.array(fc.nat(255), { minLength: 1, maxLength: 8 }) }),
  fc.record({
    at: place,
    to: fc.constantFrom([255, 255, 255, 255, 255, 255, 255, 127], [0, 0, 0, 64, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0]),
  }),
  fc.record({ cut: place }),
  fc.record({ splice: fc.tuple(place, fc.nat(512), place) }),
);

function changed(bytes: Uint8Array, other: Uint8Array, changes: readonly Change[]): Uint8Array {
  let result = Uint8Array.from(bytes);
  for (const change of changes) {
    if ('cut' in change) result = result.subarray(0, change.cut);
    else if ('at' in change) {
      for (const [index, byte] of change.to.entries()) result[(change.at + index) % Math.max(1, result.length)] = byte;
    } else {
      const [from, length, at] = change.splice;
      const piece = other.subarray(from, from + length);
      result = Uint8Array.from([...result.subarray(0, at), ...piece, ...result.subarray(at)]);
    }
  }
  return result;
}

describe('whatever happens to a file', () => {
  const files = fc
    .tuple(fc.nat(heads.length - 1), fc.nat(heads.length - 1), fc.array(anyChange, { minLength: 1, maxLength: 4 }))
    .map(([one, two, changes]) => changed(heads[one] ?? new Uint8Array(0), heads[two] ?? new Uint8Array(0), changes));

  test('it is examined by findings of the contract', async () => {
    await fc.assert(
      fc.asyncProperty(files, async (bytes) => {
        const answer = await examineFile(plugin, memoryReader('m/a.gguf', bytes), plainContext({ kind: 'model/gguf' }));
        const check = checkExamination(answer);
        expect(check.ok ? 'ok' : check.reason).toBe('ok');
      }),
      { numRuns: 150 },
    );
  });

  test('layout and findings agree: where there is no error there is a layout', async () => {
    const context = plainContext({ kind: 'model/gguf' });
    await fc.assert(
      fc.asyncProperty(files, async (bytes) => {
        const { findings } = await examineFile(plugin, memoryReader('m/a.gguf', bytes), context);
        const isSound = findings.every(({ code, severity }) => severity !== 'error' && code !== 'gguf/embedded');
        const layout = isSound ? await plugin.layout?.(memoryReader('m/a.gguf', bytes), context) : 'not asked';
        expect(layout).toBeDefined();
      }),
      { numRuns: 100 },
    );
  });

  test('it is compared by a difference of the contract or a LayoutError', async () => {
    await fc.assert(
      fc.asyncProperty(files, fc.nat(heads.length - 1), async (bytes, index) => {
        const other = memoryReader('a', heads[index] ?? bytes);
        try {
          const found = await diffGguf(other, memoryReader('a', bytes), plainContext({ kind: 'model/gguf' }));
          const check = checkDifference(found);
          expect(check.ok ? 'ok' : check.reason).toBe('ok');
        } catch (error) {
          expect(isLayoutError(error)).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });
});
