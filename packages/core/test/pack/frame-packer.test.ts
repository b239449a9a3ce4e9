import { expect, test } from 'vitest';
import type { Element } from '../../src/chunker/piece.ts';
import { framePacker } from '../../src/pack/frame-packer.ts';
import { gaussian } from '../codec/gaussian.ts';
import { idOf, seededBytes, testKeys } from './test-keys.ts';

const keys = testKeys();

function packer() {
  return framePacker({ keys, keyset: keys.shared, random: seededBytes('packer'), openPacks: 1 });
}

const bf16: Element = { dtype: 'BF16', unit: 2 };

test('small blobs of one type of elements share a frame, which the tensor codec makes smaller', () => {
  const { add, flush } = packer();
  for (let i = 0; i < 6; i += 1) {
    const weights = gaussian('BF16', 60_000 + 2 * i, 1 + i);
    const text = Buffer.from(`a line of text ${i}\n`.repeat(1000));
    expect(add({ type: 'data', id: idOf(weights), bytes: weights, element: bf16 }, 'long')).toEqual([]);
    expect(add({ type: 'data', id: idOf(text), bytes: text }, 'long')).toEqual([]);
  }
  const [pack, ...more] = flush();
  expect(more).toEqual([]);
  const frames = pack?.contents.frames.map(({ codec, blobs }) => [codec, blobs.length]);
  expect(frames?.toSorted()).toEqual([
    [1, 6],
    [2, 6],
  ]);
});

test('a tensor from 64 KiB on has a frame of its own', () => {
  const { add, flush } = packer();
  for (const length of [65_534, 65_536, 65_538]) {
    const weights = gaussian('BF16', length);
    add({ type: 'data', id: idOf(weights), bytes: weights, element: bf16 }, 'long');
    const text = Buffer.from('a line of text\n'.repeat(length / 10));
    add({ type: 'data', id: idOf(text), bytes: text }, 'long');
  }
  const frames = flush().flatMap(({ contents }) => contents.frames.map(({ plainLength }) => plainLength));
  expect(frames.toSorted((a, b) => a - b).slice(0, 3)).toEqual([65_534, 65_536, 65_538]);
  expect(frames.length).toBe(4);
});

test('however many types there are, only a few frames are gathered at a time', () => {
  const { add, flush } = packer();
  const frames: number[] = [];
  for (let unit = 1; unit <= 40; unit += 1) {
    const bytes = seededBytes(`unit ${unit}`)(1000);
    for (const pack of add({ type: 'data', id: idOf(bytes), bytes, element: { dtype: '', unit } }, 'long')) {
      frames.push(pack.contents.frames.length);
    }
  }
  for (const pack of flush()) frames.push(pack.contents.frames.length);
  expect(frames.reduce((sum, one) => sum + one, 0)).toBe(40);
});
