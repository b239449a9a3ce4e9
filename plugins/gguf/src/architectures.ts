/**
 * The architectures that llama.cpp knows (llama-arch.cpp, LLM_ARCH_NAMES, August 2026), and for each the keys behind
 * its name without which it refuses a model: those that `load_arch_hparams` reads without a condition and without a
 * default. Every one needs the three of `commonKeys` too (llama-model.cpp, load_hparams).
 */

export interface Architecture {
  /** Keys behind the architecture's name that must be there. */
  readonly keys: readonly string[];
  /** Whether there must be a tensor `token_embd.weight`. */
  readonly needsEmbedding: boolean;
  /** Whether that tensor is `embedding_length` by the size of the vocabulary. */
  readonly hasPlainEmbedding: boolean;
}

export const commonKeys: readonly string[] = ['context_length', 'embedding_length', 'block_count'];

interface Group {
  readonly names: string;
  readonly keys: string;
}

const groups: readonly Group[] = [
  {
    names:
      'llama llama-embed maincoder deci baichuan grok refact neo-bert eurobert nanbeige qwen qwen2 dream llada ' +
      'llada-moe rnd1 qwen2moe qwen3 qwen3moe phi3 phimoe plamo plamo3 internlm2 gemma gemma2 gemma3 xverse ' +
      'olmo2 olmoe openelm arctic chatglm glm4 bitnet exaone exaone4 minicpm chameleon seed_oss arcee ernie4_5 ' +
      'ernie4_5-moe paddleocr hunyuan_vl hunyuan-dense smollm3 smallthinker cogvlm pangu-embedded mistral3 ' +
      'dflash',
    keys: 'attention.layer_norm_rms_epsilon',
  },
  {
    names:
      'falcon starcoder bert jina-bert-v2 jina-bert-v3 nomic-bert nomic-bert-moe modern-bert bloom mpt stablelm ' +
      'pockettts phi2 gpt2 codeshell orion starcoder2 command-r olmo jais jais2 nemotron',
    keys: 'attention.layer_norm_epsilon',
  },
  {
    names: 'deepseek deepseek2-ocr bailingmoe dots1 afmoe',
    keys: 'attention.layer_norm_rms_epsilon expert_feed_forward_length expert_shared_count',
  },
  {
    names: 'plamo2 falcon-h1 qwen3next mamba2 granitehybrid',
    keys:
      'attention.layer_norm_rms_epsilon ssm.conv_kernel ssm.group_count ssm.inner_size ssm.state_size ' +
      'ssm.time_step_rank',
  },
  {
    names: 'mellum hunyuan-moe hy_v3 minimax-m2',
    keys: 'attention.layer_norm_rms_epsilon expert_feed_forward_length',
  },
  {
    names: 'talkie granite granitemoe',
    keys: 'attention.layer_norm_rms_epsilon logit_scale',
  },
  {
    names: 'qwen3vl qwen3vlmoe qwen3tts',
    keys: 'attention.layer_norm_rms_epsilon rope.dimension_sections',
  },
  {
    names: 'rwkv7 arwkv7',
    keys: 'attention.decay_lora_rank attention.iclr_lora_rank attention.value_residual_mix_lora_rank wkv.head_size',
  },
  {
    names: 'nemotron_h nemotron_h_moe',
    keys:
      'attention.layer_norm_epsilon attention.layer_norm_rms_epsilon ssm.conv_kernel ssm.group_count ' +
      'ssm.inner_size ssm.state_size ssm.time_step_rank',
  },
  {
    names: 'deepseek2 mistral4',
    keys: 'attention.layer_norm_rms_epsilon attention.kv_lora_rank expert_feed_forward_length expert_shared_count',
  },
  {
    names: 't5 t5encoder',
    keys: 'attention.layer_norm_rms_epsilon attention.relative_buckets_count',
  },
  {
    names: 'gemma3n gemma-embedding',
    keys: 'attention.layer_norm_rms_epsilon attention.sliding_window',
  },
  {
    names: 'mimo2 step35',
    keys:
      'attention.layer_norm_rms_epsilon attention.sliding_window attention.sliding_window_pattern ' +
      'expert_feed_forward_length',
  },
  {
    names: 'qwen35 qwen35moe',
    keys:
      'attention.layer_norm_rms_epsilon rope.dimension_sections ssm.conv_kernel ssm.group_count ssm.inner_size ' +
      'ssm.state_size ssm.time_step_rank',
  },
  {
    names: 'mamba jamba',
    keys: 'attention.layer_norm_rms_epsilon ssm.conv_kernel ssm.inner_size ssm.state_size ssm.time_step_rank',
  },
  {
    names: 'rwkv6 rwkv6qwen2',
    keys: 'time_decay_extra_dim time_mix_extra_dim wkv.head_size',
  },
  {
    names: 'dbrx',
    keys: 'attention.layer_norm_epsilon attention.clamp_kqv',
  },
  {
    names: 'wavtokenizer-dec',
    keys: 'attention.layer_norm_epsilon attention.group_norm_epsilon attention.group_norm_groups',
  },
  {
    names: 'cohere2',
    keys: 'attention.layer_norm_epsilon attention.sliding_window logit_scale',
  },
  {
    names: 'gptneox',
    keys: 'attention.layer_norm_epsilon use_parallel_residual',
  },
  {
    names: 'kimi-k3',
    keys:
      'attention.layer_norm_rms_epsilon activation.situ_beta activation.situ_linear_beta ' +
      'attention.key_length_mla attention.kv_lora_rank attention.value_length_mla attn_res.block_size ' +
      'expert_feed_forward_length expert_gating_func expert_shared_count kda.head_dim ssm.conv_kernel',
  },
  {
    names: 'graniteswitch',
    keys:
      'attention.layer_norm_rms_epsilon adapters.count adapters.lora_rank adapters.token_ids_activate ' +
      'adapters.token_ids_substitute logit_scale',
  },
  {
    names: 'deepseek4',
    keys:
      'attention.layer_norm_rms_epsilon attention.compress_ratios attention.compress_rope_freq_base ' +
      'attention.indexer.head_count attention.indexer.key_length attention.indexer.top_k ' +
      'attention.output_group_count attention.output_lora_rank attention.q_lora_rank attention.sliding_window ' +
      'expert_feed_forward_length expert_gating_func expert_shared_count expert_weights_norm ' +
      'expert_weights_scale hash_layer_count hyper_connection.count hyper_connection.epsilon ' +
      'hyper_connection.sinkhorn_iterations swiglu_clamp_exp',
  },
  {
    names: 'minimax-m3',
    keys:
      'attention.layer_norm_rms_epsilon attention.indexer.block_size attention.indexer.head_count ' +
      'attention.indexer.key_length attention.indexer.local_blocks attention.indexer.top_k ' +
      'expert_feed_forward_length expert_gating_func expert_shared_count',
  },
  {
    names: 'deepseek32',
    keys:
      'attention.layer_norm_rms_epsilon attention.indexer.head_count attention.indexer.key_length ' +
      'attention.indexer.top_k attention.kv_lora_rank attention.q_lora_rank expert_count ' +
      'expert_feed_forward_length expert_gating_func expert_shared_count expert_used_count',
  },
  {
    names: 'glm-dsa',
    keys:
      'attention.layer_norm_rms_epsilon attention.indexer.head_count attention.indexer.key_length ' +
      'attention.indexer.top_k attention.kv_lora_rank attention.q_lora_rank expert_count ' +
      'expert_feed_forward_length expert_shared_count expert_used_count',
  },
  {
    names: 'bailingmoe3',
    keys:
      'attention.layer_norm_rms_epsilon attention.key_length_mla attention.kv_lora_rank ' +
      'attention.value_length_mla expert_feed_forward_length expert_gating_func expert_shared_count ' +
      'kda.gate_lower_bound kda.head_dim leading_dense_block_count ssm.conv_kernel',
  },
  {
    names: 'kimi-linear',
    keys:
      'attention.layer_norm_rms_epsilon attention.key_length_mla attention.kv_lora_rank ' +
      'attention.value_length_mla expert_feed_forward_length expert_gating_func expert_shared_count ' +
      'kda.head_dim ssm.conv_kernel',
  },
  {
    names: 'gemma4-assistant',
    keys:
      'attention.layer_norm_rms_epsilon attention.key_length_swa attention.sliding_window ' +
      'attention.sliding_window_pattern attention.value_length_swa',
  },
  {
    names: 'gemma4',
    keys:
      'attention.layer_norm_rms_epsilon attention.key_length_swa attention.sliding_window ' +
      'attention.sliding_window_pattern attention.value_length_swa embedding_length_per_layer_input',
  },
  {
    names: 'plm',
    keys: 'attention.layer_norm_rms_epsilon attention.kv_lora_rank',
  },
  {
    names: 'minicpm3',
    keys: 'attention.layer_norm_rms_epsilon attention.kv_lora_rank attention.q_lora_rank',
  },
  {
    names: 'gpt-oss',
    keys: 'attention.layer_norm_rms_epsilon attention.sliding_window expert_feed_forward_length',
  },
  {
    names: 'exaone-moe',
    keys: 'attention.layer_norm_rms_epsilon attention.sliding_window expert_feed_forward_length expert_gating_func',
  },
  {
    names: 'muse-glimmer',
    keys: 'attention.layer_norm_rms_epsilon attention.sliding_window logit_scale',
  },
  {
    names: 'glm4moe',
    keys:
      'attention.layer_norm_rms_epsilon expert_count expert_feed_forward_length expert_shared_count ' +
      'expert_used_count',
  },
  {
    names: 'bailingmoe2',
    keys: 'attention.layer_norm_rms_epsilon expert_feed_forward_length expert_gating_func expert_shared_count',
  },
  {
    names: 'lfm2moe',
    keys: 'attention.layer_norm_rms_epsilon expert_feed_forward_length expert_gating_func shortconv.l_cache',
  },
  {
    names: 'grovemoe',
    keys: 'attention.layer_norm_rms_epsilon expert_feed_forward_length expert_group_scale experts_per_group',
  },
  {
    names: 'llama4',
    keys: 'attention.layer_norm_rms_epsilon expert_feed_forward_length interleave_moe_layer_step',
  },
  {
    names: 'laguna',
    keys: 'attention.layer_norm_rms_epsilon expert_feed_forward_length leading_dense_block_count',
  },
  {
    names: 'minimax-01',
    keys: 'attention.layer_norm_rms_epsilon residual_scale',
  },
  {
    names: 'lfm2',
    keys: 'attention.layer_norm_rms_epsilon shortconv.l_cache',
  },
  {
    names: 'eagle3',
    keys: 'attention.layer_norm_rms_epsilon target_hidden_size',
  },
  {
    names: 'apertus',
    keys: 'attention.layer_norm_rms_epsilon xielu.alpha_n xielu.alpha_p xielu.beta xielu.eps',
  },
  {
    names: 'cohere2moe',
    keys: 'attention.sliding_window expert_feed_forward_length leading_dense_block_count logit_scale',
  },
  {
    names: 'qwen2vl',
    keys: 'rope.dimension_sections',
  },
];

/** Drafts and decoders whose embedding is another model's, or none. */
const withoutEmbedding = new Set(['codeshell', 'eagle3', 'dflash']);
const otherEmbedding = new Set(['wavtokenizer-dec', 'eagle3', 'dflash', 'pockettts', 'qwen3tts']);

const architectures: ReadonlyMap<string, Architecture> = new Map(
  groups.flatMap(({ keys, names }) =>
    names.split(' ').map((name): [string, Architecture] => [
      name,
      {
        keys: keys.split(' '),
        needsEmbedding: !withoutEmbedding.has(name),
        hasPlainEmbedding: !otherEmbedding.has(name),
      },
    ]),
  ),
);

/** What llama.cpp asks of a model of this architecture; undefined for one that it does not load. */
export function architectureOf(name: string): Architecture | undefined {
  return architectures.get(name);
}

/** Whether llama.cpp loads models of this architecture. */
export function isKnownArchitecture(name: string): boolean {
  return architectures.has(name);
}

/**
 * Keys that the specification's section on the architecture demands beyond those. Left out are three that no writer
 * has ever written under the names that stand there: `mpt.attention.alibi_bias_max`, `mpt.attention.clip_kqv` and
 * `falcon.attention.use_norm`.
 */
const specified: Readonly<Record<string, readonly string[]>> = {
  llama: ['feed_forward_length', 'rope.dimension_count', 'attention.head_count'],
  mpt: ['attention.head_count'],
  gptneox: ['rope.dimension_count', 'attention.head_count'],
  gptj: [...commonKeys, 'rope.dimension_count', 'attention.head_count', 'attention.layer_norm_epsilon'],
  gpt2: ['attention.head_count'],
  bloom: ['feed_forward_length', 'attention.head_count'],
  falcon: ['attention.head_count', 'attention.head_count_kv'],
  rwkv: ['architecture_version', ...commonKeys, 'feed_forward_length'],
  whisper: [
    'encoder.context_length',
    'encoder.embedding_length',
    'encoder.block_count',
    'encoder.mels_count',
    'encoder.attention.head_count',
    'decoder.context_length',
    'decoder.embedding_length',
    'decoder.block_count',
    'decoder.attention.head_count',
  ],
};

/** What docs/gguf.md demands of this architecture and llama.cpp does not. */
export function specifiedKeys(name: string): readonly string[] {
  return Object.hasOwn(specified, name) ? (specified[name] ?? []) : [];
}
