import { describe, expect, test } from 'vitest';
import { memoryReader } from '../src/index.ts';

const bytes = Uint8Array.of(0, 1, 2, 3, 4);

describe('memoryReader', () => {
  test('reads exactly what was asked for', async () => {
    const reader = memoryReader('a/b.bin', bytes);
    expect(reader.size).toBe(5);
    expect([...(await reader.read(1, 3))]).toEqual([1, 2, 3]);
    expect([...(await reader.read(5, 0))]).toEqual([]);
  });

  test.each([
    [4, 2],
    [6, 0],
    [-1, 1],
    [0, -1],
    [0.5, 1],
    [0, Number.NaN],
  ])('refuses %d + %d', async (offset, length) => {
    await expect(memoryReader('a', bytes).read(offset, length)).rejects.toThrow(RangeError);
  });

  test('streams the whole file', async () => {
    const large = new Uint8Array((1 << 20) + 3).fill(7);
    const pieces: Uint8Array[] = [];
    for await (const piece of memoryReader('a', large).stream()) pieces.push(piece);
    expect(Buffer.concat(pieces).equals(large)).toBe(true);
  });

  test('finds siblings by their name beside it and nothing that objects inherit', async () => {
    const reader = memoryReader('a/b.bin', bytes, { 'c.json': Uint8Array.of(9) });
    expect((await reader.sibling('c.json'))?.path).toBe('a/c.json');
    expect(await reader.sibling('toString')).toBeUndefined();
  });

  test('heeds the signal', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    const reader = memoryReader('a', bytes);
    await expect(reader.read(0, 1, { signal })).rejects.toThrow('enough');
    await expect(reader.sibling('b', { signal })).rejects.toThrow('enough');
    const pieces = reader.stream({ signal })[Symbol.asyncIterator]();
    await expect(pieces.next()).rejects.toThrow('enough');
  });
});
