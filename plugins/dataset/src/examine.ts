/** Facts and findings of the files that are read at will: Parquet and Arrow. */

import type { Examination, Finding, Inspection, Reader, ReaderContext } from '@mbk/plugin-sdk';
import { examineArrow } from './formats/arrow.ts';
import { examineParquet } from './formats/parquet.ts';
import type { DatasetOptions } from './options.ts';

type Context = ReaderContext<DatasetOptions>;

/** By reader: `inspect` and `validate` of one file share what was read. */
const known = new WeakMap<Reader, Examination>();

async function examine(reader: Reader, context: Context): Promise<Examination> {
  const found = known.get(reader);
  if (found !== undefined) return found;
  const made = await (context.kind === 'dataset/arrow'
    ? examineArrow(reader, context)
    : examineParquet(reader, context));
  known.set(reader, made);
  return made;
}

export async function inspect(reader: Reader, context: Context): Promise<Inspection | undefined> {
  return (await examine(reader, context)).inspection;
}

export async function validate(reader: Reader, context: Context): Promise<readonly Finding[]> {
  return (await examine(reader, context)).findings;
}
