/** Keys that a model of its architecture needs, and what they say about each other and the tensors. */

import { architectureOf, commonKeys, specifiedKeys } from '../architectures.ts';
import { type Problems, quoted } from '../codes.ts';
import type { KeyValues } from '../key-values.ts';
import type { GgufSurvey } from '../survey.ts';
import type { Profile } from './architecture-rules.ts';
import type { ModelTensors, Shards } from './shard-rules.ts';

/** llama-hparams.h: LLAMA_MAX_LAYERS, LLAMA_MAX_EXPERTS. */
const mostBlocks = 512;
const mostExperts = 1024;
/** llama-model.cpp, LLAMA_ROPE_SCALING_TYPES. */
const ropeScalings = new Set(['none', 'linear', 'yarn', 'longrope']);
/** llama-model.cpp: these turn whole heads. */
const wholeRotations = new Set(['llama', 'deci', 'falcon', 'llama-embed']);

export interface ModelKind {
  readonly profile: Profile;
  readonly shards: Shards;
}

interface Model {
  readonly keyValues: KeyValues;
  readonly tensors: ModelTensors;
  readonly name: string;
  readonly start: number;
  readonly problems: Problems;
  /** The number behind the architecture's name and a dot. */
  number(key: string): number | undefined;
  report(code: Parameters<Problems['report']>[0], key: string, message: string): void;
}

export function checkModel(survey: GgufSurvey, { profile, shards }: ModelKind, problems: Problems): void {
  const { keyValues, start } = survey;
  const name = keyValues.text('general.architecture');
  if (name === undefined || profile === 'adapter' || profile === 'companion') return;
  const model: Model = {
    keyValues,
    tensors: shards.tensors,
    name,
    start,
    problems,
    number: (key) => keyValues.whole(`${name}.${key}`),
    report(code, key, message) {
      problems.report(code, message, { offset: keyValues.find(`${name}.${key}`)?.valueOffset ?? start });
    },
  };
  if (profile === 'model') {
    checkRequired(model);
    checkNumbers(model);
  }
  checkSpecified(model);
  if (shards.set === 'incomplete set') return;
  checkBlocks(model);
  checkEmbedding(model, profile);
}

function checkRequired({ keyValues, name, problems, start }: Model): void {
  for (const key of [...commonKeys, ...(architectureOf(name)?.keys ?? [])]) {
    if (keyValues.find(`${name}.${key}`) === undefined) {
      problems.report('missing-key', `${quoted(`${name}.${key}`)} is missing`, { offset: start });
    }
  }
}

function checkSpecified({ keyValues, name, problems, start, tensors }: Model): void {
  if (tensors.count === 0) return;
  for (const key of specifiedKeys(name)) {
    if (keyValues.find(`${name}.${key}`) === undefined) {
      problems.report('missing-specified-key', `${quoted(`${name}.${key}`)} is missing`, { offset: start });
    }
  }
}

/** What llama.cpp asserts of the numbers while it loads them. */
function checkNumbers(model: Model): void {
  const { keyValues, name, number, report } = model;
  const blocks = number('block_count');
  if (blocks !== undefined && (blocks < 1 || blocks > mostBlocks)) {
    report('block-count-range', 'block_count', `block_count is ${blocks}, of 1 to ${mostBlocks}`);
  }
  if (blocks !== undefined) {
    const plain = blocks - (number('nextn_predict_layers') ?? 0);
    for (const key of ['feed_forward_length', 'attention.head_count', 'attention.head_count_kv']) {
      const length = keyValues.length(`${name}.${key}`);
      if (length === undefined || length === plain || length === blocks) continue;
      report('per-block-array', key, `${key} has ${length} elements, the model has ${plain} blocks`);
    }
  }
  checkHeads(model);
  checkExperts(model);
  const scaling = keyValues.text(`${name}.rope.scaling.type`);
  if (scaling !== undefined && !ropeScalings.has(scaling)) {
    report('rope-scaling', 'rope.scaling.type', `rope.scaling.type is ${quoted(scaling)}, which is unknown`);
  }
}

function checkHeads({ name, number, report }: Model): void {
  const heads = number('attention.head_count');
  const embedding = number('embedding_length');
  if (heads === undefined || embedding === undefined || heads === 0) return;
  const keyLength = number('attention.key_length');
  if (keyLength === undefined && embedding % heads !== 0) {
    report('head-count', 'attention.head_count', `embedding_length ${embedding} is no multiple of head_count ${heads}`);
  }
  const shared = number('attention.head_count_kv');
  if (shared !== undefined && shared > 0 && heads % shared !== 0) {
    report('head-count', 'attention.head_count_kv', `head_count ${heads} is no multiple of head_count_kv ${shared}`);
  }
  const rotated = number('rope.dimension_count');
  const perHead = keyLength ?? Math.floor(embedding / heads);
  if (rotated !== undefined && wholeRotations.has(name) && rotated !== perHead) {
    report('rope-dimension', 'rope.dimension_count', `rope.dimension_count is ${rotated}, a head has ${perHead}`);
  }
}

function checkExperts({ name, number, report }: Model): void {
  const experts = number('expert_count') ?? 0;
  const used = number('expert_used_count') ?? 0;
  if (name.startsWith('hunyuan') && experts <= 1) return;
  const isSound = experts === 0 ? used === 0 : used > 0 && used <= experts && experts <= mostExperts;
  if (!isSound) report('expert-count', 'expert_count', `expert_used_count is ${used}, expert_count is ${experts}`);
}

function checkBlocks({ number, report, tensors }: Model): void {
  const claimed = number('block_count');
  if (claimed === undefined || tensors.blocks.size === 0) return;
  const last = [...tensors.blocks].reduce((most, block) => Math.max(most, block), 0);
  const within = [...tensors.blocks].filter((block) => block < claimed).length;
  if (last >= claimed) report('block-count', 'block_count', `block_count is ${claimed}, there is a block ${last}`);
  else if (within < claimed) {
    const message = `block_count is ${claimed}, tensors have ${within} different blocks`;
    report('block-count', 'block_count', message);
  }
}

/** llama-model-loader.cpp, check_tensor_dims: `token_embd.weight` is `{ n_embd, n_vocab }`. */
function checkEmbedding({ keyValues, name, number, problems, report, start, tensors }: Model, profile: Profile): void {
  const tokens = keyValues.length('tokenizer.ggml.tokens');
  const size = number('vocab_size');
  if (tokens !== undefined && size !== undefined && tokens !== size) {
    report('vocabulary-size', 'vocab_size', `vocab_size is ${size}, there are ${tokens} tokens`);
  }
  const shape = tensors.shapes.get('token_embd.weight');
  const architecture = architectureOf(name);
  if (shape === undefined) {
    if (profile === 'model' && architecture?.needsEmbedding === true) {
      problems.report('missing-tensor', 'the tensor "token_embd.weight" is missing', { offset: start });
    }
    return;
  }
  if (architecture?.hasPlainEmbedding === false) return;
  const [row = 1n, rows = 1n] = shape;
  const embedding = number('embedding_length');
  if (embedding !== undefined && row !== BigInt(embedding)) {
    const message = `embedding_length is ${embedding}, rows of token_embd.weight have ${row} elements`;
    report('embedding-length', 'embedding_length', message);
  }
  const vocabulary = tokens ?? size;
  if (vocabulary !== undefined && rows !== BigInt(vocabulary)) {
    const message = `the vocabulary has ${vocabulary} tokens, token_embd.weight has ${rows} rows`;
    const offset = keyValues.find('tokenizer.ggml.tokens')?.valueOffset ?? start;
    problems.report('vocabulary-shape', message, { offset });
  }
}
