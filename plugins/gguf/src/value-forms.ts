/**
 * Which types loaders take for the keys they know. llama.cpp refuses a value of another type, also a wider integer,
 * although the specification lets counts be u64 (llama-model-loader.cpp, GGUFMeta::GKV).
 */

import type { GgufKeyValue } from './header.ts';
import { isKnownArchitecture } from './architectures.ts';

/** `u32`, `string`, `array of string`. */
export type Form = string;

export function formOf({ array, type }: GgufKeyValue): Form {
  return array === undefined ? type : `array of ${array.elementType}`;
}

const u32: readonly Form[] = ['u32'];
const u32s: readonly Form[] = ['u32', 'array of u32', 'array of i32'];
const f32: readonly Form[] = ['f32', 'array of f32'];
const bool: readonly Form[] = ['bool', 'array of bool'];
const text: readonly Form[] = ['string'];
const texts: readonly Form[] = ['array of string'];

const fixed: Readonly<Record<string, readonly Form[]>> = {
  'general.architecture': text,
  'general.type': text,
  'general.name': text,
  'general.quantization_version': u32,
  'general.file_type': u32,
  'general.tags': texts,
  'general.languages': texts,
  'split.no': ['u16'],
  'split.count': ['u16'],
  'split.tensors.count': ['i32'],
  'adapter.type': text,
  'adapter.lora.alpha': ['f32'],
  'adapter.alora.invocation_tokens': ['array of u32'],
  'tokenizer.ggml.model': text,
  'tokenizer.ggml.pre': text,
  'tokenizer.ggml.tokens': texts,
  'tokenizer.ggml.merges': texts,
  'tokenizer.ggml.scores': ['array of f32', 'array of i32'],
  'tokenizer.ggml.token_type': ['array of i32'],
  'tokenizer.ggml.token_type_count': u32,
  'tokenizer.ggml.suppress_tokens': ['array of i32'],
  'tokenizer.ggml.precompiled_charsmap': ['array of u8', 'array of i8'],
  'tokenizer.chat_template': text,
};

/** Behind the architecture's name. */
const ofArchitecture: Readonly<Record<string, readonly Form[]>> = {
  context_length: u32,
  embedding_length: u32,
  block_count: u32,
  vocab_size: u32,
  expert_count: u32,
  expert_used_count: u32,
  feed_forward_length: u32s,
  leading_dense_block_count: u32s,
  'attention.head_count': u32s,
  'attention.head_count_kv': u32s,
  'attention.key_length': u32s,
  'attention.value_length': u32s,
  'attention.sliding_window': u32s,
  'attention.layer_norm_epsilon': f32,
  'attention.layer_norm_rms_epsilon': f32,
  'attention.causal': bool,
  'rope.dimension_count': u32s,
  'rope.freq_base': f32,
  'rope.scale_linear': f32,
  'rope.scaling.type': text,
  'rope.scaling.factor': f32,
  'rope.scaling.original_context_length': u32s,
  'rope.scaling.finetuned': bool,
  'ssm.conv_kernel': u32s,
  'ssm.inner_size': u32s,
  'ssm.state_size': u32s,
  'ssm.time_step_rank': u32s,
  'ssm.group_count': u32s,
  logit_scale: f32,
  use_parallel_residual: bool,
};

/** The forms that a loader takes for the key, or undefined where any will do or nobody reads it. */
export function wantedForm(key: string, architecture: string | undefined): readonly Form[] | undefined {
  if (Object.hasOwn(fixed, key)) return fixed[key];
  if (key.startsWith('tokenizer.ggml.')) {
    if (key.endsWith('_token_id')) return u32;
    return /\.add_(?:bos_token|eos_token|sep_token|space_prefix)$/.test(key) ? bool : undefined;
  }
  if (architecture === undefined || !isKnownArchitecture(architecture)) return undefined;
  if (!key.startsWith(`${architecture}.`)) return undefined;
  const rest = key.slice(architecture.length + 1);
  return Object.hasOwn(ofArchitecture, rest) ? ofArchitecture[rest] : undefined;
}
