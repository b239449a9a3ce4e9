/** Facts and findings of the files that are read at will: Parquet and Arrow. */

import type { Examination, Finding, Inspection, Reader, ReaderContext } from '@mbk/plugin-sdk';
import { examineArrow } from './formats/arrow.ts';
import { examineParquet } from './formats/parquet.ts';
import type { DatasetOptions } from './options.ts';

type Context = ReaderContext<DatasetOptions>;

export interface FileExaminer {
  inspect(reader: Reader, context: Context): Promise<Inspection | undefined>;
  validate(reader: Reader, context: Context): Promise<readonly Finding[]>;
}

/** `inspect` and `validate` of one reader share what was read, as long as the reader is there. */
export function fileExaminer(): FileExaminer {
  const known = new WeakMap<Reader, Examination>();
  const examine = async (reader: Reader, context: Context): Promise<Examination> => {
    const found = known.get(reader);
    if (found !== undefined) return found;
    const made = await (context.kind === 'dataset/arrow'
      ? examineArrow(reader, context)
      : examineParquet(reader, context));
    known.set(reader, made);
    return made;
  };
  return {
    inspect: async (reader, context) => (await examine(reader, context)).inspection,
    validate: async (reader, context) => (await examine(reader, context)).findings,
  };
}
