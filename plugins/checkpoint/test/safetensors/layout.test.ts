import { type Layout, layoutLimits, memoryReader } from '@mbk/plugin-sdk';
import { describe, expect, test } from 'vitest';
import { layoutSafetensors } from '../../src/index.ts';
import { safetensorsFile, safetensorsFileOf } from '../../../../test/assets/safetensors-file.ts';
import { seededBytes, weights } from '../../../../test/assets/tensor.ts';

const context = { signal: new AbortController().signal, limits: layoutLimits };
const layoutOf = (bytes: Uint8Array): Promise<Layout | undefined> =>
  layoutSafetensors(memoryReader('a.safetensors', bytes), context);

describe('layoutSafetensors', () => {
  test('finds the bytes of every tensor', async () => {
    const tensors = [
      weights('a.weight', { shape: [3, 5], dtype: 'BF16', seed: 1 }),
      { name: 'e\u0301"\\', dtype: 'F8_E4M3', shape: [7], data: seededBytes(7, 2) },
      { name: '__proto__', dtype: 'F4', shape: [6], data: seededBytes(3, 3) },
      { name: 'empty', dtype: 'I64', shape: [0], data: new Uint8Array(0) },
      { name: 'scalar', dtype: 'C64', shape: [], data: seededBytes(8, 4) },
    ];
    const bytes = safetensorsFile({ metadata: { note: '}{,"' }, tensors });
    const layout = await layoutOf(bytes);
    const found = layout?.tensors.map(({ dtype, length, name, offset, shape }) => ({
      name,
      dtype,
      shape,
      data: bytes.subarray(offset, offset + length),
    }));
    expect(found).toEqual(tensors);
    expect(layout?.container).toBe('safetensors');
  });

  test('reads a header longer than its window, and metadata of any length', async () => {
    const tensors = Array.from({ length: 3000 }, (_, at) =>
      weights(`layers.${at}.weight`, { shape: [2], dtype: 'F32', seed: at }),
    );
    const bytes = safetensorsFile({ metadata: { tags: 'x"{'.repeat(100_000) }, tensors });
    expect((await layoutOf(bytes))?.tensors.map(({ name }) => name)).toEqual(tensors.map(({ name }) => name));
  });

  test('accepts white space where JSON does', async () => {
    const header = '{ "w" :\n{\t"shape" : [ 2 ] , "dtype":"U8", "data_offsets": [0, 2] } }';
    expect((await layoutOf(safetensorsFileOf(header, [seededBytes(2, 1)])))?.tensors).toHaveLength(1);
  });

  test('says nothing of other files', async () => {
    expect(await layoutOf(new Uint8Array(5))).toBeUndefined();
    expect(await layoutOf(seededBytes(1000, 1))).toBeUndefined();
    expect(await layoutOf(safetensorsFileOf('[]', []))).toBeUndefined();
  });

  const entry = (dtype: string, shape: string, offsets: string): string =>
    `"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}`;
  const good = entry('U8', '[4]', '[0,4]');

  test.each<[string, string, string]>([
    ['bad-dtype', 'a dtype of ggml that safetensors has not in lower case', `{"w":{${entry('u8', '[4]', '[0,4]')}}}`],
    ['bad-dtype', 'a dtype that objects inherit', `{"w":{${entry('toString', '[4]', '[0,4]')}}}`],
    ['bad-shape', 'a negative dimension', `{"w":{${entry('U8', '[-4]', '[0,4]')}}}`],
    ['bad-shape', 'a shape that is no list', `{"w":{${entry('U8', '4', '[0,4]')}}}`],
    ['bad-offsets', 'one offset', `{"w":{${entry('U8', '[4]', '[4]')}}}`],
    ['bad-offsets', 'offsets that go back', `{"w":{${entry('U8', '[4]', '[4,0]')}}}`],
    ['bad-offsets', 'offsets past the end', `{"w":{${entry('U8', '[8]', '[0,8]')}}}`],
    ['bad-offsets', 'offsets above 2^53', `{"w":{${entry('U8', '[4]', '[0,18446744073709551615]')}}}`],
    ['wrong-size', 'fewer bytes than the shape', `{"w":{${entry('F16', '[4]', '[0,4]')}}}`],
    ['wrong-size', 'a product that wraps', `{"w":{${entry('U8', '[4294967296,4294967296]', '[0,0]')}}}`],
    ['wrong-size', 'half a byte', `{"w":{${entry('F4', '[7]', '[0,4]')}}}`],
    ['hole', 'a gap at the start', `{"w":{${entry('U8', '[2]', '[2,4]')}}}`],
    ['hole', 'a gap between', `{"v":{${entry('U8', '[1]', '[0,1]')}},"w":{${entry('U8', '[1]', '[3,4]')}}}`],
    ['incomplete', 'bytes of no tensor', `{"w":{${entry('U8', '[2]', '[0,2]')}}}`],
    ['incomplete', 'no tensor at all', '{}'],
    ['duplicate-name', 'a name given twice', `{"w":{${good}},"w":{${good}}}`],
    ['duplicate-name', 'a name given twice, once escaped', `{"w":{${good}},"\\u0077":{${good}}}`],
    ['duplicate-key', 'offsets given twice', `{"w":{${good},"data_offsets":[0,4]}}`],
    ['bad-json', 'an entry that is a list', '{"w":[]}'],
    ['bad-json', 'an entry that is no JSON', '{"w":{dtype:1}}'],
    ['bad-json', 'no entry', '{"w":}'],
    ['bad-json', 'no colon', '{"w" 1}'],
    ['bad-json', 'a comma before the end', `{"w":{${good}},}`],
    ['bad-json', 'no comma', `{"v":{${good}}"w":{${good}}}`],
    ['bad-json', 'a key that is no string', '{w:1}'],
    ['bad-json', 'a key with a raw newline', '{"w\n":1}'],
    ['bad-json', 'a second object', `{"w":{${good}}}{}`],
    ['bad-json', 'no end', `{"w":{${good}}`],
    ['bad-json', 'an entry of 20 KB', `{"w":{${good},"x":"${'x'.repeat(20_000)}"}}`],
  ])('refuses with safetensors/%s: %s', async (code, _, header) => {
    const bytes = safetensorsFileOf(header, [seededBytes(4, 1)]);
    await expect(layoutOf(bytes)).rejects.toMatchObject({ name: 'LayoutError', code: `safetensors/${code}` });
  });

  test('refuses overlaps, and headers longer than the file', async () => {
    const both = `{"v":{${good}},"w":{${entry('U8', '[2]', '[2,4]')}}}`;
    await expect(layoutOf(safetensorsFileOf(both, [seededBytes(4, 1)]))).rejects.toMatchObject({
      code: 'layout/overlap',
    });
    const cut = safetensorsFileOf(both, []).subarray(0, 30);
    await expect(layoutOf(cut)).rejects.toMatchObject({ code: 'safetensors/truncated' });
  });
});
