/** What changed between two versions of one file, by its kind. */

import type { DiffContext, Difference, Reader } from '@mbk/plugin-sdk';
import { diffRecords } from './diff-records.ts';
import { diffArrow, diffParquet } from './diff-tables.ts';
import type { DatasetOptions } from './options.ts';

export async function diff(before: Reader, after: Reader, context: DiffContext<DatasetOptions>): Promise<Difference> {
  if (context.kind === 'dataset/parquet') return diffParquet(before, after, context);
  return context.kind === 'dataset/arrow' ? diffArrow(before, after, context) : diffRecords(before, after, context);
}
