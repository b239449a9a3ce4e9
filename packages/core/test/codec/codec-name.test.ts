import { expect, test } from 'vitest';
import { codecName } from '../../src/codec/codec-name.ts';
import { rawCodec } from '../../src/codec/raw.ts';
import { tensorReader } from '../../src/codec/tensor.ts';
import { zstdCodec } from '../../src/codec/zstd.ts';

test('a codec is called as it calls itself', () => {
  for (const { name, number } of [rawCodec, zstdCodec, tensorReader]) expect(codecName(number)).toBe(name);
  expect(codecName(3)).toBe('tensor-delta');
  expect(codecName(200)).toBe('codec 200');
});
