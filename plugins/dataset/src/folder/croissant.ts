/** A Croissant 1.0 description of files, as far as mbk knows them. */

import type { FolderFile, JsonObject } from '@mbk/plugin-sdk';
import { tableFacts } from '../table-facts.ts';

const cr = (name: string): readonly [string, string] => [name, `cr:${name}`];

const context: JsonObject = {
  '@language': 'en',
  '@vocab': 'https://schema.org/',
  sc: 'https://schema.org/',
  cr: 'http://mlcommons.org/croissant/',
  dct: 'http://purl.org/dc/terms/',
  conformsTo: 'dct:conformsTo',
  data: { '@id': 'cr:data', '@type': '@json' },
  dataType: { '@id': 'cr:dataType', '@type': '@vocab' },
  ...Object.fromEntries(
    ['column', 'extract', 'field', 'fileObject', 'fileSet', 'includes', 'jsonPath', 'recordSet', 'source'].map(cr),
  ),
};

const formats: Readonly<Record<string, string>> = {
  'dataset/parquet': 'application/x-parquet',
  'dataset/arrow': 'application/vnd.apache.arrow.file',
  'dataset/jsonl': 'application/jsonlines',
  'dataset/csv': 'text/csv',
  'dataset/tsv': 'text/tab-separated-values',
  'dataset/webdataset': 'application/x-tar',
  'dataset/text': 'text/plain',
};

/** Of the record files the first few have their columns described. */
const mostRecordSets = 20;

/** The document, with the files in their order. Licence, author and description are the owner's to add. */
export function croissantText(name: string, files: readonly FolderFile[]): string {
  const tables = files.filter(({ facts, kind }) => {
    const hasColumns = facts !== undefined && (tableFacts(facts).columns?.size ?? 0) > 0;
    return hasColumns && ['dataset/csv', 'dataset/tsv', 'dataset/jsonl', 'dataset/parquet'].includes(kind ?? '');
  });
  const document: JsonObject = {
    '@context': context,
    '@type': 'sc:Dataset',
    name,
    conformsTo: 'http://mlcommons.org/croissant/1.0',
    distribution: files.map(({ kind, path, sha256, size }) => ({
      '@type': 'cr:FileObject',
      '@id': path,
      name: path,
      contentUrl: path,
      contentSize: `${size} B`,
      encodingFormat: formats[kind ?? ''] ?? 'application/octet-stream',
      sha256,
    })),
    ...(tables.length === 0 ? {} : { recordSet: tables.slice(0, mostRecordSets).map(recordSet) }),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function recordSet({ facts, kind, path }: FolderFile): JsonObject {
  const id = `records of ${path}`;
  const columns = facts === undefined ? [] : [...(tableFacts(facts).columns ?? [])];
  return {
    '@type': 'cr:RecordSet',
    '@id': id,
    name: id,
    field: columns.slice(0, 200).map(([column, type]) => ({
      '@type': 'cr:Field',
      '@id': `${id}/${column}`,
      name: column,
      dataType: dataType(type),
      source: {
        fileObject: { '@id': path },
        extract: kind === 'dataset/jsonl' ? { jsonPath: `$[${JSON.stringify(column)}]` } : { column },
      },
    })),
  };
}

function dataType(type: string): string {
  if (/^u?int(?:eger|\d+)?$/.test(type)) return 'sc:Integer';
  if (/^(?:number|float|double|decimal|float\d+)$/.test(type)) return 'sc:Float';
  if (type === 'boolean') return 'sc:Boolean';
  return type === 'date' || type === 'timestamp' ? 'sc:Date' : 'sc:Text';
}
