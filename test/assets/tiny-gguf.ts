/** A llama of one block that llama.cpp's rules have nothing against, to be broken in one place at a time. */

import { ggufFile, type GgufFileOptions, type GgufFileTensor, type GgufFileValue } from './gguf-file.ts';
import { weights } from './tensor.ts';

export const text = (value: string): GgufFileValue => ({ type: 'string', value });
export const u32 = (value: number | bigint): GgufFileValue => ({ type: 'u32', value });
export const numbers = (of: 'u8' | 'u32' | 'i32' | 'f32' | 'bool', ...value: readonly number[]): GgufFileValue => ({
  type: 'numbers',
  of,
  value,
});

export const tinyKeys: Readonly<Record<string, GgufFileValue>> = {
  'general.architecture': text('llama'),
  'general.name': text('Tiny'),
  'general.license': text('mit'),
  'general.file_type': u32(1),
  'llama.context_length': u32(128),
  'llama.embedding_length': u32(64),
  'llama.block_count': u32(1),
  'llama.feed_forward_length': u32(32),
  'llama.attention.head_count': u32(2),
  'llama.attention.head_count_kv': u32(1),
  'llama.rope.dimension_count': u32(32),
  'llama.attention.layer_norm_rms_epsilon': { type: 'f32', value: 1e-5 },
  'tokenizer.ggml.model': text('llama'),
  'tokenizer.ggml.tokens': { type: 'strings', value: ['<unk>', '<s>', '</s>', 'a'] },
  'tokenizer.ggml.scores': numbers('f32', 0, 0, 0, -1),
  'tokenizer.ggml.token_type': numbers('i32', 2, 3, 3, 1),
  'tokenizer.ggml.bos_token_id': u32(1),
  'tokenizer.ggml.eos_token_id': u32(2),
  'tokenizer.ggml.add_bos_token': { type: 'bool', value: 1 },
};

export const tinyTensors: readonly GgufFileTensor[] = [
  weights('token_embd.weight', { shape: [4, 64], dtype: 'F16', seed: 1 }),
  weights('blk.0.attn_norm.weight', { shape: [64], dtype: 'F32', seed: 2 }),
  weights('blk.0.attn_q.weight', { shape: [64, 64], dtype: 'F16', seed: 3 }),
  weights('output_norm.weight', { shape: [64], dtype: 'F32', seed: 4 }),
];

/** With other keys; undefined takes one out. */
export interface TinyChange extends Omit<Partial<GgufFileOptions>, 'metadata'> {
  readonly keys?: Readonly<Record<string, GgufFileValue | undefined>>;
}

export function tinyModel({ keys = {}, tensors = tinyTensors, ...change }: TinyChange = {}): Uint8Array {
  const all = Object.entries({ ...tinyKeys, ...keys });
  const metadata = Object.fromEntries(all.filter((entry): entry is [string, GgufFileValue] => entry[1] !== undefined));
  return ggufFile({ metadata, tensors: change.byteOrder === 'big' ? tensors.map(turned) : tensors, ...change });
}

/** `count` blocks of Q8_0 with small scales. */
export function q8(name: string, shape: readonly number[]): GgufFileTensor {
  const count = shape.reduce((product, dimension) => product * dimension, 1) / 32;
  const data = new Uint8Array(count * 34);
  for (let at = 0; at < data.length; at += 34) data.set([0, 0x2c, 1, 2, 3], at);
  return { name, dtype: 'Q8_0', shape, data };
}

/** The tensor with its numbers the other way round. */
function turned(tensor: GgufFileTensor): GgufFileTensor {
  const width = tensor.dtype === 'F32' ? 4 : 2;
  const data = Uint8Array.from(tensor.data);
  if (tensor.dtype === 'Q8_0') {
    for (let at = 0; at < data.length; at += 34) data.subarray(at, at + 2).reverse();
  } else {
    for (let at = 0; at < data.length; at += width) data.subarray(at, at + width).reverse();
  }
  return { ...tensor, data };
}
