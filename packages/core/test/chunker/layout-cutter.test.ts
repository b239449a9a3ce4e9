import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { layoutCutter } from '../../src/chunker/layout-cutter.ts';
import type { Layout, TensorSpan } from '../../src/format/layout-record.ts';
import { cutInBuffers, fileOf, isWhole } from './cut.ts';
import { referenceLayoutCuts } from './reference.ts';

const MiB = 1_048_576;

const tensor = (offset: number, length: number, unit = 2): TensorSpan => {
  return { name: `t${offset}`, dtype: 'BF16', shape: [length / unit], offset, length, unit };
};
const layoutOf = (...tensors: TensorSpan[]): Layout => ({ container: 'safetensors', tensors });

const cut = (file: Uint8Array, layout: Layout, sizes = [4 * MiB]): ReturnType<typeof cutInBuffers> => {
  return cutInBuffers(layoutCutter(layout), file, sizes);
};

const half = { dtype: 'BF16', unit: 2 };

describe('layout cutter', () => {
  test('cuts tensors from their start in pieces of whole units, the rest is skeleton', () => {
    const file = fileOf([10 * MiB]);
    // 210 bytes is a block of 256 Q6_K weights: 4 MiB are no multiple of it.
    const layout = layoutOf(tensor(1000, 210 * 30_000, 210), tensor(7 * MiB, 100), tensor(8 * MiB, 65_536));
    const longest = 4_194_304 - (4_194_304 % 210);
    const element = { dtype: 'BF16', unit: 210 };
    expect(cut(file, layout)).toEqual([
      { kind: 'skeleton', offset: 0, length: 1000 },
      { kind: 'blob', offset: 1000, length: longest, element, tensor: { number: 0, offset: 0 } },
      {
        kind: 'blob',
        offset: 1000 + longest,
        length: 6_300_000 - longest,
        element,
        tensor: { number: 0, offset: longest },
      },
      { kind: 'skeleton', offset: 6_301_000, length: 8 * MiB - 6_301_000 },
      { kind: 'blob', offset: 8 * MiB, length: 65_536, element: half, tensor: { number: 2, offset: 0 } },
      { kind: 'skeleton', offset: 8 * MiB + 65_536, length: 2 * MiB - 65_536 },
    ]);
  });

  test('says how long a row is, where there are rows, and takes short ones together', () => {
    const file = fileOf([40_000]);
    const rowOf = (shape: readonly number[], dtype = 'BF16', unit = 2): unknown => {
      const length = dtype === 'Q4_0' ? 18 * 1000 : 20_000;
      const layout = layoutOf({ ...tensor(10, length, unit), shape, dtype });
      return cut(file, layout).find(({ kind }) => kind === 'blob')?.element?.row;
    };
    expect(rowOf([100, 100])).toBe(200);
    expect(rowOf([10, 10, 100])).toBe(200);
    expect(rowOf([1000, 10])).toBeUndefined();
    expect(rowOf([500, 2, 10])).toBe(40);
    expect(rowOf([10_000])).toBeUndefined();
    expect(rowOf([1, 10_000])).toBeUndefined();
    expect(rowOf([100, 3, 3])).toBeUndefined();
    expect(rowOf([0, 7])).toBeUndefined();
    expect(rowOf([100, 320], 'Q4_0', 18)).toBe(180);
  });

  test('which tensors are skeleton is a number of the repository', () => {
    const file = fileOf([100_000]);
    const layout = layoutOf(tensor(10, 4094), tensor(10_000, 4096), tensor(20_000, 65_534));
    const blobs = (pieces: ReturnType<typeof cut>): unknown =>
      pieces.flatMap(({ kind, offset, length }) => (kind === 'blob' ? [[offset, length]] : []));
    expect(blobs(cut(file, layout))).toEqual([
      [10_000, 4096],
      [20_000, 65_534],
    ]);
    expect(blobs(cutInBuffers(layoutCutter(layout, 65_536), file, [4 * MiB]))).toEqual([]);
  });

  test('a piece of zeros is a zero run, also next to one that is not', () => {
    const file = fileOf([100, -4 * MiB, 4 * MiB, -100_000]);
    const pieces = cut(file, layoutOf(tensor(100, 8 * MiB, 4), tensor(100 + 8 * MiB, 100_000, 4)));
    expect(pieces.map(({ kind }) => kind)).toEqual(['skeleton', 'zero', 'blob', 'zero']);
  });

  test('a skeleton of zeros stays a skeleton', () => {
    expect(cut(new Uint8Array(100_000), layoutOf()).map(({ kind }) => kind)).toEqual(['skeleton']);
  });

  test('parts of the skeleton end where its blobs do', () => {
    const file = fileOf([9 * MiB]);
    const pieces = cut(file, layoutOf(tensor(3 * MiB, MiB)));
    expect(pieces.map(({ kind, length }) => [kind, length / MiB])).toEqual([
      ['skeleton', 3],
      ['blob', 1],
      ['skeleton', 1],
      ['skeleton', 4],
    ]);
  });

  test('a file that is shorter than its layout says ends all the same', () => {
    const pieces = cut(fileOf([70_000]), layoutOf(tensor(10_000, 4 * MiB)));
    expect(pieces).toEqual([
      { kind: 'skeleton', offset: 0, length: 10_000 },
      { kind: 'blob', offset: 10_000, length: 60_000, element: half, tensor: { number: 0, offset: 0 } },
    ]);
  });

  test('of numbers with their first byte first only the size is told', () => {
    const layout = layoutOf({ ...tensor(0, 70_000), byteOrder: 'big' });
    expect(cut(fileOf([70_000]), layout)).toEqual([
      { kind: 'blob', offset: 0, length: 70_000, element: { dtype: '', unit: 2 }, tensor: { number: 0, offset: 0 } },
    ]);
  });

  test('the pieces are those of the specification, whatever the sizes of the buffers', () => {
    const spans = fc.array(
      fc.record({
        gap: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 5 * MiB })),
        units: fc.integer({ min: 0, max: 60_000 }),
        unit: fc.constantFrom(1, 2, 4, 18, 34, 144, 210),
        isZero: fc.boolean(),
      }),
      { maxLength: 6 },
    );
    const sizes = fc.array(fc.integer({ min: 1000, max: 5 * MiB }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(spans, fc.nat(100_000), sizes, (items, tail, bufferSizes) => {
        const tensors: TensorSpan[] = [];
        const content: number[] = [];
        let offset = 0;
        for (const { gap, units, unit, isZero } of items) {
          tensors.push(tensor(offset + gap, units * unit, unit));
          content.push(gap, isZero ? -units * unit : units * unit);
          offset += gap + units * unit;
        }
        const file = fileOf([...content, tail]);
        const layout = layoutOf(...tensors);
        const pieces = cut(file, layout, bufferSizes);
        expect(pieces.map(({ kind, offset: at, length }) => ({ kind, offset: at, length }))).toEqual(
          referenceLayoutCuts(file, layout),
        );
        expect(isWhole(pieces, file.length)).toBe(true);
      }),
      { numRuns: 25, seed: 11 },
    );
  });
});
