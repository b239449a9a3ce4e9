import { pluginConformance } from '@mbk/plugin-sdk/testing';
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { plugin } from '../src/index.ts';
import { arrowFile, arrowStream } from './arrow-samples.ts';
import { parquet, utf8, webDataset } from './samples.ts';

const jsonl = utf8(
  Array.from(
    { length: 40 },
    (_, id) =>
      `{"id": ${id}, "text": "line \\u00e4 ${id}", "domain": "${id % 3 ? 'law' : 'code'}", "meta": {"n": [1, 2.5, null]}}\n`,
  ).join(''),
);
const csv = utf8('id,text,label\n1,"a, ""b""",x\n2,"two\nlines",y\n3,c,x\n');
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const bag = {
  'bagit.txt': utf8('BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n'),
  'bag-info.txt': utf8(`Payload-Oxum: ${jsonl.length}.1\n`),
  'data/train.jsonl': jsonl,
  'manifest-sha256.txt': utf8(`${sha256(jsonl)}  data/train.jsonl\n`),
};

pluginConformance({ describe, test, expect }, plugin, {
  mutations: 120,
  samples: [
    { path: 'data/train.jsonl', bytes: jsonl },
    { path: 'data/train.csv', bytes: csv },
    { path: 'data/train.tsv', bytes: utf8('id\ttext\n1\ta "b\n2\tc\n') },
    { path: 'notes.txt', bytes: utf8('one\ntwo\n\nthree ü\n') },
    { path: 'shard-000000.tar', bytes: webDataset(4) },
    { path: 'data/train.parquet', bytes: parquet() },
    { path: 'data/train.arrow', bytes: arrowFile },
    { path: 'data/stream.arrow', bytes: arrowStream },
  ],
  folders: [
    { path: 'bag', files: bag },
    {
      path: 'data',
      files: {
        'train.csv': csv,
        'test.parquet': parquet(),
        SHA256SUMS: utf8(`${sha256(csv)}  train.csv\n${sha256(parquet())} *./test.parquet\n`),
      },
    },
    {
      path: 'cr',
      files: {
        'a.jsonl': jsonl,
        'croissant.json': utf8(
          JSON.stringify({
            distribution: [{ contentUrl: 'a.jsonl', sha256: sha256(jsonl), contentSize: `${jsonl.length} B` }],
          }),
        ),
      },
    },
  ],
});
