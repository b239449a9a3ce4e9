/** The `inspect` of the plugin: what the header says of itself, and sums over the tensors. */

import {
  type Inspection,
  type Json,
  type JsonObject,
  type PluginContext,
  type Reader,
  roundedCount,
} from '@mbk/plugin-sdk';
import { fileTypeOf } from './file-types.ts';
import type { KeyValues } from './key-values.ts';
import { shownText } from './shown-text.ts';
import { type GgufSurvey, type Surveyor, surveyOf } from './survey.ts';

/** Undefined where the file is no GGUF file, or the header could not be read to its end. */
export async function inspectGguf(
  reader: Reader,
  context: Pick<PluginContext, 'signal' | 'limits'>,
  surveyor: Surveyor = surveyOf,
): Promise<Inspection | undefined> {
  const survey = await surveyor(reader, context);
  if (survey?.end === undefined) return undefined;
  const facts = factsOf(survey);
  return { summary: summaryOf(survey, facts), facts };
}

function factsOf(survey: GgufSurvey): JsonObject {
  const { alignment, encoding, keyValues, start, tensors } = survey;
  const architecture = shown(keyValues.text('general.architecture'));
  const inModel = (key: string): number | undefined =>
    keyValues.whole(`${keyValues.text('general.architecture') ?? ''}.${key}`);
  const fileType = keyValues.whole('general.file_type');
  const totals = [...tensors.totals];
  const sum = (of: 'elements' | 'bytes'): number => totals.reduce((total, [, each]) => total + each[of], 0);
  return present({
    format: 'gguf',
    version: encoding.version,
    byteOrder: encoding.littleEndian ? 'little' : 'big',
    offset: start === 0 ? undefined : start,
    alignment,
    type: shown(keyValues.text('general.type')),
    architecture,
    ...namesOf(keyValues),
    parameters: tensors.count === 0 ? undefined : safe(sum('elements')),
    quantisation: fileType === undefined ? undefined : fileTypeOf(fileType)?.name,
    contextLength: inModel('context_length'),
    embeddingLength: inModel('embedding_length'),
    blocks: inModel('block_count'),
    heads: inModel('attention.head_count'),
    keyValueHeads: inModel('attention.head_count_kv'),
    experts: inModel('expert_count'),
    expertsUsed: inModel('expert_used_count'),
    tokenizer: tokenizerOf(keyValues),
    chatTemplate: keyValues.find('tokenizer.chat_template') === undefined ? undefined : true,
    adapter: adapterOf(keyValues),
    split: splitOf(keyValues),
    keys: keyValues.all.length,
    tensors: tensors.count,
    tensorBytes: safe(sum('bytes')),
    dtypes: Object.fromEntries(totals.map(([dtype, total]) => [dtype, total.tensors])),
  });
}

function namesOf(keyValues: KeyValues): Readonly<Record<string, Json | undefined>> {
  const text = (key: string): string | undefined => shown(keyValues.text(key));
  return {
    name: text('general.name'),
    basename: text('general.basename'),
    fineTune: text('general.finetune'),
    modelVersion: text('general.version'),
    sizeLabel: text('general.size_label'),
    organisation: text('general.organization'),
    author: text('general.author'),
    quantisedBy: text('general.quantized_by'),
    licence: text('general.license'),
    licenceLink: text('general.license.link'),
    source: text('general.source.url') ?? text('general.source.repo_url') ?? text('general.repo_url'),
    baseModel: text('general.base_model.0.repo_url') ?? text('general.base_model.0.name'),
  };
}

function tokenizerOf(keyValues: KeyValues): JsonObject | undefined {
  const tokens = keyValues.length('tokenizer.ggml.tokens');
  const model = shown(keyValues.text('tokenizer.ggml.model'));
  if (tokens === undefined && model === undefined) return undefined;
  return present({
    model,
    pre: shown(keyValues.text('tokenizer.ggml.pre')),
    tokens,
    merges: keyValues.length('tokenizer.ggml.merges'),
  });
}

function adapterOf(keyValues: KeyValues): JsonObject | undefined {
  const type = shown(keyValues.text('adapter.type'));
  if (type === undefined) return undefined;
  const alpha = Number(keyValues.find('adapter.lora.alpha')?.scalar);
  return present({ type, alpha: Number.isFinite(alpha) ? alpha : undefined });
}

function splitOf(keyValues: KeyValues): JsonObject | undefined {
  const number = keyValues.whole('split.no');
  const count = keyValues.whole('split.count');
  if (number === undefined || count === undefined) return undefined;
  return present({ number, count, tensors: keyValues.whole('split.tensors.count') });
}

/** `llama Tiny, 1.1B parameters, Q4_K_M, 2048 tokens of context`. */
function summaryOf({ tensors }: GgufSurvey, facts: JsonObject): string {
  const { adapter, architecture, contextLength, name, parameters, quantisation, split, tokenizer } = facts;
  const title = [architecture, name].filter((word) => typeof word === 'string').join(' ');
  const parts = [title === '' ? 'GGUF' : title];
  if (adapter !== undefined) parts.push('LoRA adapter');
  if (tensors.count === 0 && tokenizer !== undefined) {
    const { tokens } = tokenizer as JsonObject;
    parts.push(typeof tokens === 'number' ? `vocabulary of ${tokens} tokens` : 'vocabulary');
  } else {
    if (typeof parameters === 'number') parts.push(`${roundedCount(parameters)} parameters`);
    if (typeof quantisation === 'string') parts.push(quantisation);
  }
  if (typeof contextLength === 'number') parts.push(`${contextLength} tokens of context`);
  if (split !== undefined) {
    const { count, number } = split as { readonly count: number; readonly number: number };
    parts.push(`file ${number + 1} of ${count}`);
  }
  return parts.join(', ').slice(0, 200);
}

function shown(text: string | undefined): string | undefined {
  return text === undefined ? undefined : shownText(text);
}

function safe(count: number): number | undefined {
  return Number.isSafeInteger(count) ? count : undefined;
}

function present(members: Readonly<Record<string, Json | undefined>>): JsonObject {
  return Object.fromEntries(
    Object.entries(members).filter((member): member is [string, Json] => member[1] !== undefined),
  );
}
