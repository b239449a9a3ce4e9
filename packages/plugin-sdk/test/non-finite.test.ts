import { describe, expect, test } from 'vitest';
import { blockOf, canBeNonFinite, isDtype, plainContext, memoryReader, scanNonFinite } from '../src/index.ts';

/** Bytes of two blocks, the second with `patch` at a place. */
function blocks(dtype: string, at: number, patch: readonly number[]): Uint8Array {
  const { bytes } = blockOf(dtype) ?? { bytes: 0 };
  const result = new Uint8Array(bytes * 2);
  result.set(patch, bytes + at);
  return result;
}

describe('scanNonFinite', () => {
  test.each<[string, number, readonly number[], 'nan' | 'infinite']>([
    ['F32', 0, [0, 0, 0x80, 0x7f], 'infinite'],
    ['F32', 0, [1, 0, 0x80, 0xff], 'nan'],
    ['F64', 0, [0, 0, 0, 0, 0, 0, 0xf0, 0xff], 'infinite'],
    ['F64', 0, [1, 0, 0, 0, 0, 0, 0xf0, 0x7f], 'nan'],
    ['F16', 0, [0, 0x7c], 'infinite'],
    ['F16', 0, [1, 0xfc], 'nan'],
    ['BF16', 0, [0x80, 0xff], 'infinite'],
    ['BF16', 0, [0x81, 0x7f], 'nan'],
    ['C64', 4, [1, 0, 0x80, 0x7f], 'nan'],
    ['F8_E4M3', 0, [0x7f], 'nan'],
    ['F8_E5M2', 0, [0x7c], 'infinite'],
    ['F8_E5M2', 0, [0xfd], 'nan'],
    ['F8_E4M3FNUZ', 0, [0x80], 'nan'],
    ['MXFP4', 0, [0xff], 'nan'],
    ['Q4_0', 0, [0, 0x7c], 'infinite'],
    ['Q4_1', 2, [1, 0x7c], 'nan'],
    ['Q2_K', 82, [1, 0x7c], 'nan'],
    ['Q3_K', 108, [0, 0xfc], 'infinite'],
    ['Q6_K', 208, [1, 0x7c], 'nan'],
    ['Q8_K', 0, [0, 0, 0x80, 0x7f], 'infinite'],
    ['TQ1_0', 52, [1, 0x7c], 'nan'],
    ['TQ2_0', 64, [1, 0x7c], 'nan'],
    // The scale lies in the upper four bits of four words: 0x7c00 is c in the third, 7 in the fourth.
    ['IQ1_M', 48, [0, 0, 0, 0, 0, 0xc0, 0, 0x70], 'infinite'],
  ])('finds what is not finite in %s', (dtype, at, patch, what) => {
    const { bytes: unit } = blockOf(dtype) ?? { bytes: 0 };
    const bytes = blocks(dtype, at, patch);
    expect(scanNonFinite(bytes, dtype)).toEqual({ nan: 0, infinite: 0, [what]: 1, first: unit });
    expect(scanNonFinite(bytes.subarray(0, unit), dtype)).toEqual({ nan: 0, infinite: 0, first: -1 });
  });

  test('reads big-endian numbers', () => {
    expect(scanNonFinite(Uint8Array.of(0x7f, 0x80, 0, 0), 'F32', 'big')).toEqual({ nan: 0, infinite: 1, first: 0 });
    expect(scanNonFinite(Uint8Array.of(0x7f, 0x80, 0, 0), 'F32')).toEqual({ nan: 0, infinite: 0, first: -1 });
  });

  test('finds nothing where nothing can be', () => {
    for (const dtype of ['I32', 'NVFP4', 'F6_E2M3', 'BOOL', 'unheard-of']) {
      expect(canBeNonFinite(dtype)).toBe(false);
      expect(scanNonFinite(new Uint8Array(72).fill(255), dtype).first).toBe(-1);
    }
    expect(isDtype('NVFP4')).toBe(true);
  });

  test('the plain context reads a span in pieces and counts from its start', async () => {
    const floats = new Float32Array(1_000_000).fill(1);
    floats[600_000] = Number.NaN;
    floats[999_999] = Infinity;
    const reader = memoryReader('a', new Uint8Array(floats.buffer));
    const context = plainContext({ kind: 'model/x' });
    const [whole, half] = await context.nonFinite(reader, [
      { offset: 0, length: 4_000_000, dtype: 'F32' },
      { offset: 2_000_000, length: 2_000_000, dtype: 'F32' },
    ]);
    expect(whole).toEqual({ nan: 1, infinite: 1, first: 2_400_000 });
    expect(half).toEqual({ nan: 1, infinite: 1, first: 400_000 });
  });
});
