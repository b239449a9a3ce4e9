import { type Finding, isLayoutError, memoryReader, plainContext } from '@mbk/plugin-sdk';
import { describe, expect, test } from 'vitest';
import { type GgufCode, ggufCodes } from '../src/codes.ts';
import { validateGguf } from '../src/validate.ts';
import { ggufFile, type GgufFileTensor, type GgufFileValue } from '../../../test/assets/gguf-file.ts';
import { readRealAssets, realAssets } from '../../../test/assets/real-assets.ts';
import { weights } from '../../../test/assets/tensor.ts';
import {
  numbers,
  q8,
  text,
  type TinyChange,
  tinyKeys,
  tinyModel,
  tinyTensors,
  u32,
} from '../../../test/assets/tiny-gguf.ts';

interface Surroundings {
  readonly path?: string;
  readonly siblings?: Readonly<Record<string, Uint8Array>>;
  readonly headerBytes?: number;
}

async function findingsOf(bytes: Uint8Array, around: Surroundings = {}): Promise<readonly Finding[]> {
  const plain = plainContext({ kind: 'model/gguf' });
  const { headerBytes = plain.limits.headerBytes, path = 'models/a.gguf', siblings } = around;
  const context = { ...plain, limits: { ...plain.limits, headerBytes } };
  try {
    return await validateGguf(memoryReader(path, bytes, siblings), context);
  } catch (error) {
    if (!isLayoutError(error)) throw error;
    return [{ code: error.code, severity: 'error', message: error.message }];
  }
}

const codesOf = async (bytes: Uint8Array, around?: Surroundings): Promise<readonly string[]> => [
  ...new Set((await findingsOf(bytes, around)).map(({ code }) => code.slice('gguf/'.length))),
];

/** An array's type and count, without its elements. */
const arrayOf = (elementType: number, count: bigint): Uint8Array => {
  const bytes = new Uint8Array(12);
  new DataView(bytes.buffer).setUint32(0, elementType, true);
  new DataView(bytes.buffer).setBigUint64(4, count, true);
  return bytes;
};
const nestedArray = Uint8Array.from([...arrayOf(9, 1n), ...arrayOf(0, 2n), 7, 8]);
const raw = (id: number, value: Uint8Array | readonly number[]): TinyChange => ({
  keys: { 'a.key': { type: 'raw', id, value: Uint8Array.from(value) } },
});
/** A string of these bytes. */
const bytesText = (...bytes: readonly number[]): TinyChange => raw(8, [bytes.length, 0, 0, 0, 0, 0, 0, 0, ...bytes]);
const withTensor = (tensor: Partial<GgufFileTensor>): TinyChange => ({
  tensors: [...tinyTensors, { name: 'extra', dtype: 'F32', shape: [4], data: new Uint8Array(16), ...tensor }],
});
/** The elements of one more tensor, little-endian. */
const withData = (dtype: string | number, elements: number, data: Uint8Array): TinyChange => ({
  ...withTensor({ dtype, shape: [elements], data }),
  keys: { 'general.quantization_version': u32(2) },
});
const filled = (length: number, places: Readonly<Record<number, number>>): Uint8Array => {
  const bytes = new Uint8Array(length);
  for (const [at, value] of Object.entries(places)) bytes[Number(at)] = value;
  return bytes;
};
const tokens = (...value: readonly string[]): TinyChange => ({
  keys: { 'tokenizer.ggml.tokens': { type: 'strings', value } },
});
const key = (name: string, value: GgufFileValue): TinyChange => ({ keys: { [name]: value } });
const without = (name: string): TinyChange => ({ keys: { [name]: undefined } });
const byMerges = (change: NonNullable<TinyChange['keys']> = {}): TinyChange => ({
  keys: {
    'tokenizer.ggml.model': text('gpt2'),
    'tokenizer.ggml.pre': text('gpt-2'),
    'tokenizer.ggml.merges': { type: 'strings', value: ['a b'] },
    ...change,
  },
});
const adapter = (tensors: readonly GgufFileTensor[], type = 'lora'): Uint8Array =>
  ggufFile({
    metadata: {
      'general.architecture': text('llama'),
      'general.type': text('adapter'),
      'adapter.type': text(type),
      'adapter.lora.alpha': { type: 'f32', value: 16 },
    },
    tensors,
  });
const loraA = weights('blk.0.attn_q.weight.lora_a', { shape: [8, 64], dtype: 'F32', seed: 5 });
const loraB = weights('blk.0.attn_q.weight.lora_b', { shape: [64, 8], dtype: 'F32', seed: 6 });

/** A model in so many files, the tensors dealt out in order. */
function shards(count: number, claimed = tinyTensors.length): Readonly<Record<string, Uint8Array>> {
  const files: Record<string, Uint8Array> = {};
  for (let index = 0; index < count; index += 1) {
    const split = {
      'split.no': { type: 'u16', value: index },
      'split.count': { type: 'u16', value: count },
      'split.tensors.count': { type: 'i32', value: claimed },
    } as const;
    const tensors = tinyTensors.filter((_, at) => at % count === index);
    const metadata = index === 0 ? { ...tinyKeys, ...split } : split;
    files[shardName(index, count)] = ggufFile({ metadata, tensors });
  }
  return files;
}
const shardName = (index: number, count: number): string =>
  `m-${String(index + 1).padStart(5, '0')}-of-${String(count).padStart(5, '0')}.gguf`;
const first = shardName(0, 2);
const second = shardName(1, 2);
const inSet = (files: Readonly<Record<string, Uint8Array>>, name = first): readonly [Uint8Array, Surroundings] => [
  files[name] ?? new Uint8Array(0),
  { path: `models/${name}`, siblings: files },
];
const firstWith = (keys: NonNullable<TinyChange['keys']>): Uint8Array =>
  tinyModel({
    keys: {
      'split.no': { type: 'u16', value: 0 },
      'split.count': { type: 'u16', value: 2 },
      'split.tensors.count': { type: 'i32', value: 4 },
      ...keys,
    },
  });

const sound = tinyModel();
const behind = (length: number): Uint8Array => Uint8Array.from([...new Uint8Array(length).fill(7), ...sound]);

type Made = Uint8Array | TinyChange | readonly [Uint8Array, Surroundings];
type Case = readonly [code: GgufCode, what: string, made: Made, ...others: GgufCode[]];

/** At least one for every code; `others` are the codes that come with it. */
const cases: readonly Case[] = [
  ['not-gguf', 'something else', new TextEncoder().encode('<!doctype html>')],
  ['not-gguf', 'nothing at all', new Uint8Array(0)],
  ['bad-version', 'version 4', sound.with(4, 4)],
  ['truncated', 'a file that ends within its header', sound.subarray(0, 300)],
  ['truncated', 'a string of 1 GiB', raw(8, [0, 0, 0, 64, 0, 0, 0, 0])],
  ['truncated', 'more keys than bytes', { keyCount: 16_000 }],
  ['header-too-large', 'a header beyond the limit', [sound, { headerBytes: 500 }]],
  ['too-many-tensors', '2^64-1 tensors', { tensorCount: 2n ** 64n - 1n }],
  ['too-many-keys', '2^60 keys', { keyCount: 2n ** 60n }],
  ['bad-value-type', 'type 13', raw(13, new Uint8Array(8))],
  ['bad-value-type', 'an array of type 99', raw(9, arrayOf(99, 1n))],
  ['array-too-long', '2^30 elements', raw(9, arrayOf(0, 2n ** 30n))],
  ['array-too-long', 'elements whose bytes wrap', raw(9, arrayOf(10, 2n ** 61n))],
  ['nested-too-deep', 'arrays nine deep', raw(9, Array.from({ length: 9 }, () => [...arrayOf(9, 1n)]).flat())],
  ['string-too-long', 'a key of 64 KiB', { keys: { ['k'.repeat(65_536)]: u32(1) } }],
  ['bad-utf8', 'a key that is no text', sound.with(32, 0xff)],
  ['too-many-dimensions', 'five dimensions', withTensor({ shape: [1, 1, 1, 1, 4] })],

  ['version-1', 'version 1', { version: 1 }],
  ['big-endian', 'a big-endian file', { byteOrder: 'big' }],
  ['big-endian-version', 'a big-endian file of version 2', { byteOrder: 'big', version: 2 }, 'big-endian'],
  ['swapped-magic', 'a magic of FUGG', { byteOrder: 'big', magic: 'FUGG' }, 'big-endian'],
  ['embedded', 'a header at byte 64', behind(64), 'not-contiguous'],
  [
    'embedded-alignment',
    'a header at byte 7',
    behind(7),
    'embedded',
    'padding-not-zero',
    'nan-in-tensor',
    'no-final-padding',
    'out-of-file',
  ],

  ['empty-key', 'an empty key', key('', u32(1))],
  ['duplicate-key', 'a key given twice', duplicateKey()],
  ['key-not-ascii', 'a key with an umlaut', key('größe', u32(1))],
  ['key-style', 'a key in capitals', key('Some.Key', u32(1))],
  ['wrong-type', 'a context length of 64 bits', key('llama.context_length', { type: 'u64', value: 128 })],
  ['wrong-type', 'tokens that are no strings', key('tokenizer.ggml.tokens', numbers('u32', 1, 2, 3, 4))],
  ['wrong-type', 'scores of bytes', key('tokenizer.ggml.scores', numbers('u8', 1, 2, 3, 4))],
  ['nested-array', 'an array of arrays', raw(9, nestedArray)],
  ['bad-bool', 'a truth value of 2', key('a.flag', { type: 'bool', value: 2 })],
  ['bad-bool', 'a list with a truth value of 7', key('a.flags', numbers('bool', 0, 1, 7))],
  ['value-not-utf8', 'a string in Latin-1', bytesText(0x61, 0xe4)],
  ['nul-in-string', 'a string with a NUL', bytesText(0x61, 0, 0x62)],
  ['non-finite-value', 'a value that is no number', key('a.float', { type: 'f32', value: Number.NaN })],
  ['non-finite-value', 'an infinity in a list', key('a.floats', numbers('f32', 1, Infinity))],
  ['bad-alignment', 'an alignment of 48', key('general.alignment', u32(48))],
  ['bad-alignment', 'an alignment of 0', key('general.alignment', u32(0))],
  ['bad-alignment', 'an alignment that is no u32', key('general.alignment', { type: 'u64', value: 32 })],
  ['odd-alignment', 'an alignment of 4', { alignment: 4 }],
  [
    'odd-alignment',
    'an alignment of 2^30',
    key('general.alignment', u32(2 ** 30)),
    'misaligned',
    'not-contiguous',
    'padding-not-zero',
    'out-of-file',
  ],

  ['name-too-long', 'a tensor name of 64 bytes', withTensor({ name: 'n'.repeat(64) })],
  ['empty-name', 'a tensor without a name', withTensor({ name: '' })],
  ['nul-in-name', 'a tensor name with a NUL', withTensor({ name: 'a\0b' })],
  ['duplicate-tensor', 'a tensor given twice', withTensor({ name: 'output_norm.weight' })],
  ['negative-dimension', 'a dimension of -1', withTensor({ shape: [-1n] })],
  ['zero-dimension', 'a tensor without elements', withTensor({ shape: [0, 4], data: new Uint8Array(0) })],
  ['too-large', 'a product that wraps to zero', withTensor({ shape: [2n ** 32n, 2n ** 32n] })],
  ['too-large', 'a product that wraps to little', withTensor({ shape: [2n ** 42n + 1n, 2n ** 22n] })],
  ['size-overflow', 'bytes that wrap', withTensor({ dtype: 'F64', shape: [2n ** 62n] })],
  ['total-overflow', 'an end past 2^64', withTensor({ dataOffset: 2n ** 64n - 32n, shape: [2n ** 20n] })],
  ['removed-type', 'Q4_2', withTensor({ dtype: 4 })],
  ['bad-type', 'type 43', withTensor({ dtype: 43 })],
  ['bad-type', 'a negative type', withTensor({ dtype: 2 ** 32 - 1 })],
  ['split-block', 'rows of half a block', withTensor({ dtype: 'Q8_0', shape: [2, 16] })],
  ['misaligned', 'an odd offset', withTensor({ dataOffset: 9480 })],
  ['not-contiguous', 'a hole before a tensor', withTensor({ dataOffset: 9504 })],
  ['overlap', 'two tensors in one place', withTensor({ dataOffset: 0 }), 'not-contiguous'],
  ['out-of-file', 'more elements than bytes', withTensor({ shape: [2n ** 50n] })],
  ['out-of-file', 'a file cut short', sound.subarray(0, -320)],

  ['padding-not-zero', 'rubbish after the header', rubbishAfterHeader()],
  ['no-final-padding', 'a file that ends with its last tensor', unpadded()],
  ['trailing-bytes', 'bytes after the last tensor', Uint8Array.from([...sound, ...new Uint8Array(100)])],
  ['nan-in-tensor', 'a NaN in F32', withData('F32', 4, filled(16, { 6: 0xc0, 7: 0x7f }))],
  ['nan-in-tensor', 'a NaN in BF16', withData('BF16', 4, filled(8, { 2: 0xc0, 3: 0x7f }))],
  ['infinity-in-tensor', 'an infinity in F16', withData('F16', 4, filled(8, { 5: 0x7c }))],
  ['infinity-in-tensor', 'an infinity in F64', withData('F64', 2, filled(16, { 14: 0xf0, 15: 0x7f }))],
  ['nan-in-scale', 'a NaN as scale of Q8_0', withData('Q8_0', 32, filled(34, { 0: 1, 1: 0x7c }))],
  ['infinity-in-scale', 'an infinite minimum of Q4_K', withData('Q4_K', 256, filled(144, { 3: 0x7c }))],
  ['bad-e8m0-scale', 'a scale of 0xFF in MXFP4', withData(39, 32, filled(17, { 0: 0xff }))],

  ['missing-architecture', 'no architecture', without('general.architecture')],
  ['architecture-name', 'an architecture in capitals', key('general.architecture', text('LLaMA'))],
  ['unknown-architecture', 'an architecture of someone else', key('general.architecture', text('rife'))],
  ['missing-key', 'no context length', without('llama.context_length')],
  ['missing-key', 'no epsilon', without('llama.attention.layer_norm_rms_epsilon')],
  ['missing-key', 'no tokenizer', without('tokenizer.ggml.model')],
  ['missing-key', 'no tokens', without('tokenizer.ggml.tokens')],
  ['missing-key', 'no merges', byMerges({ 'tokenizer.ggml.merges': undefined })],
  ['missing-specified-key', 'no feed-forward length', without('llama.feed_forward_length')],
  ['missing-tensor', 'no token embeddings', { tensors: tinyTensors.slice(1) }],
  ['missing-quantization-version', 'quantised tensors', withTensor(q8('x', [1, 32]))],
  ['quantization-version', 'version 1 of quantisation', key('general.quantization_version', u32(1))],
  ['unknown-file-type', 'file type 5', key('general.file_type', u32(5))],
  ['file-type-mismatch', 'Q4_K in name alone', key('general.file_type', u32(15))],
  ['block-count-range', 'no blocks', key('llama.block_count', u32(0)), 'block-count'],
  ['block-count-range', '513 blocks', key('llama.block_count', u32(513)), 'block-count'],
  ['block-count', 'a block that is not there', key('llama.block_count', u32(2))],
  ['block-count', 'a block too many', withTensor({ name: 'blk.7.ffn_up.weight' })],
  ['per-block-array', 'heads of two blocks', key('llama.attention.head_count', numbers('u32', 2, 2))],
  ['head-count', 'three heads', key('llama.attention.head_count', u32(3)), 'rope-dimension'],
  ['rope-dimension', 'half a head turned', key('llama.rope.dimension_count', u32(16))],
  ['rope-scaling', 'a scaling unknown', key('llama.rope.scaling.type', text('magic'))],
  ['expert-count', 'experts of whom none is used', key('llama.expert_count', u32(8))],
  [
    'expert-count',
    'more used than there are',
    { keys: { 'llama.expert_count': u32(2), 'llama.expert_used_count': u32(3) } },
  ],
  ['embedding-length', 'rows of another length', key('llama.embedding_length', u32(128)), 'rope-dimension'],
  [
    'vocabulary-shape',
    'a token too few',
    {
      keys: {
        ...tokens('a', 'b', 'c').keys,
        'tokenizer.ggml.scores': undefined,
        'tokenizer.ggml.token_type': undefined,
      },
    },
  ],
  ['vocabulary-size', 'a size that is not that of the list', key('llama.vocab_size', u32(5))],

  ['unknown-tokenizer', 'a tokenizer unknown', key('tokenizer.ggml.model', text('magic'))],
  ['missing-pre-tokenizer', 'no pre-tokenizer', byMerges({ 'tokenizer.ggml.pre': undefined })],
  ['tokenizer-lengths', 'three scores for four tokens', key('tokenizer.ggml.scores', numbers('f32', 0, 0, 0))],
  ['duplicate-token', 'a token given twice', tokens('<unk>', '<s>', '</s>', '<s>')],
  ['empty-token', 'an empty token', tokens('<unk>', '<s>', '</s>', '')],
  [
    'too-many-tokens',
    'more than a million tokens',
    manyTokens(),
    'empty-token',
    'vocabulary-shape',
    'tokenizer-lengths',
  ],
  ['bad-merge', 'a merge of one token', byMerges({ 'tokenizer.ggml.merges': { type: 'strings', value: ['ab'] } })],
  ['bad-token-type', 'a token of type 9', key('tokenizer.ggml.token_type', numbers('i32', 2, 3, 3, 9))],
  ['bad-score', 'a score that is no number', key('tokenizer.ggml.scores', numbers('f32', 0, 0, 0, Number.NaN))],
  ['token-id-range', 'an end of text past the vocabulary', key('tokenizer.ggml.eos_token_id', u32(4))],
  ['bad-charsmap', 'a map of three bytes', key('tokenizer.ggml.precompiled_charsmap', numbers('u8', 1, 2, 3))],
  ['dangerous-template', 'a template for Python', key('tokenizer.chat_template', text("{{ ''.__class__.__mro__ }}"))],
  [
    'dangerous-template',
    'a template that runs a program',
    key('tokenizer.chat_template.tool', text("{{ os.popen('id') }}")),
  ],

  [
    'split-keys',
    'a set without a count of tensors',
    inSet({ ...shards(2), [first]: firstWith({ 'split.tensors.count': undefined }) }),
    'duplicate-tensor',
  ],
  ['split-number', 'file 3 of 2', firstWith({ 'split.no': { type: 'u16', value: 3 } })],
  ['split-name', 'a set under another name', [shards(2)[first] ?? sound, {}]],
  ['missing-shard', 'a set without its second file', inSet({ [first]: shards(2)[first] ?? sound })],
  ['shard-mismatch', 'a second file that is the first', inSet({ ...shards(2), [second]: shards(2)[first] ?? sound })],
  ['shard-mismatch', 'a second file that is none', inSet({ ...shards(2), [second]: new Uint8Array(9) })],
  ['split-tensor-count', 'a set that counts five tensors', inSet(shards(2, 5))],
  ['duplicate-tensor', 'a tensor in both files', inSet({ ...shards(2), [first]: firstWith({}) }), 'split-tensor-count'],

  ['adapter-type', 'an adapter of another kind', adapter([loraA, loraB], 'magic')],
  ['adapter-tensor', 'a tensor that adapts nothing', adapter([loraA, loraB, tinyTensors[2] ?? loraA])],
  ['adapter-pair', 'half a pair', adapter([loraA])],
  [
    'adapter-rank',
    'ranks of 8 and 4',
    adapter([loraA, weights(loraB.name, { shape: [64, 4], dtype: 'F32', seed: 6 })]),
  ],
];

describe('validateGguf', () => {
  test.each<[string, Uint8Array, Surroundings?]>([
    ['a model', sound],
    ['a model of version 2', tinyModel({ version: 2 })],
    ['a model with a wide alignment', tinyModel({ alignment: 256 })],
    ['a vocabulary', ggufFile({ metadata: tinyKeys, tensors: [] })],
    ['a tokenizer by merges', tinyModel(byMerges())],
    [
      'quantised weights',
      tinyModel({ keys: { 'general.quantization_version': u32(2) }, tensors: [...tinyTensors, q8('x', [2, 32])] }),
    ],
    ['an adapter', adapter([loraA, loraB])],
    ['a set of two files', ...inSet(shards(2))],
    ['the second file of a set', ...inSet(shards(2), second)],
    ['a set of one file', firstWith({ 'split.count': { type: 'u16', value: 1 } })],
    ['an importance matrix', ggufFile({ metadata: { 'general.type': text('imatrix') }, tensors: [] })],
    [
      'a template as models have them',
      tinyModel(key('tokenizer.chat_template', text("{% for m in messages %}{{ m['role'] }}{% endfor %}"))),
    ],
  ])('has nothing against %s', async (_, bytes, around) => {
    expect(await findingsOf(bytes, around)).toEqual([]);
  });

  test.each(cases.map(([code, what, made, ...others]) => ({ code, what, made, others })))(
    'finds $code: $what',
    async ({ code, made, others }) => {
      const [bytes, around] = isPair(made) ? made : [made instanceof Uint8Array ? made : tinyModel(made), {}];
      const found = await findingsOf(bytes, around);
      const [finding] = found.filter((each) => each.code === `gguf/${code}`);
      expect({ codes: found.map((each) => each.code), severity: finding?.severity }).toMatchObject({
        codes: expect.arrayContaining([`gguf/${code}`]),
        severity: ggufCodes[code],
      });
      // Nothing else is blamed but what cannot be told apart from it.
      const unexpected = (await codesOf(bytes, around)).filter(
        (each) => each !== code && !others.some((other) => other === each),
      );
      expect(unexpected.filter((each) => !follows(code).includes(each))).toEqual([]);
    },
  );

  test('has a case for every code', () => {
    const covered = new Set<string>(cases.map(([code]) => code));
    expect(Object.keys(ggufCodes).filter((code) => !covered.has(code))).toEqual([]);
  });

  test('puts errors first and counts what it leaves out', async () => {
    const many = Array.from({ length: 50 }, (_, index) => ({
      name: `t${index}`,
      dtype: 'F32',
      shape: [0],
      data: new Uint8Array(0),
    }));
    const found = await findingsOf(tinyModel({ tensors: [...tinyTensors, ...many, ...tinyTensors.slice(0, 1)] }));
    expect(found.map(({ code, count }) => [code, count])).toEqual([
      ['gguf/duplicate-tensor', undefined],
      ['gguf/zero-dimension', undefined],
      ['gguf/zero-dimension', undefined],
      ['gguf/zero-dimension', 48],
    ]);
  });

  test('tells what it found before a header breaks off', async () => {
    const twice = tinyModel({
      keys: { 'Bad.Key': u32(1), 'a.key': { type: 'raw', id: 99, value: new Uint8Array(1) } },
    });
    expect(await codesOf(twice)).toEqual(['bad-value-type', 'key-style']);
  });
});

describe.skipIf(realAssets === undefined)('real files (skipped unless MBK_TEST_ASSETS names their folder)', () => {
  test('are sound; of the architectures that llama.cpp has not, that is said', async () => {
    const found = [];
    for (const { bytes, path } of readRealAssets('.gguf')) {
      found.push([path.includes('rife') ? 'rife' : path, await codesOf(bytes, { path })]);
    }
    expect(found).toHaveLength(21);
    expect(found.filter(([path, codes]) => path !== 'rife' && codes?.length !== 0)).toEqual([]);
    expect(found.filter(([path]) => path === 'rife').map(([, codes]) => codes)).toEqual(
      Array.from({ length: 16 }, () => ['unknown-architecture']),
    );
  });
});

function isPair(made: Made): made is readonly [Uint8Array, Surroundings] {
  return Array.isArray(made);
}

/** Codes that no file with the first one can be without. */
function follows(code: GgufCode): readonly string[] {
  if (['negative-dimension', 'too-large', 'size-overflow', 'removed-type', 'bad-type', 'split-block'].includes(code)) {
    return ['trailing-bytes', 'padding-not-zero'];
  }
  if (['misaligned', 'total-overflow', 'not-contiguous', 'overlap'].includes(code)) {
    return ['not-contiguous', 'overlap', 'out-of-file', 'trailing-bytes', 'no-final-padding'];
  }
  const ofModel = ['missing-key', 'missing-architecture', 'architecture-name', 'unknown-architecture', 'wrong-type'];
  return ofModel.includes(code) ? ['unknown-architecture', 'missing-key', 'file-type-mismatch'] : [];
}

function duplicateKey(): Uint8Array {
  const bytes = Buffer.from(tinyModel({ keys: { 'a.key': u32(1), 'b.key': u32(2) } }));
  bytes.write('a.key', bytes.indexOf('b.key'), 'latin1');
  return bytes;
}

function rubbishAfterHeader(): Uint8Array {
  const bytes = Uint8Array.from(tinyModel({ alignment: 512, tensors: tinyTensors }));
  const end = Buffer.from(bytes).indexOf('output_norm.weight') + 'output_norm.weight'.length + 4 + 8 + 4 + 8;
  bytes[end] = 1;
  return bytes;
}

function unpadded(): Uint8Array {
  const bytes = tinyModel(withTensor({}));
  return bytes.subarray(0, -16);
}

function manyTokens(): Uint8Array {
  const count = 1_048_577;
  const value = new Uint8Array(12 + count * 8);
  value.set(arrayOf(8, BigInt(count)));
  return tinyModel(key('tokenizer.ggml.tokens', { type: 'raw', id: 9, value }));
}
