/** One pass over a file whose records stand one after the other. */

import type { Examination, PluginContext, StreamReader } from '@mbk/plugin-sdk';
import { scanCsv } from './formats/csv.ts';
import { scanJsonl } from './formats/jsonl.ts';
import type { Scanner } from './formats/record-scan.ts';
import { scanText } from './formats/text.ts';
import { scanWebDataset } from './formats/webdataset.ts';
import type { DatasetOptions } from './options.ts';

type Context = PluginContext<DatasetOptions>;

export async function scan(reader: Pick<StreamReader, 'stream'>, context: Context): Promise<Examination> {
  const { signal } = context;
  const scanner = scannerFor(context);
  for await (const piece of reader.stream({ signal })) {
    signal.throwIfAborted();
    scanner.push(piece);
  }
  signal.throwIfAborted();
  return scanner.end();
}

function scannerFor(context: Context): Scanner {
  switch (context.kind) {
    case 'dataset/jsonl':
      return scanJsonl(context);
    case 'dataset/csv':
    case 'dataset/tsv':
      return scanCsv(context);
    case 'dataset/webdataset':
      return scanWebDataset(context);
    default:
      return scanText(context);
  }
}
