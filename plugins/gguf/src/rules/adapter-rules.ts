/** LoRA adapters (llama-adapter.cpp): pairs of matrices, one of them as wide as the other is high. */

import { type Problems, quoted } from '../codes.ts';
import type { GgufSurvey } from '../survey.ts';

export function checkAdapter({ keyValues, start, tensors }: GgufSurvey, problems: Problems): void {
  const type = keyValues.text('adapter.type');
  if (type !== 'lora') {
    const found = keyValues.find('adapter.type');
    const what = type === undefined ? 'missing' : quoted(type);
    problems.report('adapter-type', `adapter.type is ${what}, loaders take "lora"`, {
      offset: found?.valueOffset ?? start,
    });
  }
  if (keyValues.find('adapter.lora.alpha') === undefined) {
    problems.report('missing-key', '"adapter.lora.alpha" is missing', { offset: start });
  }
  for (const name of tensors.otherTensors) {
    problems.report('adapter-tensor', `tensor ${quoted(name)} is neither .lora_a nor .lora_b`);
  }
  for (const [name, { a, b }] of tensors.adapterTensors) {
    if (a === undefined || b === undefined) {
      if (problems.isFull('adapter-pair')) continue;
      const missing = a === undefined ? '.lora_a' : '.lora_b';
      problems.report('adapter-pair', `tensor ${quoted(name)} has no ${missing}`);
    } else if (!name.endsWith('token_embd.weight') && a !== b) {
      problems.report('adapter-rank', `tensor ${quoted(name)}: .lora_a is of rank ${a}, .lora_b of ${b}`);
    }
  }
}
