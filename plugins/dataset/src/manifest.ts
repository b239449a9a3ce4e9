/** What the plugin says of itself, without its code: a host matches files by it before it loads anything else. */

import type { Manifest } from '@mbk/plugin-sdk';
import { optionsSchema } from './options.ts';

export const manifest: Manifest = {
  apiVersion: 1,
  name: 'dataset',
  version: '1.0.0',
  description:
    'Datasets: records, schema, duplicates and labels of JSONL, CSV, Parquet, Arrow, WebDataset and text; manifests.',
  match: [
    { kind: 'dataset/parquet', extensions: ['.parquet'] },
    { kind: 'dataset/arrow', extensions: ['.arrow', '.feather', '.ipc'] },
    { kind: 'dataset/jsonl', extensions: ['.jsonl', '.ndjson'], reads: 'stream' },
    { kind: 'dataset/csv', extensions: ['.csv'], reads: 'stream' },
    { kind: 'dataset/tsv', extensions: ['.tsv'], reads: 'stream' },
    { kind: 'dataset/webdataset', extensions: ['.tar'], reads: 'stream' },
    { kind: 'dataset/text', extensions: ['.txt'], reads: 'stream' },
  ],
  folders: [
    { kind: 'dataset/bagit', markers: ['bagit.txt'] },
    { kind: 'dataset/croissant', markers: ['croissant.json'] },
    { kind: 'dataset/checksums', markers: ['SHA256SUMS', 'SHA256SUMS.txt', 'sha256sums.txt', 'sha256sum.txt'] },
    { kind: 'dataset/files', markers: ['*.parquet', '*.arrow', '*.jsonl', '*.ndjson', '*.csv', '*.tsv'] },
  ],
  options: optionsSchema,
  contributes: ['inspect', 'validate', 'scan', 'drift', 'diff', 'folder'],
};
