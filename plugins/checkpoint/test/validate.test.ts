import { examineFile, type Finding, type Inspection, memoryReader, plainContext } from '@mbk/plugin-sdk';
import { describe, expect, test } from 'vitest';
import { pickleBytes } from '../../../test/assets/pickle-bytes.ts';
import { safetensorsFile, safetensorsFileOf } from '../../../test/assets/safetensors-file.ts';
import { type AssetTensor, weights } from '../../../test/assets/tensor.ts';
import {
  orderedDict,
  pickledTensor,
  torchZipFile,
  torchZipMembers,
  torchZipOf,
} from '../../../test/assets/torch-zip-file.ts';
import { zipFile } from '../../../test/assets/zip-file.ts';
import { plugin } from '../src/index.ts';
import { field, legacyFile, loraTensors, message, npyFile, onnxFile, peftConfig } from './samples.ts';

type Siblings = Readonly<Record<string, Uint8Array>>;

async function examine(
  path: string,
  bytes: Uint8Array,
  siblings: Siblings = {},
): Promise<{ readonly findings: readonly Finding[]; readonly inspection?: Inspection }> {
  const context = plainContext({ kind: 'model/safetensors', options: { unknownGlobals: 'warning' } });
  return examineFile(plugin, memoryReader(path, bytes, siblings), context);
}

const codesOf = async (...file: Parameters<typeof examine>): Promise<readonly string[]> =>
  (await examine(...file)).findings.map(({ code }) => code);
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const json = (value: unknown): Uint8Array => text(JSON.stringify(value));
const zeros = (length: number): Uint8Array => new Uint8Array(length);

const w: AssetTensor = weights('w', { shape: [4, 4], dtype: 'F32', seed: 1 });
const tensors = [w, weights('v', { shape: [8], dtype: 'F16', seed: 2 })];
const withHeader = (header: string, data = 8): Uint8Array => safetensorsFileOf(header, [zeros(data)]);
const entry = (begin: number, end: number, more = ''): string =>
  `{"dtype":"U8","shape":[${end - begin}],"data_offsets":[${begin},${end}]${more}}`;
const nan: AssetTensor = {
  name: 'n',
  dtype: 'F32',
  shape: [2],
  data: Uint8Array.from([0, 0, 0xc0, 0x7f, 0, 0, 0x80, 0x7f]),
};

describe('safetensors', () => {
  test.each<readonly [code: string, bytes: Uint8Array]>([
    ['safetensors/truncated', zeros(3)],
    ['safetensors/truncated', safetensorsFile({ tensors }).subarray(0, 40)],
    ['safetensors/not-safetensors', text('<html>not found</html>')],
    ['safetensors/header-too-large', Uint8Array.from([255, 255, 255, 255, 0, 0, 0, 0, 0x7b, 0x7d])],
    ['safetensors/bad-json', withHeader('{"a":x}')],
    ['safetensors/duplicate-name', withHeader(`{"a":${entry(0, 4)},"a":${entry(4, 8)}}`)],
    ['safetensors/duplicate-key', withHeader(`{"a":${entry(0, 8, ',"dtype":"U8"')}}`)],
    ['safetensors/bad-dtype', withHeader('{"a":{"dtype":"X9","shape":[8],"data_offsets":[0,8]}}')],
    ['safetensors/bad-shape', withHeader('{"a":{"dtype":"U8","shape":[-8],"data_offsets":[0,8]}}')],
    ['safetensors/bad-offsets', withHeader('{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,9]}}')],
    ['safetensors/wrong-size', withHeader('{"a":{"dtype":"F32","shape":[8],"data_offsets":[0,8]}}')],
    ['safetensors/overlap', withHeader(`{"a":${entry(0, 8)},"b":${entry(4, 8)}}`)],
    ['safetensors/hole', withHeader(`{"a":${entry(0, 2)},"b":${entry(4, 8)}}`)],
    ['safetensors/incomplete', withHeader(`{"a":${entry(0, 2)}}`)],
    ['safetensors/bad-metadata', withHeader(`{"__metadata__":{"a":1},"a":${entry(0, 8)}}`)],
    ['safetensors/suspicious-name', withHeader(`{"__proto__":${entry(0, 8)}}`)],
    ['checkpoint/polyglot', Buffer.concat([safetensorsFile({ tensors }), torchZipFile({ tensors })])],
  ])('%s', async (code, bytes) => {
    expect(await codesOf('model.safetensors', bytes)).toContain(code);
  });

  test('goes on behind a broken entry', async () => {
    const header = `{"a":{"dtype":"X9","shape":[8],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[1],"data_offsets":[0,8]}}`;
    expect(await codesOf('m.safetensors', withHeader(header))).toEqual([
      'safetensors/bad-dtype',
      'safetensors/wrong-size',
    ]);
  });

  test('NaN and infinity are told with the place of the first', async () => {
    const { findings } = await examine('m.safetensors', safetensorsFile({ tensors: [nan] }));
    expect(findings).toMatchObject([
      { code: 'checkpoint/nan', message: 'tensor "n" (F32): 1 elements that are no number' },
      { code: 'checkpoint/infinity', message: 'tensor "n" (F32): 1 infinite elements' },
    ]);
  });

  test('facts: sums and the short metadata', async () => {
    const { inspection } = await examine(
      'm.safetensors',
      safetensorsFile({ tensors, metadata: { format: 'pt', config: 'x'.repeat(1000) } }),
    );
    expect(inspection).toEqual({
      summary: 'safetensors, 2 tensors, 24 parameters, F16, F32',
      facts: {
        format: 'safetensors',
        tensors: 2,
        parameters: 24,
        tensorBytes: 80,
        dtypes: { F16: 1, F32: 1 },
        metadataKeys: 2,
        metadata: { format: 'pt' },
      },
    });
  });
});

describe('sets of files', () => {
  const index = (map: unknown, total = 80): Uint8Array => json({ metadata: { total_size: total }, weight_map: map });
  const shard = safetensorsFile({ tensors });
  const map = { w: 'a.safetensors', v: 'a.safetensors' };
  test.each<readonly [codes: readonly string[], bytes: Uint8Array]>([
    [[], index(map)],
    [['shards/bad-index'], text('{')],
    [['shards/bad-index'], json({})],
    [['shards/missing-file'], index({ ...map, x: 'b.safetensors' })],
    [['shards/missing-tensor'], index({ ...map, x: 'a.safetensors' })],
    [['shards/unlisted-tensor'], index({ w: 'a.safetensors' })],
    [['shards/total-size'], index(map, 81)],
    [['shards/unsafe-name'], index({ ...map, x: '../b.safetensors' })],
  ])('%j', async (codes, bytes) => {
    expect(await codesOf('model.safetensors.index.json', bytes, { 'a.safetensors': shard })).toEqual(codes);
  });
});

describe('LoRA adapters', () => {
  const adapter = (rank = 4): Uint8Array => safetensorsFile({ tensors: loraTensors(rank) });
  const half = safetensorsFile({ tensors: loraTensors(4).slice(0, 3) });
  const path = 'adapter_model.safetensors';
  const uneven = safetensorsFile({ tensors: [...loraTensors(4).slice(0, 3), ...loraTensors(2).slice(3)] });
  test.each<readonly [codes: readonly string[], bytes: Uint8Array, config: Uint8Array | undefined]>([
    [[], adapter(), peftConfig({})],
    [[], adapter(8), peftConfig({ rank_pattern: { q_proj: 8, v_proj: 8 } })],
    [['lora/bad-config'], adapter(), undefined],
    [['lora/bad-config'], adapter(), text('{')],
    [['lora/bad-config'], adapter(), peftConfig({ r: 'four' })],
    [['lora/wrong-rank', 'lora/wrong-rank'], adapter(8), peftConfig({})],
    [['lora/wrong-rank'], uneven, peftConfig({})],
    [['lora/missing-pair'], half, peftConfig({})],
    [['lora/missing-target'], adapter(), peftConfig({ target_modules: ['q_proj', 'v_proj', 'k_proj'] })],
    [['lora/unlisted-target'], adapter(), peftConfig({ target_modules: ['q_proj'] })],
    [['lora/no-tensors'], safetensorsFile({ tensors }), peftConfig({})],
  ])('%j', async (codes, bytes, config) => {
    expect(await codesOf(path, bytes, config === undefined ? {} : { 'adapter_config.json': config })).toEqual(codes);
  });

  test('pairs that are numbered, as lora_diffusion writes them', async () => {
    const numbered = loraTensors(4).map((tensor, at) => ({
      ...tensor,
      name: `unet:${at >> 1}:${at % 2 ? 'up' : 'down'}`,
    }));
    const { findings, inspection } = await examine('lora.safetensors', safetensorsFile({ tensors: numbered }));
    expect(findings).toEqual([]);
    expect(inspection?.facts['adapter']).toEqual({ type: 'lora', modules: 2, ranks: [4] });
  });

  test('facts tell rank, alpha and targets', async () => {
    const { inspection } = await examine(path, adapter(), { 'adapter_config.json': peftConfig({}) });
    expect(inspection?.summary).toMatch(/^safetensors, LoRA adapter of rank 4, 4 tensors/);
    const targets = ['q_proj', 'v_proj'];
    expect(inspection?.facts['adapter']).toEqual({ type: 'lora', modules: 2, ranks: [4], alpha: 8, targets });
  });
});

describe('PyTorch', () => {
  const pickle = pickleBytes({ call: orderedDict, args: [], set: [['w', pickledTensor(w, '0')]] });
  const storage = (data: Uint8Array): Uint8Array => torchZipOf(pickle, [['0', data]]);
  const members = torchZipMembers(pickle, [['0', w.data]]);
  const legacy = legacyFile(tensors);
  test.each<readonly [codes: readonly string[], bytes: Uint8Array]>([
    [[], storage(w.data)],
    [['torch/missing-storage'], torchZipOf(pickle, [])],
    [['torch/storage-size'], storage(w.data.subarray(4))],
    [
      ['torch/unused-storage'],
      torchZipOf(pickle, [
        ['0', w.data],
        ['1', w.data],
      ]),
    ],
    [
      ['torch/compressed-storage'],
      zipFile(members.map((member) => ({ ...member, isDeflated: member.name.endsWith('/0') }))),
    ],
    [['torch/bad-byte-order'], torchZipOf(pickle, [['0', w.data]], { byteOrder: 'middle' as 'little' })],
    [['torch/no-pickle'], zipFile([{ name: 'archive/constants.pkl', data: pickleBytes({ tuple: [] }) }])],
    [['torch/legacy'], legacy],
    [['torch/bad-legacy', 'torch/legacy'], legacy.subarray(0, legacy.length - 3)],
    [['pickle/trailing-bytes', 'torch/legacy'], Buffer.concat([legacy, zeros(5)])],
    [['checkpoint/unknown-format'], text('<html>')],
    [['checkpoint/unknown-format'], zeros(0)],
    [['checkpoint/wrong-extension'], safetensorsFile({ tensors })],
  ])('%j', async (codes, bytes) => {
    expect(await codesOf('runs/a.pt', bytes)).toEqual(codes);
  });

  test('a legacy file has the layout of its storages', async () => {
    const { inspection } = await examine('a.pt', legacy);
    expect(inspection?.facts).toMatchObject({
      format: 'pytorch-legacy',
      tensors: 2,
      parameters: 24,
      dtypes: { F16: 1, F32: 1 },
    });
  });
});

describe('zip files', () => {
  const one = pickleBytes(1);
  const member = (name: string): { readonly name: string; readonly data: Uint8Array } => ({ name, data: one });
  const plain = zipFile([member('a/data.pkl'), member('a/version')]);
  const changed = (place: 'local' | 'directory', at: number, value: number): Uint8Array => {
    const bytes = Uint8Array.from(plain);
    const start = place === 'local' ? 0 : Buffer.from(bytes).indexOf('PK\x01\x02', 0, 'latin1');
    bytes[start + at] = value;
    return bytes;
  };
  const deep = [1, 2, 3].reduce((inner) => zipFile([{ name: 'a/x.zip', data: inner }]), plain);
  const bomb = zipFile([{ name: 'a/data.pkl', data: zeros(20_000_000), isDeflated: true }]);
  test.each<readonly [code: string, bytes: Uint8Array]>([
    ['zip/no-directory', plain.subarray(0, 100)],
    ['zip/bad-directory', changed('directory', 0, 0)],
    ['zip/header-disagrees', zipFile([{ ...member('a/data.pkl'), localName: 'a/data.pk1' }])],
    ['zip/header-disagrees', changed('local', 8, 8)],
    ['zip/header-disagrees', changed('local', 6, 9)],
    ['zip/duplicate-member', zipFile([member('a/data.pkl'), member('a/data.pkl')])],
    ['zip/encrypted', changed('directory', 8, 9)],
    ['zip/unsafe-name', zipFile([member('a/data.pkl'), member('a/../../x')])],
    ['zip/unknown-method', changed('directory', 10, 12)],
    ['zip/bad-deflate', changed('directory', 10, 8)],
    ['zip/wrong-crc', changed('directory', 16, 1)],
    ['zip/nested', zipFile([member('a/data.pkl'), { name: 'a/x.zip', data: plain }])],
    ['zip/too-deep', deep],
    ['zip/bomb', bomb],
    ['zip/hidden-bytes', withGap(plain)],
  ])('%s', async (code, bytes) => {
    expect(await codesOf('a.pt', bytes)).toContain(code);
  });
});

/** Five bytes between the last member and the directory. */
function withGap(bytes: Uint8Array): Uint8Array {
  const start = Buffer.from(bytes).indexOf('PK\x01\x02', 0, 'latin1');
  const result = Buffer.concat([bytes.subarray(0, start), zeros(5), bytes.subarray(start)]);
  result.writeUInt32LE(start + 5, result.length - 6);
  return result;
}

describe('NumPy', () => {
  const data = zeros(24);
  test.each<readonly [codes: readonly string[], bytes: Uint8Array]>([
    [[], npyFile(data, { shape: '(2, 3)' })],
    [[], npyFile(data, { shape: '(2, 3)', version: 2, order: 'True' })],
    [[], npyFile(data, { shape: '(3,)', descr: "[('x', '<f4'), ('y', '<i4')]" })],
    [['npy/truncated'], npyFile(data, { shape: '(2, 4)' })],
    [['npy/trailing-bytes'], npyFile(data, { shape: '(2, 2)' })],
    [['npy/bad-header'], npyFile(data, { shape: '(2, 3)', order: '__import__("os")' })],
    [['npy/bad-header'], npyFile(data, { shape: '(2, 3)', descr: "'<z4'" })],
    [['npy/bad-version'], npyFile(data, { shape: '(2, 3)', version: 4 as 2 })],
    [['npy/objects'], npyFile(pickleBytes({ list: [] }), { shape: '(0,)', descr: "'|O'" })],
  ])('%j', async (codes, bytes) => {
    expect(await codesOf('a.npy', bytes)).toEqual(codes);
  });
});

describe('ONNX', () => {
  const external = (location: string): Uint8Array =>
    onnxFile(
      [],
      [
        field(
          5,
          message(
            field(1, 4),
            field(2, 1),
            field(8, 'e'),
            field(14, 1),
            field(13, message(field(1, 'location'), field(2, location))),
            field(13, message(field(1, 'length'), field(2, '16'))),
          ),
        ),
      ],
    );
  test.each<readonly [codes: readonly string[], bytes: Uint8Array]>([
    [[], onnxFile([w])],
    [[], external('weights.bin')],
    [['onnx/bad-protobuf'], onnxFile([w]).subarray(0, 60)],
    [['onnx/no-graph'], message(field(1, 8))],
    [['onnx/wrong-size'], onnxFile([{ ...w, shape: [5] }])],
    [['onnx/unsafe-external-data'], external('../weights.bin')],
    [['onnx/missing-external-data'], external('other.bin')],
    [['onnx/missing-external-data'], external('short.bin')],
  ])('%j', async (codes, bytes) => {
    expect(await codesOf('a.onnx', bytes, { 'weights.bin': zeros(16), 'short.bin': zeros(15) })).toEqual(codes);
  });

  test('facts: nodes, opset and the initialisers', async () => {
    const { inspection } = await examine('a.onnx', onnxFile([w]));
    expect(inspection?.facts).toMatchObject({ nodes: 1, initializers: 1, opset: 17, irVersion: 8, parameters: 16 });
  });
});
