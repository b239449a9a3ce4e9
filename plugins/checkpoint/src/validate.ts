/** The `validate` of the plugin: every rule of docs/plugins/checkpoint.md. */

import { canBeNonFinite, type Finding, type LayoutTensor, type Reader, type ReaderContext } from '@mbk/plugin-sdk';
import { problemList, type Problems, quoted } from './codes.ts';
import type { CheckpointOptions, Surveyor } from './survey.ts';

/** Errors first. */
export async function validateCheckpoint(
  reader: Reader,
  context: ReaderContext<CheckpointOptions>,
  surveyor: Surveyor,
): Promise<readonly Finding[]> {
  const { findings, tensors } = await surveyor(reader, context);
  const problems = problemList();
  problems.include(findings);
  await checkFinite(reader, tensors, problems, context);
  return problems.findings();
}

/** Tensors asked about together. */
const batch = 1024;

async function checkFinite(
  reader: Reader,
  tensors: readonly LayoutTensor[],
  problems: Problems,
  context: ReaderContext<CheckpointOptions>,
): Promise<void> {
  const spans = tensors.filter(({ dtype, length }) => length > 0 && canBeNonFinite(dtype));
  for (let at = 0; at < spans.length; at += batch) {
    const part = spans.slice(at, at + batch);
    const results = await context.nonFinite(reader, part);
    for (const [index, { dtype, name, offset }] of part.entries()) {
      const { first = -1, infinite = 0, nan = 0 } = results[index] ?? {};
      if (first < 0) continue;
      const place = { offset: offset + first };
      if (nan > 0)
        problems.report(
          'checkpoint/nan',
          `tensor ${quoted(name)} (${dtype}): ${nan} elements that are no number`,
          place,
        );
      if (infinite > 0)
        problems.report(
          'checkpoint/infinity',
          `tensor ${quoted(name)} (${dtype}): ${infinite} infinite elements`,
          place,
        );
    }
  }
}
