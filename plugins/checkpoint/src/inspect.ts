/** The `inspect` of the plugin: what a file is, and sums over its tensors. */

import { type Inspection, type Json, type JsonObject, type Reader, roundedCount } from '@mbk/plugin-sdk';
import type { Survey, SurveyContext, Surveyor } from './survey.ts';

/** Undefined where nothing could be read of the file. */
export async function inspectCheckpoint(
  reader: Reader,
  context: SurveyContext,
  surveyor: Surveyor,
): Promise<Inspection | undefined> {
  const survey = await surveyor(reader, context);
  const { facts: own, format, tensors } = survey;
  if (format === 'other' || format === 'empty') return undefined;
  if (tensors.length === 0 && Object.keys(own).length === 0) return undefined;
  const facts: JsonObject = { format, ...sumsOf(survey), ...own };
  return { summary: summaryOf(format, facts), facts };
}

/** Parameters are elements of whatever dtype. */
function sumsOf({ format, tensors }: Survey): Readonly<Record<string, Json>> {
  if (format === 'pickle' || format === 'shard-index') return {};
  const dtypes = new Map<string, number>();
  let parameters = 0;
  let bytes = 0;
  for (const { dtype, length, shape } of tensors) {
    dtypes.set(dtype, (dtypes.get(dtype) ?? 0) + 1);
    parameters += shape.reduce((product, dimension) => product * dimension, 1);
    bytes += length;
  }
  return {
    tensors: tensors.length,
    ...(Number.isSafeInteger(parameters) ? { parameters } : {}),
    ...(Number.isSafeInteger(bytes) ? { tensorBytes: bytes } : {}),
    dtypes: Object.fromEntries([...dtypes].toSorted(([a], [b]) => (a < b ? -1 : 1))),
  };
}

const titles: Readonly<Record<string, string>> = {
  safetensors: 'safetensors',
  'pytorch-zip': 'PyTorch checkpoint',
  'pytorch-legacy': 'PyTorch checkpoint of before 1.6',
  torchscript: 'TorchScript',
  pickle: 'pickle',
  npy: 'NumPy array',
  npz: 'NumPy arrays',
  onnx: 'ONNX model',
  zip: 'zip file',
  'shard-index': 'index of a set of files',
};

/** `safetensors, LoRA adapter of rank 4, 1.2M parameters, F16`. */
function summaryOf(format: string, facts: JsonObject): string {
  const { adapter, dtypes, files, parameters, tensors } = facts;
  const parts = [titles[format] ?? format];
  if (typeof adapter === 'object') {
    const ranks = ((adapter as JsonObject)['ranks'] ?? []) as readonly number[];
    parts.push(ranks.length === 0 ? 'LoRA adapter' : `LoRA adapter of rank ${ranks.slice(0, 4).join(', ')}`);
  }
  if (typeof files === 'number') parts.push(`${files} files`);
  if (typeof tensors === 'number') parts.push(`${tensors} ${tensors === 1 ? 'tensor' : 'tensors'}`);
  if (typeof parameters === 'number') parts.push(`${roundedCount(parameters)} parameters`);
  if (typeof dtypes === 'object') parts.push(...Object.keys(dtypes as JsonObject).slice(0, 4));
  return parts.join(', ').slice(0, 200);
}
