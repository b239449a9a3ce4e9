import { describe, expect, test } from 'vitest';
import type { Layout } from '../../../src/format/layout-record.ts';
import { rankOf } from '../../../src/snapshot/relatives/precision.ts';
import { runRelatives, type Relatives } from '../../../src/snapshot/relatives/relatives.ts';
import { idOf } from '../../pack/test-keys.ts';

const MiB = 1024 * 1024;

function layoutOf(dtype: string, length: number, unit: number, name = 't'): Layout {
  return { container: 'test', tensors: [{ name, dtype, shape: [length / unit], offset: 0, length, unit }] };
}

function relativesOf(): { readonly relatives: Relatives; readonly done: string[] } {
  const done: string[] = [];
  const relatives = runRelatives({
    load: async () => void done.push('load'),
    async flush() {
      done.push('flush');
      await new Promise(setImmediate);
    },
    frameOf: async () => undefined,
    depthOf: () => 3,
  });
  return { relatives, done };
}

describe('files of one run', () => {
  test('wait for those under way that they may be kin to, and for what these stored to be put', async () => {
    const { relatives, done } = relativesOf();
    const layout = layoutOf('BF16', 4 * MiB, 2);
    const first = await relatives.visit(layout, undefined);
    const second = relatives.visit(layout, undefined).then((visit) => {
      done.push('second');
      return visit;
    });
    await relatives.visit(layoutOf('BF16', 6 * MiB, 2), undefined).then((visit) => visit.leave());
    done.push('stranger');
    first.chunk({ kind: 'blob', id: idOf(Buffer.from('a')), length: 4 * MiB });
    first.stored(() => undefined);
    first.leave();
    const { ask } = await second;
    expect(done).toEqual(['load', 'stranger', 'flush', 'second']);
    expect(
      (await ask?.({ number: 0, probe: undefined, sketch: undefined }))?.bases.map(({ pieces }) => pieces),
    ).toEqual([[idOf(Buffer.from('a'))]]);
    expect(await ask?.({ number: 1, probe: undefined, sketch: undefined })).toBeUndefined();
  });

  test('that begin at the same time do not both begin', async () => {
    const { relatives } = relativesOf();
    const begun: number[] = [];
    const layout = layoutOf('BF16', 4 * MiB, 2);
    const visits = [1, 2, 3].map(async (number) => {
      const visit = await relatives.visit(layout, undefined);
      begun.push(number);
      return visit;
    });
    for (let number = 0; number < 3; number += 1) {
      await new Promise(setImmediate);
      expect(begun).toHaveLength(number + 1);
      (await visits[(begun.at(-1) ?? 0) - 1])?.leave();
    }
  });

  test('do not wait for one that failed longer than it takes, and find nothing of it', async () => {
    const { relatives, done } = relativesOf();
    const layout = layoutOf('BF16', 4 * MiB, 2);
    (await relatives.visit(layout, undefined)).leave();
    const { ask } = await relatives.visit(layout, undefined);
    expect(ask).toBeUndefined();
    expect(done).toEqual(['load']);
  });

  test('of two quantisations do not wait for each other, but for what they may have been made from', async () => {
    const { relatives } = relativesOf();
    const eighths = await relatives.visit(layoutOf('Q8_0', 34 * 65_536, 34), undefined);
    await relatives.visit(layoutOf('Q4_0', 18 * 65_536, 18), undefined);
    const settled: string[] = [];
    void relatives.visit(layoutOf('F16', 4 * MiB, 2), undefined).then(() => settled.push('source'));
    await new Promise(setImmediate);
    expect(settled).toEqual([]);
    eighths.leave();
  });

  const takenOne = async (relatives: Relatives, layout: Layout): Promise<void> => {
    const visit = await relatives.visit(layout, undefined);
    await new Promise(setImmediate);
    visit.stored(() => undefined);
    visit.leave();
  };

  test('that are small wait until so many packs were closed for them', async () => {
    const { relatives, done } = relativesOf();
    for (let file = 0; file < 40; file += 1) await takenOne(relatives, layoutOf('BF16', 500_000, 2));
    expect(done).toEqual(['load', ...Array.from({ length: 32 }, () => 'flush')]);
    // Large ones do as long as there are any, but for the first.
    for (let file = 0; file < 3; file += 1) await takenOne(relatives, layoutOf('BF16', 4 * MiB, 2));
    expect(done).toHaveLength(1 + 32 + 2);
  });

  test('that are small and come two at a time close no more packs than one after the other', async () => {
    const { relatives, done } = relativesOf();
    const files = Array.from({ length: 200 }, () => layoutOf('BF16', 500_000, 2));
    const next = async (): Promise<void> => {
      for (let layout = files.pop(); layout !== undefined; layout = files.pop()) await takenOne(relatives, layout);
    };
    await Promise.all([next(), next()]);
    const flushes = done.filter((one) => one === 'flush');
    expect(flushes.length).toBeGreaterThan(0);
    expect(flushes.length).toBeLessThanOrEqual(32);
  });

  test('that are smaller still wait for nobody', async () => {
    const { relatives: others, done: doneThere } = relativesOf();
    await others.visit(layoutOf('BF16', 50_000, 2), undefined);
    await others.visit(layoutOf('BF16', 50_000, 2), undefined);
    expect(doneThere).toEqual(['load']);
  });
});

describe('a blob that may be built upon', () => {
  test('is said to be in the file that it was read from, until it is not found there', async () => {
    const { relatives } = relativesOf();
    const id = idOf(Buffer.from('a'));
    expect(await relatives.find({ id, isStored: false })).toBeUndefined();
    const { chunk } = await relatives.visit(layoutOf('BF16', 4 * MiB, 2), '/lab/model');
    chunk({ kind: 'zero', length: 100 });
    chunk({ kind: 'blob', id, length: 4 * MiB });
    const place = { location: '/lab/model', offset: 100, length: 4 * MiB };
    expect(await relatives.find({ id, isStored: false })).toEqual({ depth: 3, place });
    expect(await relatives.find({ id, isStored: true })).toBeUndefined();
  });
});

describe('the rank of a file', () => {
  test('puts what others may be made from first', () => {
    expect(rankOf(layoutOf('F32', 4 * MiB, 4))).toBe(0);
    expect(rankOf(layoutOf('BF16', 4 * MiB, 2))).toBe(1);
    expect(rankOf(layoutOf('F16', 4 * MiB, 2))).toBe(2);
    expect(rankOf(layoutOf('Q8_0', 34 * 100_000, 34))).toBe(3);
    expect(rankOf(layoutOf('unheard of', 4 * MiB, 2))).toBe(3);
  });

  test('is the first for what is small', () => {
    expect(rankOf(layoutOf('Q8_0', 34 * 7_000, 34))).toBe(0);
  });
});
