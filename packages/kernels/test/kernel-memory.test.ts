import { describe, expect, test } from 'vitest';
import { kernelMemory } from '../src/index.ts';

describe('kernel memory', () => {
  test('is shared, in whole pages, and zero', () => {
    const { buffer } = kernelMemory(65_537);
    expect(buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(buffer.byteLength).toBe(2 * 65_536);
    expect(new Uint8Array(buffer).every((byte) => byte === 0)).toBe(true);
  });

  test.each([0, -1, Number.NaN, 2 ** 31 - 65_535])('is never of %d bytes', (bytes) => {
    expect(() => kernelMemory(bytes)).toThrow(RangeError);
  });
});
