import { type Finding, memoryReader } from '@mbk/plugin-sdk';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plugin } from '../src/index.ts';
import { arrowFile } from './arrow-samples.ts';
import { bytesOf, type Content, contextFor, examined } from './ask.ts';
import { joined, parquet, tarEnd, tarMember, utf8 } from './samples.ts';

async function linesOf(path: string, before: Content, after: Content): Promise<readonly string[]> {
  const [old, now] = [memoryReader(path, bytesOf(before)), memoryReader(path, bytesOf(after))];
  const difference = await plugin.diff?.(old, now, contextFor(path));
  expect((difference?.changes.length ?? 0) > 0).toEqual((difference?.lines.length ?? 0) > 0);
  return difference?.lines ?? [];
}

describe('a difference', () => {
  test('of records: added, removed, changed by their id, wherever they stand', async () => {
    const before = '{"id": 1, "t": "a"}\n{"id": 2, "t": "b"}\n{"id": 3, "t": "c"}\n';
    const after = '{"id": 3, "t": "c"}\n{"id": 1, "t": "x"}\n{"id": 4, "t": "d"}\n';
    expect(await linesOf('a.jsonl', before, after)).toEqual([
      '+ 1 record added: id 4',
      '- 1 record removed: id 2',
      '~ 1 record changed: id 1',
    ]);
  });

  test('of lines without ids: by their text', async () => {
    expect(await linesOf('a.txt', 'a\nb\n', 'b\nc\nc\n')).toEqual([
      '+ 2 records added: line 2, line 3',
      '- 1 record removed: line 1',
    ]);
    expect(await linesOf('a.txt', 'a\nb\n', 'b\r\na\r\n')).toEqual([]);
  });

  test('of CSV: columns and rows', async () => {
    expect(await linesOf('a.csv', 'id,x\n1,a\n2,b\n', 'id,x,y\n1,a,2\n2,b,3\n')).toEqual([
      '+ column y: integer',
      '~ 2 records changed: id 1, id 2',
    ]);
  });

  test('of WebDataset: members', async () => {
    const tar = (text: string): Uint8Array =>
      joined(tarMember('1.txt', utf8(text)), tarMember('2.txt', utf8('x')), tarEnd);
    expect(await linesOf('a.tar', tar('abc'), tar('abd'))).toEqual(
      ['+ 1 record added: member 1.txt', '- 1 record removed: member 1.txt']
        .slice(2)
        .concat('~ 1 record changed: member 1.txt'),
    );
  });

  test('of Parquet: columns, rows, and what is stored otherwise', async () => {
    expect(await linesOf('a.parquet', parquet(), parquet({ columns: ['id', 'label'], groups: [3, 3] }))).toEqual([
      '- column text: string',
      '+ column label: string',
      '~ 5 rows -> 6 rows',
    ]);
    expect(await linesOf('a.parquet', parquet(), parquet({ fill: 8 }))).toEqual([
      '~ column id: 2 row groups of 2 stored otherwise',
      '~ column text: 2 row groups of 2 stored otherwise',
    ]);
  });

  test('of Arrow: batches', async () => {
    const after = Uint8Array.from(arrowFile);
    // Within the values of `score` in the one record batch.
    const at = Buffer.from(arrowFile).indexOf(Buffer.from(Float64Array.of(0.5, 1, 2).buffer));
    after[at] = 1;
    expect(await linesOf('a.arrow', arrowFile, after)).toEqual(['~ 1 record batch of 1 stored otherwise']);
  });

  test('counts exactly what lists of lines would', async () => {
    const lines = fc.array(fc.nat(20), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(lines, lines, async (left, right) => {
        const text = (numbers: readonly number[]): string => numbers.map((number) => `line ${number}\n`).join('');
        const count = (numbers: readonly number[], others: readonly number[]): number => {
          const rest = [...others];
          return numbers.filter((number) => {
            const at = rest.indexOf(number);
            if (at >= 0) rest.splice(at, 1);
            return at < 0;
          }).length;
        };
        const found = await linesOf('a.txt', text(left), text(right));
        const said = (what: string): number => Number(found.find((line) => line.includes(what))?.split(' ')[1] ?? 0);
        expect([said('added'), said('removed')]).toEqual([count(right, left), count(left, right)]);
      }),
      { numRuns: 60 },
    );
  });
});

describe('drift', () => {
  const driftOf = async (path: string, before: Content, after: Content): Promise<string[]> => {
    const facts = async (content: Content) => (await examined(path, content)).inspection?.facts ?? {};
    const found: readonly Finding[] =
      (await plugin.drift?.(await facts(before), await facts(after), contextFor(path))) ?? [];
    return found.map(({ code, message }) => `${code.replace('dataset/', '')}: ${message}`);
  };

  test('of columns', async () => {
    expect(await driftOf('a.jsonl', '{"a": 1, "b": 1}\n', '{"a": "x", "c": null}\n')).toEqual([
      'column-retyped: column a was integer and is string',
      'column-removed: column b is gone',
      'column-added: column c (null) is new',
    ]);
  });

  test('of records and labels', async () => {
    const rows = (de: number, en: number): string => '{"lang": "de"}\n'.repeat(de) + '{"lang": "en"}\n'.repeat(en);
    expect(await driftOf('a.jsonl', rows(50, 50), rows(50, 45))).toEqual([]);
    expect(await driftOf('a.jsonl', rows(50, 50), rows(50, 0))).toEqual([
      'records-dropped: there were 100 records, now 50',
      'records-dropped: all 50 records with lang = en are gone',
      'label-mix: 50 % of the records moved between values of lang',
    ]);
  });

  test('against rubbish is none', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.constantFrom('records', 'columns', 'labels'), fc.jsonValue()),
        async (facts) => {
          const rubbish = JSON.parse(JSON.stringify(facts)) as Record<string, never>;
          expect(Array.isArray(await plugin.drift?.(rubbish, {}, contextFor('a.jsonl')))).toEqual(true);
        },
      ),
    );
  });
});
