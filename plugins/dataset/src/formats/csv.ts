/** Comma- and tab-separated values with a header: columns, types, ragged rows, quotes that do not close. */

import { types } from '../records/columns.ts';
import { longestLabel } from '../records/labels.ts';
import { type Line, lineSplitter } from '../records/line-splitter.ts';
import { charactersBefore, shown, textOf } from '../records/utf8.ts';
import { type CsvParser, csvParser, type Field } from './csv-record.ts';
import { isBlank } from './jsonl.ts';
import { markGate, recordScan, type ScanContext, type Scanner } from './record-scan.ts';

const tab = 0x09;
const quote = 0x22;

export function scanCsv(context: ScanContext): Scanner {
  const isTsv = context.kind === 'dataset/tsv';
  const scan = recordScan(context, isTsv ? 'tsv' : 'csv');
  const { columns, labels } = scan;
  let parser: CsvParser | undefined;
  let delimiter = tab;
  /** Names of the header, in order; a second one of a name is told apart. */
  let header: string[] | undefined;
  let blank = 0;
  /** Where the record that is open began. */
  let first: Line | undefined;

  const takeHeader = (): void => {
    const names = new Set<string>();
    header = (parser?.fields() ?? []).map((field, index) => {
      const name = fieldText(parser, field);
      if (names.has(name)) scan.add('dataset/duplicate-column', `two columns are named ${shown(name)}`, { line: 1 });
      const own = names.has(name) ? `${name}#${index + 1}` : name;
      names.add(own);
      columns.of(own);
      return own;
    });
  };
  const takeRow = (line: Line, names: readonly string[], current: CsvParser): void => {
    const fields = current.fields();
    const bytes = current.bytes();
    const place = { line: line.number, offset: line.offset };
    const isSound = fields.length === names.length;
    scan.record(bytes, place, isSound);
    if (!isSound) {
      const message = `line ${line.number} has ${fields.length} fields, the header ${names.length}`;
      scan.add('dataset/column-count', message, place);
      return;
    }
    for (const [index, field] of fields.entries()) {
      const name = names[index] ?? '';
      const column = columns.of(name);
      if (column === undefined) continue;
      const type = typeOf(bytes, field);
      column.mask |= types[type];
      if (type === 'null') continue;
      column.present += 1;
      if (column.isLabel) labels.add(name, fieldText(current, field));
    }
  };
  const onLine = (line: Line): void => {
    if (line.isTooLong) {
      parser?.reset();
      first = undefined;
      return scan.tooLong(line);
    }
    if (parser === undefined) {
      delimiter = isTsv ? tab : delimiterOf(line.bytes);
      parser = csvParser(delimiter, isTsv ? undefined : quote);
    }
    if (first === undefined && isBlank(line.bytes) && !(isTsv && line.bytes.includes(tab))) {
      blank += 1;
      if (blank === 1) {
        scan.add('dataset/blank-line', `line ${line.number} holds no record`, {
          line: line.number,
          offset: line.offset,
        });
      }
      return undefined;
    }
    const isText = scan.isText(line);
    const begun = first ?? { ...line, bytes: nothing };
    const step = parser.push(line.bytes);
    if (step === 'more') {
      first = begun;
      return undefined;
    }
    first = undefined;
    if (step === 'too-long') return scan.tooLong(begun);
    const place = { line: begun.number, offset: begun.offset };
    if (parser.stray() >= 0) {
      const column = charactersBefore(parser.bytes(), parser.stray()) + 1;
      scan.add('dataset/stray-quote', `line ${begun.number} has a quote where none belongs`, { ...place, column });
    }
    if (header === undefined) takeHeader();
    else if (isText) takeRow(begun, header, parser);
    else scan.record(parser.bytes(), place, false);
    if (!line.isEnded) scan.add('dataset/no-final-newline', `line ${line.number} has no newline`, place);
    return undefined;
  };
  const splitter = lineSplitter(markGate(scan, onLine));
  return {
    push: (piece) => splitter.push(piece),
    end() {
      splitter.end();
      if (first !== undefined) {
        const { number, offset } = first;
        scan.record(nothing, { line: number, offset }, false);
        scan.add('dataset/unclosed-quote', `a quoted field of the record of line ${number} does not end`, {
          line: number,
          offset,
        });
      }
      return scan.end(
        splitter.size(),
        {
          delimiter: String.fromCharCode(delimiter),
          ...(blank > 0 ? { blankLines: blank } : {}),
        },
        'row',
      );
    },
  };
}

const nothing = new Uint8Array(0);

/** The commonest of comma, semicolon, tab and bar in the first line, outside quotes; the comma without any. */
export function delimiterOf(line: Uint8Array): number {
  const counts = new Map([0x2c, 0x3b, tab, 0x7c].map((byte) => [byte, 0]));
  let isInside = false;
  for (const byte of line) {
    if (byte === quote) isInside = !isInside;
    const count = isInside ? undefined : counts.get(byte);
    if (count !== undefined) counts.set(byte, count + 1);
  }
  return [...counts].reduce((best, next) => (next[1] > best[1] ? next : best))[0];
}

function fieldText(parser: CsvParser | undefined, { end, isQuoted, start }: Field): string {
  const bytes = parser?.bytes().subarray(start, Math.min(end, start + 1024)) ?? nothing;
  const text = textOf(bytes);
  return (isQuoted ? text.replaceAll('""', '"') : text).slice(0, 16 * longestLabel);
}

const integer = /^[+-]?\d{1,40}$/;
const number = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$|^[+-]?(?:nan|inf|infinity)$/i;

/** Of an unquoted field by its looks; a quoted one is text unless it looks like a number. An empty one is null. */
function typeOf(bytes: Uint8Array, { end, start }: Field): 'null' | 'boolean' | 'integer' | 'number' | 'string' {
  if (end === start) return 'null';
  if (end - start > 40) return 'string';
  let text = '';
  for (let at = start; at < end; at += 1) text += String.fromCharCode(bytes[at] ?? 0);
  if (integer.test(text)) return 'integer';
  if (number.test(text)) return 'number';
  return /^(?:true|false)$/i.test(text) ? 'boolean' : 'string';
}
