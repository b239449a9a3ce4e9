import { layoutLimits, memoryReader } from '@mbk/plugin-sdk';
import { describe, expect, test } from 'vitest';
import { type GgufHeader, readGgufHeader } from '../src/index.ts';
import { ggufFile, type GgufFileOptions } from '../../../test/assets/gguf-file.ts';
import { weights } from '../../../test/assets/tensor.ts';

const context = { signal: new AbortController().signal, limits: layoutLimits };
const read = (bytes: Uint8Array): Promise<GgufHeader | undefined> =>
  readGgufHeader(memoryReader('a.gguf', bytes), context);

const nested = Uint8Array.from([9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 7, 8]);
const content: GgufFileOptions = {
  metadata: {
    'general.architecture': { type: 'string', value: 'llama' },
    'a.u64': { type: 'u64', value: 2n ** 63n },
    'a.float': { type: 'f32', value: -0.5 },
    'a.flag': { type: 'bool', value: 1 },
    'a.tokens': { type: 'strings', value: ['x', 'yz', ''] },
    'a.nested': { type: 'raw', id: 9, value: nested },
  },
  tensors: [weights('w', { shape: [2, 3, 4], dtype: 'F32', seed: 1 })],
};

/** 40 keys of 60,000 bytes. */
const manyKeys = Object.fromEntries(
  Array.from({ length: 40 }, (_, index) => [String(index).padEnd(60_000, 'k'), { type: 'u8', value: 1 } as const]),
);

describe('readGgufHeader', () => {
  test('keeps every key with its type, value and place', async () => {
    const bytes = ggufFile(content);
    const header = await read(bytes);
    expect(header).toMatchObject({ version: 3, littleEndian: true });
    const keys = header?.keyValues.map(({ key, scalar, type, valueLength }) => [key, type, valueLength, scalar]);
    expect(keys).toEqual([
      ['general.architecture', 'string', 8 + 5, undefined],
      ['a.u64', 'u64', 8, 2n ** 63n],
      ['a.float', 'f32', 4, -0.5],
      ['a.flag', 'bool', 1, 1],
      ['a.tokens', 'array', 12 + 3 * 8 + 3, undefined],
      ['a.nested', 'array', nested.length, undefined],
    ]);
    const architecture = header?.keyValues[0];
    const text = bytes.subarray((architecture?.valueOffset ?? 0) + 8, (architecture?.valueOffset ?? 0) + 13);
    expect(Buffer.from(text).toString()).toBe('llama');
    expect(header?.keyValues[4]?.array).toMatchObject({ elementType: 'string', count: 3 });
    expect(header?.tensors).toMatchObject([{ name: 'w', dimensions: [4n, 3n, 2n], typeId: 0, dataOffset: 0n }]);
  });

  test.each<[string, Partial<GgufFileOptions>, object]>([
    ['version 1', { version: 1 }, { version: 1, littleEndian: true }],
    ['version 2', { version: 2 }, { version: 2, littleEndian: true }],
    ['big-endian by its version', { byteOrder: 'big' }, { version: 3, littleEndian: false }],
    ['big-endian by its magic', { byteOrder: 'big', magic: 'FUGG' }, { version: 3, littleEndian: false }],
  ])('reads %s', async (_, change, expected) => {
    const { 'a.nested': __, ...metadata } = content.metadata ?? {};
    const header = await read(ggufFile({ ...content, metadata, ...change }));
    expect(header).toMatchObject(expected);
    expect(header?.keyValues.find(({ key }) => key === 'a.float')?.scalar).toBe(-0.5);
    expect(header?.tensors).toMatchObject([{ name: 'w', dimensions: [4n, 3n, 2n] }]);
  });

  test('says nothing of what is no GGUF file', async () => {
    expect(await read(new Uint8Array(0))).toBeUndefined();
    expect(await read(Uint8Array.of(0x47, 0x47, 0x55))).toBeUndefined();
    expect(await read(new Uint8Array(100))).toBeUndefined();
  });

  const arrayOf = (elementType: number, count: bigint): Uint8Array => {
    const bytes = new Uint8Array(12);
    new DataView(bytes.buffer).setUint32(0, elementType, true);
    new DataView(bytes.buffer).setBigUint64(4, count, true);
    return bytes;
  };
  const withValue = (id: number, value: Uint8Array): Partial<GgufFileOptions> => ({
    metadata: { k: { type: 'raw', id, value } },
  });

  test.each<[string, Partial<GgufFileOptions>]>([
    ['gguf/too-many-tensors', { tensorCount: 2n ** 64n - 1n }],
    ['gguf/too-many-tensors', { tensorCount: 32_769 }],
    ['gguf/too-many-keys', { keyCount: 2n ** 60n }],
    ['gguf/too-many-keys', { metadata: manyKeys }],
    ['gguf/truncated', { tensorCount: 32_768 }],
    ['gguf/truncated', { keyCount: 16_384 }],
    ['gguf/bad-value-type', withValue(13, new Uint8Array(8))],
    ['gguf/truncated', withValue(8, Uint8Array.of(0, 0, 0, 64, 0, 0, 0, 0))],
    ['gguf/truncated', withValue(8, new Uint8Array(8).fill(255))],
    ['gguf/array-too-long', withValue(9, arrayOf(0, 2n ** 30n))],
    ['gguf/array-too-long', withValue(9, arrayOf(10, 2n ** 61n))],
    ['gguf/array-too-long', withValue(9, arrayOf(8, 2n ** 64n - 1n))],
    ['gguf/bad-value-type', withValue(9, arrayOf(99, 1n))],
    ['gguf/array-too-long', withValue(9, Uint8Array.from([...arrayOf(9, 262_145n), ...new Uint8Array(12 * 262_145)]))],
    [
      'gguf/nested-too-deep',
      withValue(9, new Uint8Array(Buffer.concat(Array.from({ length: 9 }, () => arrayOf(9, 1n))))),
    ],
    ['gguf/string-too-long', { metadata: { ['k'.repeat(65_536)]: { type: 'u8', value: 1 } } }],
    ['gguf/string-too-long', { tensors: [weights('n'.repeat(65_537), { shape: [1], dtype: 'F32', seed: 1 })] }],
    ['gguf/too-many-dimensions', { tensors: [weights('w', { shape: [1, 1, 1, 1, 1], dtype: 'F32', seed: 1 })] }],
  ])('refuses a hostile header with %s', async (code, change) => {
    await expect(read(ggufFile({ tensors: [], ...change }))).rejects.toMatchObject({ name: 'LayoutError', code });
  });

  test('refuses versions that do not exist and names that are no text', async () => {
    const bytes = ggufFile(content);
    await expect(read(bytes.with(4, 4))).rejects.toMatchObject({ code: 'gguf/bad-version', offset: 4 });
    await expect(read(bytes.with(32, 0xff))).rejects.toMatchObject({ code: 'gguf/bad-utf8', offset: 24 });
  });

  test('walks no further than the limit', async () => {
    const bytes = ggufFile({ metadata: { long: { type: 'string', value: 'x'.repeat(5000) } }, tensors: [] });
    const limits = { ...layoutLimits, headerBytes: 1000 };
    const walk = readGgufHeader(memoryReader('a', bytes), { ...context, limits });
    await expect(walk).rejects.toMatchObject({ code: 'gguf/header-too-large' });
  });
});
