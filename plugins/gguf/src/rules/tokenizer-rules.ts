/** The tokenizer's keys against each other (llama-vocab.cpp, load); what is in its lists is looked at as they are read. */

import { type Problems, quoted } from '../codes.ts';
import type { KeyValues } from '../key-values.ts';
import type { GgufSurvey } from '../survey.ts';
import type { Profile } from './architecture-rules.ts';

const prefix = 'tokenizer.ggml.';
/** Tokenizers by merges (BPE), which also need to know how text is cut beforehand. */
const byMerges = new Set(['gpt2', 'hybriddna', 'whitespace', 'gemma4']);
const others = new Set(['llama', 'bert', 't5', 'rwkv', 'plamo2', 'replit']);
const none = new Set(['no_vocab', 'none']);

export function checkTokenizer({ keyValues, start }: GgufSurvey, profile: Profile, problems: Problems): void {
  const model = keyValues.text(`${prefix}model`);
  const hasAny = keyValues.all.some(({ key }) => key.startsWith(prefix));
  const isLoaded = profile === 'model' || profile === 'vocabulary';
  if (!hasAny && !isLoaded) return;
  const missing = (key: string): void => {
    problems.report('missing-key', `${quoted(prefix + key)} is missing`, { offset: start });
  };
  if (isLoaded && keyValues.find(`${prefix}model`) === undefined) missing('model');
  if (model !== undefined && !byMerges.has(model) && !others.has(model) && !none.has(model)) {
    problems.report('unknown-tokenizer', `llama.cpp has no tokenizer ${quoted(model)}`, {
      offset: keyValues.find(`${prefix}model`)?.valueOffset ?? start,
    });
  }
  if (model !== undefined && byMerges.has(model)) {
    const cut = keyValues.text(`${prefix}pre`);
    if (keyValues.find(`${prefix}merges`) === undefined && cut !== 'kimi-k2') missing('merges');
    if (keyValues.find(`${prefix}pre`) === undefined && model !== 'gemma4') {
      problems.report('missing-pre-tokenizer', `${quoted(`${prefix}pre`)} is missing: text is cut by a default`, {
        offset: start,
        remedy: 'Convert the model again with a current converter.',
      });
    }
  }
  const tokens = keyValues.length(`${prefix}tokens`);
  if (tokens === undefined) {
    const isNeeded = isLoaded && (model === undefined || !none.has(model));
    if (isNeeded && keyValues.find(`${prefix}tokens`) === undefined) missing('tokens');
    return;
  }
  checkLengths(keyValues, tokens, problems);
  checkIds(keyValues, tokens, problems);
  checkCharsmap(keyValues, problems);
}

function checkLengths(keyValues: KeyValues, tokens: number, problems: Problems): void {
  for (const list of ['scores', 'token_type']) {
    const found = keyValues.find(prefix + list);
    const length = found?.array?.count;
    if (found === undefined || length === undefined || length === tokens) continue;
    problems.report(
      'tokenizer-lengths',
      `there are ${tokens} tokens, ${quoted(prefix + list)} has ${length} elements`,
      {
        offset: found.valueOffset,
      },
    );
  }
}

function checkIds(keyValues: KeyValues, tokens: number, problems: Problems): void {
  for (const { key, scalar, valueOffset: offset } of keyValues.all) {
    if (!key.startsWith(prefix) || !key.endsWith('_token_id') || scalar === undefined) continue;
    if (scalar < 0 || scalar >= tokens) {
      problems.report('token-id-range', `${quoted(key)} is ${scalar}, there are ${tokens} tokens`, { offset });
    }
  }
}

/** The length of its first part stands in its first four bytes, so it has more than those. */
function checkCharsmap(keyValues: KeyValues, problems: Problems): void {
  const found = keyValues.find(`${prefix}precompiled_charsmap`);
  const length = found?.array?.count;
  if (found === undefined || length === undefined || length >= 4) return;
  problems.report('bad-charsmap', `${quoted(found.key)} has ${length} bytes, of at least 4`, {
    offset: found.valueOffset,
  });
}
