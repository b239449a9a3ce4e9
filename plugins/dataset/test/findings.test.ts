import { describe, expect, test } from 'vitest';
import { type Content, shownFindings } from './ask.ts';
import { arrowFile, arrowStream } from './arrow-samples.ts';
import { joined, parquet, tarEnd, tarMember, utf8, webDataset } from './samples.ts';

const changed = (bytes: Uint8Array, at: number, value: number): Uint8Array => {
  const copy = Uint8Array.from(bytes);
  copy[at < 0 ? copy.length + at : at] = value;
  return copy;
};
const one = utf8('x');

const cases: readonly (readonly [what: string, path: string, content: Content, expected: readonly string[]])[] = [
  ['sound records have none', 'a.jsonl', '{"a": 1}\n{"a": 2}\n', []],
  ['a file of nothing', 'a.jsonl', '', ['empty-file']],
  ['a file of empty lines', 'a.jsonl', '\n\n', ['blank-line 1 +0', 'no-records']],
  ['a line that is no JSON', 'a.jsonl', '{"a": 1}\n{"ä": x}\n', ['invalid-json 2:7 +16']],
  ['a comma too many', 'a.jsonl', '{"a": 1,}\n', ['invalid-json 1:9 +8']],
  ['two values on a line', 'a.jsonl', '{"a": 1} {"a": 2}\n', ['invalid-json 1:10 +9']],
  ['NaN as Python writes it', 'a.jsonl', '{"loss": NaN}\n', ['invalid-json 1:10 +9']],
  ['a number with a leading zero', 'a.jsonl', '{"a": 01}\n', ['invalid-json 1:8 +7']],
  ['an escape that is none', 'a.jsonl', '{"a": "\\x"}\n', ['invalid-json 1:8 +7']],
  ['values nested too deep', 'a.jsonl', `${'['.repeat(100_000)}\n`, ['invalid-json 1:501 +500']],
  ['a record that is cut off', 'a.jsonl', '{"a": 1}\n{"a": "tex', ['truncated 2:11 +19']],
  ['no newline at the end', 'a.jsonl', '{"a": 1}', ['no-final-newline 1 +0']],
  ['a byte order mark', 'a.jsonl', '\u{FEFF}{"a": 1}\n', ['byte-order-mark +0']],
  ['UTF-16', 'a.jsonl', Uint8Array.of(0xff, 0xfe, 0x7b, 0, 0x0a, 0), ['encoding 1 +0', 'no-records']],
  [
    'bytes that are no UTF-8',
    'a.jsonl',
    joined(utf8('{"a": "ä'), Uint8Array.of(0xff), utf8('"}\n')),
    ['encoding 1:9 +9'],
  ],
  ['NULs behind a write that was cut off', 'a.jsonl', '{"a": 1}\n\0\0\0\0', ['nul-bytes 2:1 +9']],
  ['a record twice', 'a.jsonl', '{"a": 1}\n{"a": 2}\n{"a": 1}\n', ['duplicate-record 3 +18']],
  ['a list among objects', 'a.jsonl', '{"a": 1}\n[1]\n[2]\n', ['mixed-records 2 +9 ×2']],
  ['a field of two types', 'a.jsonl', '{"a": 1}\n{"a": "x"}\n', ['mixed-types']],
  ['integers among numbers, and null', 'a.jsonl', '{"a": 1}\n{"a": 1.5}\n{"a": null}\n', []],
  ['a field twice', 'a.jsonl', '{"a": 1, "a": 2}\n', ['duplicate-key 1 +0']],
  ['a line of 17 MiB', 'a.jsonl', `{"a": 1}\n"${'x'.repeat(17 << 20)}"\n{"a": 2}\n`, ['record-too-long 2 +9']],

  ['sound rows have none', 'a.csv', 'a,b\n1,"x, ""y""\nz"\n', []],
  ['a header alone', 'a.csv', 'a,b\n', ['no-records']],
  ['rows that are too long and too short', 'a.csv', 'a,b\n1\n1,2,3\n', ['column-count 2 +4', 'column-count 3 +6']],
  ['a quote that does not close', 'a.csv', 'a,b\n1,"x\n2,y\n', ['unclosed-quote 2 +4']],
  ['a quote within a field', 'a.csv', 'a,b\n1,x"y\n', ['stray-quote 2:4 +4']],
  ['text behind a closing quote', 'a.csv', 'a,b\n1,"x"y\n', ['stray-quote 2:6 +4']],
  ['two columns of one name', 'a.csv', 'a,a\n1,2\n', ['duplicate-column 1']],
  ['a row twice', 'a.csv', 'a\n1\n1\n', ['duplicate-record 3 +4']],
  ['semicolons', 'a.csv', 'a;b\n1,5;2\n', []],
  ['quotes of TSV are text', 'a.tsv', 'a\tb\n1\t"x\n', []],
  ['an empty line', 'a.csv', 'a\n1\n\n2\n', ['blank-line 3 +4']],

  ['sound text has none', 'a.txt', 'one\none\n', []],
  ['text in Latin-1', 'a.txt', joined(utf8('sch'), Uint8Array.of(0xf6), utf8('n\n')), ['encoding 1:4 +3']],

  ['sound samples have none', 'a.tar', webDataset(12), []],
  ['a tar file without its end', 'a.tar', webDataset(2).subarray(0, -1024), ['tar-end +4096']],
  ['bytes behind the end', 'a.tar', joined(webDataset(1), one), ['tar-end']],
  ['a member that is cut off', 'a.tar', webDataset(2).subarray(0, 3 * 512 + 3), ['truncated +1539']],
  ['a header with a wrong checksum', 'a.tar', changed(webDataset(2), 1030, 0x41), ['tar-header +1024']],
  ['a path that leads out', 'a.tar', joined(tarMember('../x.txt', one), tarEnd), ['unsafe-path +0']],
  [
    'a member twice',
    'a.tar',
    joined(tarMember('1.txt', one), tarMember('1.txt', one), tarEnd),
    ['duplicate-member +1024'],
  ],
  [
    'a sample that others interrupt',
    'a.tar',
    joined(tarMember('1.txt', one), tarMember('2.txt', one), tarMember('1.jpg', one), tarEnd),
    ['sample-scattered +2048'],
  ],
  [
    'a sample without its caption',
    'a.tar',
    joined(webDataset(12).subarray(0, -1024), tarMember('x.jpg', one), tarEnd),
    ['sample-incomplete +24576 ×1'],
  ],

  ['a sound Parquet file has none', 'a.parquet', parquet(), []],
  ['a Parquet file of nothing', 'a.parquet', '', ['empty-file']],
  ['what only begins like one', 'a.parquet', 'PAR1\x15\x04\x15', ['parquet-footer +0']],
  [
    'a Parquet file that is cut off',
    'a.parquet',
    parquet().subarray(0, -9),
    [`parquet-footer +${parquet().length - 13}`],
  ],
  [
    'a footer that is larger than the file',
    'a.parquet',
    changed(parquet(), -6, 0xff),
    [`parquet-footer +${parquet().length - 8}`],
  ],
  ['a footer of other bytes', 'a.parquet', changed(parquet(), 36, 0xff), ['parquet-footer +36']],
  ['an encrypted footer', 'a.parquet', 'PARE12345678PARE', ['parquet-encrypted']],
  ['rows that do not add up', 'a.parquet', parquet({ rows: 9 }), ['parquet-rows +36']],
  ['no rows', 'a.parquet', parquet({ groups: [] }), ['no-records +4']],
  [
    'chunks outside of the file',
    'a.parquet',
    parquet({ shift: 28 }),
    ['parquet-column +36', 'parquet-column +36', 'parquet-column +36', 'parquet-column +36'],
  ],
  [
    'chunks of other counts',
    'a.parquet',
    parquet({ groups: [3], moreValues: 1 }),
    ['parquet-column +20', 'parquet-column +20'],
  ],
  ['a schema with a child missing', 'a.parquet', parquet({ children: 3 }), ['parquet-schema +36']],
  ['two columns of one name in Parquet', 'a.parquet', parquet({ columns: ['a', 'a'] }), ['duplicate-column +36']],

  ['a sound Arrow file has none', 'a.arrow', arrowFile, []],
  ['a sound Arrow stream has none', 'a.arrow', arrowStream, []],
  ['what is no Arrow', 'a.arrow', 'FEA1xxxxxxxxxxxx', ['arrow-footer +0']],
  [
    'an Arrow file that is cut off',
    'a.arrow',
    arrowFile.subarray(0, -100),
    [`arrow-footer +${arrowFile.length - 106}`],
  ],
  [
    'an Arrow footer of other bytes',
    'a.arrow',
    changed(arrowFile, -7, 0x7f),
    [`arrow-footer +${arrowFile.length - 10}`],
  ],
];

describe('findings', () => {
  test.each(cases)('%s', async (_, path, content, expected) => {
    expect(await shownFindings(path, content)).toEqual(expected);
  });

  test('an Arrow stream that is cut off is truncated', async () => {
    expect((await shownFindings('a.arrow', arrowStream.subarray(0, -60))).map((each) => each.split(' ')[0])).toEqual([
      'truncated',
    ]);
  });

  test('more than ten of a kind are counted', async () => {
    const found = await shownFindings('a.jsonl', '{\n'.repeat(1000));
    expect([found.length, found.at(-1)]).toEqual([10, 'invalid-json 10:2 +19 ×991']);
  });

  test('duplicates have the severity of the option, or are not looked for', async () => {
    expect(await shownFindings('a.jsonl', '1\n1\n', { duplicates: 'off' })).toEqual([]);
  });
});
