/** `general.file_type` against the tensors: it names the type that most weights have. */

import type { Problems } from '../codes.ts';
import { fallbackOf, fileTypeOf } from '../file-types.ts';
import type { GgufSurvey } from '../survey.ts';
import type { Shards } from './shard-rules.ts';

export function checkFileType({ keyValues }: GgufSurvey, { tensors }: Shards, problems: Problems): void {
  const offset = keyValues.find('general.file_type')?.valueOffset;
  const value = keyValues.whole('general.file_type');
  if (offset === undefined || value === undefined) return;
  const fileType = fileTypeOf(value);
  if (fileType === undefined) {
    problems.report('unknown-file-type', `general.file_type is ${value}, which is no type`, { offset });
    return;
  }
  // Vectors stay F32 and embeddings are often wider than the rest; neither counts.
  const totals = [...tensors.totals].filter(([, { matrixElements }]) => matrixElements > 0);
  const [most] = totals.toSorted(([, a], [, b]) => b.matrixElements - a.matrixElements);
  if (most === undefined) return;
  const [dtype] = most;
  if (dtype === fileType.dtype || dtype === fallbackOf(fileType.dtype)) return;
  const message = `general.file_type is ${value} (${fileType.name}), most weights are ${dtype}`;
  problems.report('file-type-mismatch', message, { offset });
}
