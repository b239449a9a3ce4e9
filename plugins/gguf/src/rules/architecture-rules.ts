/** What kind of thing the file holds, by its general keys. */

import { architectureOf } from '../architectures.ts';
import { type Problems, quoted } from '../codes.ts';
import { isQuantised } from '../ggml-types.ts';
import type { GgufSurvey } from '../survey.ts';
import type { Shards } from './shard-rules.ts';

/**
 * `model`: of an architecture that llama.cpp loads. `vocabulary`: the same without tensors. `adapter`: a LoRA.
 * `companion`: belongs to a model, with rules of its own: projectors, importance matrices, control vectors.
 * `other`: of an architecture that others load.
 */
export type Profile = 'model' | 'vocabulary' | 'adapter' | 'companion' | 'other';

const companionTypes = new Set(['mmproj', 'imatrix']);
const companionArchitectures = new Set(['clip', 'imatrix', 'controlvector']);
/** ggml.h, GGML_QNT_VERSION. */
const quantizationVersion = 2;

export function checkArchitecture(survey: GgufSurvey, { set, tensors }: Shards, problems: Problems): Profile {
  checkQuantization(survey, tensors, problems);
  const { keyValues, start } = survey;
  const type = keyValues.text('general.type');
  const name = keyValues.text('general.architecture');
  if (name === undefined) {
    if (keyValues.find('general.architecture') === undefined && type !== 'imatrix') {
      problems.report('missing-architecture', 'general.architecture is missing', { offset: start });
    }
    return type === 'imatrix' ? 'companion' : 'other';
  }
  const offset = keyValues.find('general.architecture')?.valueOffset ?? start;
  if (!/^[a-z0-9_-]+$/.test(name)) {
    problems.report('architecture-name', `general.architecture is ${quoted(name)}, of a-z and 0-9`, { offset });
  }
  if (type === 'adapter') return 'adapter';
  if (companionTypes.has(type ?? '') || companionArchitectures.has(name)) return 'companion';
  if (architectureOf(name) === undefined) {
    problems.report('unknown-architecture', `llama.cpp has no architecture ${quoted(name)}`, { offset });
    return 'other';
  }
  return tensors.count === 0 && set === 'single file' ? 'vocabulary' : 'model';
}

function checkQuantization({ keyValues, start }: GgufSurvey, tensors: Shards['tensors'], problems: Problems): void {
  const found = keyValues.find('general.quantization_version');
  const version = keyValues.whole('general.quantization_version');
  const quantised = [...tensors.totals.keys()].filter((dtype) => isQuantised(dtype));
  if (found === undefined && quantised.length > 0) {
    const message = `tensors are quantised (${quantised.join(', ')}), general.quantization_version is missing`;
    problems.report('missing-quantization-version', message, { offset: start });
  } else if (found !== undefined && version !== quantizationVersion) {
    const message = `general.quantization_version is ${version ?? found.type}, loaders take ${quantizationVersion}`;
    problems.report('quantization-version', message, { offset: found.valueOffset });
  }
}
