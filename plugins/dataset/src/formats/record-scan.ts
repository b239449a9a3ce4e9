/** What scans of records have in common: places of findings, duplicates, the facts at the end. */

import { type Finding, findingList, type Inspection, type JsonObject, type PluginContext } from '@mbk/plugin-sdk';
import { type DatasetCode, finding } from '../codes.ts';
import type { DatasetOptions } from '../options.ts';
import { columnFacts, type Columns, isMixed, makeColumns, typeText } from '../records/columns.ts';
import { counted, fittingFacts } from '../records/facts.ts';
import { type LabelCounts, labelCounts } from '../records/labels.ts';
import type { Line } from '../records/line-splitter.ts';
import { hashRecord } from '../records/record-hash.ts';
import { seenRecords } from '../records/seen-records.ts';
import { charactersBefore, firstInvalidByte, shown } from '../records/utf8.ts';

export type ScanContext = PluginContext<DatasetOptions>;

/** Takes the bytes of a file one after the other, and says at the end what was in them. */
export interface Scanner {
  push(piece: Uint8Array): void;
  end(): { readonly inspection?: Inspection; readonly findings: readonly Finding[] };
}

export interface Place {
  readonly line: number;
  readonly offset: number;
}

export interface RecordScan {
  add(code: DatasetCode, message: string, place?: Partial<Finding>): void;
  readonly columns: Columns;
  readonly labels: LabelCounts;
  /** So far. */
  readonly records: number;
  /** A record, sound or not; `bytes` are compared with those before. */
  record(bytes: Uint8Array, place: Place, isSound?: boolean): void;
  /** Whether the line is UTF-8 without NUL bytes; a finding where it is not. NULs are not looked for where none can be. */
  isText(line: Line, hasNoNul?: boolean): boolean;
  tooLong(line: Pick<Line, 'number' | 'offset'>): void;
  /** Facts and findings of a file of `size` bytes; `more` facts of the format, whose records are called `what`. */
  end(size: number, more: JsonObject, what?: string): ReturnType<Scanner['end']>;
}

export function recordScan(context: ScanContext, format: string): RecordScan {
  const { options } = context;
  const found = findingList();
  const seen = seenRecords();
  const labels = labelCounts(options.labelFields);
  const columns = makeColumns(labels.isLabel);
  let records = 0;
  let malformed = 0;
  let duplicates = 0;

  const add = (code: DatasetCode, message: string, place: Partial<Finding> = {}): void =>
    found.add(finding(code, message, place));

  return {
    add,
    columns,
    labels,
    get records() {
      return records;
    },
    record(bytes: Uint8Array, place: Place, isSound = true): void {
      records += 1;
      if (!isSound) malformed += 1;
      else if (options.duplicates !== 'off' && seen.add(hashRecord(bytes))) {
        duplicates += 1;
        const message = `record ${records} was there before`;
        found.add({ ...finding('dataset/duplicate-record', message, place), severity: options.duplicates });
      }
    },
    isText({ bytes, number, offset }: Line, hasNoNul = false): boolean {
      const invalid = firstInvalidByte(bytes);
      if (invalid >= 0) {
        const place = { line: number, column: charactersBefore(bytes, invalid) + 1, offset: offset + invalid };
        add('dataset/encoding', `line ${number} is not UTF-8`, place);
        return false;
      }
      const nul = hasNoNul ? -1 : bytes.indexOf(0);
      if (nul >= 0) {
        const place = { line: number, column: charactersBefore(bytes, nul) + 1, offset: offset + nul };
        add('dataset/nul-bytes', `line ${number} holds NUL bytes`, place);
        return false;
      }
      return true;
    },
    tooLong({ number, offset }: Pick<Line, 'number' | 'offset'>): void {
      records += 1;
      add('dataset/record-too-long', `line ${number} is longer than 16 MiB`, { line: number, offset });
    },
    end(size: number, more: JsonObject, what = 'record'): ReturnType<Scanner['end']> {
      // An empty text is often meant to be; an empty table is not.
      if (size === 0) add('dataset/empty-file', 'the file is empty', format === 'text' ? { severity: 'info' } : {});
      else if (records === 0) add('dataset/no-records', `the file holds no ${what}`);
      for (const { mask, name } of columns.list) {
        if (isMixed(mask)) add('dataset/mixed-types', `the values of ${shown(name)} are of types ${typeText(mask)}`);
      }
      if (seen.isFull) {
        add('dataset/duplicates-unchecked', `only the first ${counted(seen.size, 'different record')} were remembered`);
      }
      const facts: JsonObject = {
        format,
        records,
        ...(malformed > 0 ? { malformed } : {}),
        ...(options.duplicates === 'off' ? {} : { duplicates }),
        ...(seen.isFull ? { duplicatesAreAtLeast: true } : {}),
        ...more,
        ...(columns.list.length > 0 ? { columns: columnFacts(columns.list, records) } : {}),
        ...(columns.isCut ? { moreColumns: true } : {}),
        ...(labels.facts().length > 0 ? { labels: labels.facts() } : {}),
      };
      const parts = [
        counted(records, what),
        columns.list.length > 0 ? counted(columns.list.length, 'column') : '',
        malformed > 0 ? `${malformed} malformed` : '',
        duplicates > 0 ? counted(duplicates, 'duplicate') : '',
      ];
      return {
        inspection: {
          summary: `${format}, ${parts.filter((part) => part !== '').join(', ')}`,
          facts: fittingFacts(facts, context.limits.factsBytes),
        },
        findings: found.findings(),
      };
    },
  };
}

/** Bytes of a byte order mark at the start of a file: 3 of UTF-8, else 0; `utf-16` for one of those. */
export function markOf(line: Line): 0 | 3 | 'utf-16' {
  const [a, b, c] = line.bytes;
  if (line.number !== 1) return 0;
  if (a === 0xef && b === 0xbb && c === 0xbf) return 3;
  return (a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff) ? 'utf-16' : 0;
}

/** A gate before a scan of lines: looks for a byte order mark, and lets nothing of a UTF-16 file through. */
export function markGate(scan: Pick<RecordScan, 'add'>, next: (line: Line) => void): (line: Line) => void {
  let isForeign = false;
  return (line) => {
    if (isForeign) return;
    const mark = markOf(line);
    if (mark === 'utf-16') {
      isForeign = true;
      scan.add('dataset/encoding', 'the file is UTF-16, and was not looked into', { line: 1, offset: 0 });
      return;
    }
    if (mark > 0) scan.add('dataset/byte-order-mark', 'the file begins with a byte order mark', { offset: 0 });
    next(mark === 0 ? line : { ...line, bytes: line.bytes.subarray(mark), offset: line.offset + mark });
  };
}
