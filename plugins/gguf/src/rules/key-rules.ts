/** Names and types of key-values, whatever the model. */

import { alignmentIn } from '../alignment.ts';
import { type Problems, quoted } from '../codes.ts';
import type { GgufKeyValue } from '../header.ts';
import { nameSet } from '../name-set.ts';
import type { GgufSurvey } from '../survey.ts';
import { formOf, wantedForm } from '../value-forms.ts';

/** docs/gguf.md: segments of lower_snake_case between dots. */
const style = /^[a-z0-9_]+(?:\.[a-z0-9_]+)*$/;
/** Smaller ones leave no room for vectors, larger ones waste more than they can give. */
const usualAlignment = { least: 8, most: 1_048_576 };

export function checkKeys({ keyValues }: GgufSurvey, problems: Problems): void {
  const names = nameSet(keyValues.all.length);
  const architecture = keyValues.text('general.architecture');
  for (const keyValue of keyValues.all) {
    const { key, offset } = keyValue;
    if (key === '') problems.report('empty-key', 'a key is empty', { offset });
    else if (!/^[\x21-\x7e]*$/.test(key)) {
      problems.report('key-not-ascii', `the key ${quoted(key)} is not plain ASCII`, { offset });
    } else if (!style.test(withoutPrefix(key, architecture))) {
      problems.report('key-style', `the key ${quoted(key)} is not lower_snake_case between dots`, { offset });
    }
    if (!names.addText(key)) {
      problems.report('duplicate-key', `the key ${quoted(key)} is given more than once`, { offset });
    }
    checkType(keyValue, architecture, problems);
  }
  const alignment = keyValues.find('general.alignment');
  if (alignment !== undefined) checkAlignment(alignment, problems);
}

/** The names of architectures have dashes: `command-r.context_length`. */
function withoutPrefix(key: string, architecture: string | undefined): string {
  return architecture !== undefined && key.startsWith(`${architecture}.`) ? key.slice(architecture.length + 1) : key;
}

function checkType(keyValue: GgufKeyValue, architecture: string | undefined, problems: Problems): void {
  const { key, valueOffset: offset } = keyValue;
  const wanted = wantedForm(key, architecture);
  const form = formOf(keyValue);
  if (wanted === undefined || wanted.includes(form)) return;
  problems.report('wrong-type', `${quoted(key)} is ${form}, where loaders take ${wanted.join(' or ')}`, { offset });
}

function checkAlignment(keyValue: GgufKeyValue, problems: Problems): void {
  const { scalar, type, valueOffset: offset } = keyValue;
  const alignment = alignmentIn(keyValue);
  if (alignment === undefined) {
    const value = scalar === undefined ? '' : ` ${scalar}`;
    problems.report('bad-alignment', `general.alignment is ${type}${value}, no u32 that is a power of two`, { offset });
  } else if (alignment < usualAlignment.least || alignment > usualAlignment.most) {
    const { least, most } = usualAlignment;
    problems.report('odd-alignment', `general.alignment is ${alignment}, usual are ${least} to ${most}`, { offset });
  }
}
