import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { typeText, types } from '../src/records/columns.ts';
import { scanJson } from '../src/records/json-record.ts';
import { seenRecords } from '../src/records/seen-records.ts';
import { arrowFile, arrowStream } from './arrow-samples.ts';
import { examined } from './ask.ts';
import { parquet, utf8, webDataset } from './samples.ts';

describe('facts', () => {
  test('of JSONL: records, schema, duplicates, labels', async () => {
    const text = '{"t": "x", "lang": "de"}\n{"t": "y", "lang": "en", "n": 1}\n{"t": "x", "lang": "de"}\n';
    const { inspection } = await examined('a.jsonl', text);
    expect(inspection).toEqual({
      summary: 'jsonl, 3 records, 3 columns, 1 duplicate',
      facts: {
        format: 'jsonl',
        records: 3,
        duplicates: 1,
        columns: [
          { name: 't', type: 'string' },
          { name: 'lang', type: 'string' },
          { name: 'n', type: 'integer', optional: true },
        ],
        labels: [
          {
            field: 'lang',
            distinct: 2,
            values: [
              { value: 'de', count: 2 },
              { value: 'en', count: 1 },
            ],
          },
        ],
      },
    });
  });

  test('of CSV: types by the looks of the values', async () => {
    const { inspection } = await examined('a.csv', 'i,f,b,s,e,label\n1,2.5,true,x,,p\n-2,1e3,False,"3x",,q\n');
    expect(inspection?.facts['columns']).toEqual([
      { name: 'i', type: 'integer' },
      { name: 'f', type: 'number' },
      { name: 'b', type: 'boolean' },
      { name: 's', type: 'string' },
      { name: 'e', type: 'null', optional: true },
      { name: 'label', type: 'string' },
    ]);
    expect(inspection?.summary).toEqual('csv, 2 rows, 6 columns');
  });

  test('of Parquet, Arrow and WebDataset', async () => {
    expect((await examined('a.parquet', parquet())).inspection?.summary).toEqual(
      'parquet, 5 rows, 2 columns, 2 row groups',
    );
    for (const bytes of [arrowFile, arrowStream]) {
      const { inspection } = await examined('a.arrow', bytes);
      expect(inspection?.facts['records']).toEqual(3);
      expect(inspection?.facts['columns']).toEqual([
        { name: 'id', type: 'int32' },
        { name: 'score', type: 'float64' },
        { name: 'text', type: 'dictionary of string', optional: true },
      ]);
    }
    const { inspection } = await examined('a.tar', webDataset(3));
    expect(inspection?.facts).toMatchObject({ records: 3, members: 6, extensions: [{ name: 'jpg' }, { name: 'txt' }] });
  });

  test('of any record stay within their limit', async () => {
    const record = JSON.stringify(
      Object.fromEntries(Array.from({ length: 3000 }, (_, n) => [`${'ü'.repeat(300)}${n}`, n])),
    );
    const { inspection } = await examined('a.jsonl', `${record}\n`);
    expect(Buffer.byteLength(JSON.stringify(inspection?.facts))).toBeLessThanOrEqual(32_768);
    expect(inspection?.facts['columnsOmitted']).toBeGreaterThan(0);
  });
});

describe('a JSON text', () => {
  test('is JSON exactly where JSON.parse says so', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ':',
      ',',
      '"a"',
      '"\\u00e4"',
      '1',
      '-0',
      '1.5e3',
      'null',
      'true',
      ' ',
      '01',
      '"',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join('')),
        ),
        (text) => {
          let isJson = true;
          try {
            JSON.parse(text);
          } catch {
            isJson = false;
          }
          expect({ text, ok: scanJson(utf8(text)).ok }).toEqual({ text, ok: isJson });
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('has the members that JSON.parse finds, with their types', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const bytes = utf8(JSON.stringify(value));
        const members: [string, unknown][] = [];
        scanJson(bytes, (keyStart, keyEnd, type, start, end) => {
          const own = (from: number, to: number): string => new TextDecoder().decode(bytes.subarray(from, to));
          const member: unknown = JSON.parse(own(start, end));
          const isType = type === 'array' ? Array.isArray(member) : type === 'null' ? member === null : true;
          members.push([JSON.parse(`"${own(keyStart, keyEnd)}"`) as string, isType ? member : type]);
        });
        expect(members).toEqual(Object.entries(JSON.parse(JSON.stringify(value)) as object));
      }),
    );
  });
});

test('records that were seen are known again, up to a bound', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50)), fc.integer({ min: 1, max: 30 }), (numbers, most) => {
      const seen = seenRecords(most);
      const known = new Set<number>();
      for (const number of numbers) {
        expect(seen.add({ high: number, low: 0 })).toEqual(known.has(number));
        if (known.size < most) known.add(number);
      }
      expect(seen.size).toEqual(known.size);
    }),
  );
});

test('a type says what a value may be, null left out', () => {
  expect(typeText(types.null)).toEqual('null');
  expect(typeText(types.null | types.string)).toEqual('string');
  expect(typeText(types.integer | types.number)).toEqual('number');
  expect(typeText(types.integer | types.string)).toEqual('integer|string');
});

const assets = process.env['MBK_TEST_ASSETS'];

describe.skipIf(assets === undefined)('real files', () => {
  const read = (name: string): Uint8Array => Uint8Array.from(readFileSync(join(assets ?? '', 'data', name)));

  test('of Parquet are clean, and the invalid one is found', async () => {
    const wiki = await examined('wiki.parquet', read('data__test__parquet__wiki_30k.parquet'));
    const embeddings = await examined(
      'e.parquet',
      read('oxen-python__tests__data__QuestionEmbeddings__question_embeddings.parquet'),
    );
    const invalid = await examined('invalid.parquet', read('invalid.parquet'));
    expect([wiki.findings, embeddings.findings]).toEqual([[], []]);
    expect([wiki.inspection?.summary, embeddings.inspection?.summary]).toMatchInlineSnapshot(`
      [
        "parquet, 100 rows, 3 columns, 1 row group",
        "parquet, 100 rows, 7 columns, 1 row group",
      ]
    `);
    expect(invalid.findings.map(({ code, severity }) => [code, severity])).toEqual([
      ['dataset/parquet-footer', 'error'],
    ]);
  });

  test('of Parquet, cut, flipped and spliced, give findings and no exception', async () => {
    const bytes = read('data__test__parquet__wiki_30k.parquet');
    const near = fc.integer({ min: 0, max: 2000 }).map((distance) => bytes.length - 1 - distance);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(near, fc.nat(255)), { minLength: 1, maxLength: 6 }),
        near,
        fc.boolean(),
        async (flips, cut, isCut) => {
          const variant = Uint8Array.from(isCut ? bytes.subarray(0, cut) : bytes);
          for (const [at, value] of flips) if (at < variant.length) variant[at] = value;
          if (!isCut) variant.copyWithin(cut - 64, cut - 4096, cut - 4000);
          const { findings } = await examined('a.parquet', variant);
          expect(findings.length).toBeLessThanOrEqual(200);
        },
      ),
      { numRuns: 100 },
    );
  });
});
