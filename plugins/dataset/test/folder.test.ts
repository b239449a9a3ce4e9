import {
  type Examination,
  examineFolder,
  type ExportedFile,
  type Folder,
  matchingFolderKind,
  memoryFolder,
  type MemoryFolderFile,
  plainContext,
  defaultOptions,
} from '@mbk/plugin-sdk';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plugin } from '../src/index.ts';
import { bytesOf, type Content, contextFor, examined } from './ask.ts';

const sha256 = (content: Content): string => createHash('sha256').update(bytesOf(content)).digest('hex');
const context = plainContext({ kind: 'dataset/files', options: defaultOptions(plugin.options) });

async function folderOf(files: Readonly<Record<string, Content>>): Promise<Folder> {
  const known: Record<string, MemoryFolderFile> = {};
  for (const [path, content] of Object.entries(files)) {
    const { kind } = contextFor(path);
    const facts = kind === '' ? undefined : (await examined(path, content)).inspection?.facts;
    known[path] = { bytes: bytesOf(content), ...(kind === '' ? {} : { kind }), ...(facts && { facts }) };
  }
  return memoryFolder('data/set', known);
}

const examine = async (files: Readonly<Record<string, Content>>): Promise<Examination> =>
  examineFolder(plugin, await folderOf(files), context);

async function codesOf(files: Readonly<Record<string, Content>>): Promise<string[]> {
  const { findings } = await examine(files);
  return findings.map(({ code, path }) => `${code.replace('dataset/', '')}${path === undefined ? '' : ` ${path}`}`);
}

const rows = '{"id": 1, "lang": "de"}\n{"id": 2, "lang": "en"}\n';
const declaration = 'BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n';
const bag = {
  'bagit.txt': declaration,
  'bag-info.txt': `Payload-Oxum: ${rows.length}.1\n`,
  'data/a.jsonl': rows,
  'manifest-sha256.txt': `${sha256(rows)}  data/a.jsonl\n`,
};
const croissant = (files: object): string => JSON.stringify({ '@type': 'sc:Dataset', distribution: files });

const cases: readonly (readonly [
  what: string,
  files: Readonly<Record<string, Content>>,
  expected: readonly string[],
])[] = [
  ['sums that hold have none', { 'a.jsonl': rows, SHA256SUMS: `${sha256(rows)}  a.jsonl\n# x\n\n` }, []],
  ['tagged sums that hold', { 'a.jsonl': rows, SHA256SUMS: `SHA256 (a.jsonl) = ${sha256(rows)}\n` }, []],
  ['sums of a folder below', { 'x/a.jsonl': rows, 'x/SHA256SUMS': `${sha256(rows)} *a.jsonl\n` }, []],
  [
    'another file than the sum says',
    { 'a.jsonl': rows, SHA256SUMS: `${sha256('x')}  a.jsonl\n` },
    ['checksum-mismatch a.jsonl'],
  ],
  ['a file that is not there', { SHA256SUMS: `${sha256('x')}  a.jsonl\n` }, ['missing-file a.jsonl']],
  ['a file that is not listed', { 'a.jsonl': rows, SHA256SUMS: '', README: 'x' }, ['unlisted-file a.jsonl']],
  ['lines that are no sums', { SHA256SUMS: 'abc  x\n' }, ['manifest-syntax SHA256SUMS']],
  ['a sum of a path that leads out', { SHA256SUMS: `${sha256('x')}  ../../etc/passwd\n` }, ['unsafe-path SHA256SUMS']],
  ['a sound bag has none', bag, []],
  [
    'a bag with a payload that is not listed',
    { ...bag, 'data/b': 'b' },
    ['bag-unlisted-file data/b', 'bag-oxum bag-info.txt'],
  ],
  [
    'a bag without a declaration',
    { ...bag, 'bagit.txt': 'x' },
    ['bag-declaration bagit.txt', 'bag-declaration bagit.txt'],
  ],
  [
    'a bag without manifests and payload',
    { 'bagit.txt': declaration },
    ['bag-no-manifest bagit.txt', 'bag-no-manifest'],
  ],
  [
    'a bag with MD5 alone',
    { 'bagit.txt': declaration, 'data/a.jsonl': rows, 'manifest-md5.txt': `${'0'.repeat(32)}  data/a.jsonl\n` },
    ['manifest-algorithm manifest-md5.txt'],
  ],
  [
    'a bag that is still to be fetched',
    {
      ...bag,
      'fetch.txt': 'https://host/b - data/b\n',
      'manifest-sha256.txt': `${bag['manifest-sha256.txt']}${sha256('b')}  data/b\n`,
    },
    ['bag-fetch fetch.txt'],
  ],
  [
    'a Croissant description that holds',
    {
      'a.jsonl': rows,
      'croissant.json': croissant([{ contentUrl: './a.jsonl', sha256: sha256(rows), contentSize: `${rows.length} B` }]),
    },
    [],
  ],
  [
    'a Croissant description of another file',
    { 'a.jsonl': rows, 'croissant.json': croissant([{ contentUrl: 'a.jsonl', sha256: sha256('x'), contentSize: 1 }]) },
    ['size-mismatch a.jsonl', 'checksum-mismatch a.jsonl'],
  ],
  [
    'files of a Croissant description that lie elsewhere',
    {
      'croissant.json': croissant([{ contentUrl: 'https://host/a' }, { contentUrl: 'b', containedIn: { '@id': 'x' } }]),
    },
    [],
  ],
  ['a Croissant description that is none', { 'croissant.json': '{' }, ['croissant-syntax croissant.json']],
  ['two files of the same bytes', { 'a.jsonl': rows, 'b.jsonl': rows }, ['duplicate-file b.jsonl']],
  [
    'shards of different columns',
    { 'train-0.jsonl': rows, 'train-1.jsonl': '{"id": 3}\n' },
    ['schema-mismatch train-1.jsonl'],
  ],
  ['splits of different columns', { 'train.csv': 'a,b\n1,2\n', 'test.csv': 'a\n3\n' }, ['schema-mismatch train.csv']],
  ['files that have nothing to do with one another', { 'x.csv': 'a,b\n1,2\n', 'y.csv': 'c\n3\n' }, []],
];

describe('a dataset', () => {
  test.each(cases)('%s', async (_, files, expected) => {
    expect(await codesOf(files)).toEqual(expected);
  });

  test('is matched by its markers', () => {
    expect(matchingFolderKind(plugin.folders ?? [], ['x', 'bagit.txt'])).toEqual('dataset/bagit');
    expect(matchingFolderKind(plugin.folders ?? [], ['train.parquet'])).toEqual('dataset/files');
    expect(matchingFolderKind(plugin.folders ?? [], ['main.py'])).toEqual(undefined);
  });

  test('has facts of all its files together', async () => {
    const { inspection } = await examine({ 'a.jsonl': rows, 'b.csv': 'id,lang\n3,de\n' });
    expect(inspection?.summary).toEqual('dataset, 2 files, 61 bytes, 3 records: 1 csv, 1 jsonl');
    expect(inspection?.facts).toMatchObject({
      records: 3,
      labels: [
        {
          field: 'lang',
          values: [
            { value: 'de', count: 2 },
            { value: 'en', count: 1 },
          ],
        },
      ],
    });
  });

  test('has a fingerprint that depends on names and bytes, not on the order in which files come', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.nat(99), { minLength: 2, maxLength: 6 }), async (numbers) => {
        const files = numbers.map((number): [string, string] => [`${number}.txt`, `text ${number}\n`]);
        const print = async (list: [string, string][]): Promise<unknown[]> => {
          const facts = (await examine(Object.fromEntries(list))).inspection?.facts;
          return [facts?.['fingerprint'], facts?.['contentFingerprint']];
        };
        const own = await print(files);
        expect(await print(files.toReversed())).toEqual(own);
        const renamed = await print(files.map(([name, text]) => [`x${name}`, text]));
        expect([renamed[0] === own[0], renamed[1] === own[1]]).toEqual([false, true]);
        const edited = await print(files.map(([name, text], index) => [name, index === 0 ? `${text}!` : text]));
        expect([edited[0] === own[0], edited[1] === own[1]]).toEqual([false, false]);
      }),
      { numRuns: 20 },
    );
  });

  test('that is exported with its manifests is sound, and has the same fingerprint', async () => {
    for (const path of ['train.jsonl', 'data/train.jsonl', 'data/odd %\nname.jsonl']) {
      const files = { [path]: rows };
      const made: readonly ExportedFile[] = (await plugin.folder?.export?.(await folderOf(files), context)) ?? [];
      const whole = { ...files, ...Object.fromEntries(made.map((file) => [file.path, file.text])) };
      expect([path, await codesOf(whole)]).toEqual([path, []]);
      const [before, after] = [await examine(files), await examine(whole)];
      expect(after.inspection?.facts['fingerprint']).toEqual(before.inspection?.facts['fingerprint']);
      const bags = ['bagit.txt', 'bag-info.txt', 'manifest-sha256.txt', 'tagmanifest-sha256.txt'];
      expect(made.map((file) => file.path)).toEqual([
        'SHA256SUMS',
        'croissant.json',
        ...(path.startsWith('data/') ? bags : []),
      ]);
    }
  });

  test('keeps its own manifests when it is exported', async () => {
    const folder = await folderOf({ 'a.csv': 'a\n1\n', 'sha256sums.txt': '', 'croissant.json': '{}' });
    expect(await plugin.folder?.export?.(folder, context)).toEqual([]);
  });

  test('differs by files that came, went, moved and changed', async () => {
    const before = await folderOf({ 'a.jsonl': rows, 'b.txt': 'b\n', 'c.txt': 'c\n' });
    const after = await folderOf({ 'a.jsonl': '{"id": "1"}\n', 'd.txt': 'c\n', 'e.txt': 'e\n' });
    const difference = await plugin.folder?.diff?.(before, after, context);
    expect(difference?.lines).toEqual([
      '~ a.jsonl (48 -> 12 bytes, 2 -> 1 record)',
      '~ a.jsonl: column id: integer -> string',
      '- a.jsonl: column lang: string',
      '> c.txt -> d.txt',
      '+ e.txt (2 bytes, 1 record)',
      '- b.txt (2 bytes, 1 record)',
    ]);
    expect(difference?.changes.map(({ change, what }) => `${what} ${change}`)).toEqual([
      'file changed',
      'column retyped',
      'column removed',
      'file moved',
      'file added',
      'file removed',
    ]);
  });
});
