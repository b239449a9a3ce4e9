/** The records of a file one by one, each with what tells it apart: for differences. */

import type { Reader } from '@mbk/plugin-sdk';
import { scanTar } from './formats/tar-members.ts';
import { type CsvParser, csvParser } from './formats/csv-record.ts';
import { delimiterOf } from './formats/csv.ts';
import { isBlank, keyOf } from './formats/jsonl.ts';
import { scanJson } from './records/json-record.ts';
import { lineSplitter } from './records/line-splitter.ts';
import { hashRecord } from './records/record-hash.ts';
import { shown, textOf } from './records/utf8.ts';

export interface RecordSeen {
  /** Of the id where the record has one, else of the record. */
  readonly key: number;
  /** Of the whole record. */
  readonly content: number;
  /** For people: `line 12`, `id 7`. */
  name(): string;
}

/** Names of fields that tell a record apart. */
const idNames = new Set(['id', '_id', 'uuid', 'uid', 'guid', 'key']);

/** Calls `onRecord` for each record of the file. */
export async function eachRecord(
  reader: Reader,
  kind: string,
  signal: AbortSignal,
  onRecord: (record: RecordSeen) => void,
): Promise<void> {
  const sink = kind === 'dataset/webdataset' ? scanTar(onRecord) : splitterFor(kind, onRecord);
  for await (const piece of reader.stream({ signal })) {
    signal.throwIfAborted();
    sink.push(piece);
  }
  sink.end();
}

interface Sink {
  push(piece: Uint8Array): void;
  end(): void;
}

function splitterFor(kind: string, onRecord: (record: RecordSeen) => void): Sink {
  if (kind === 'dataset/csv' || kind === 'dataset/tsv') return csvRecords(kind, onRecord);
  const hasIds = kind === 'dataset/jsonl';
  return lineSplitter(({ bytes, isTooLong, number }) => {
    if (isTooLong || (hasIds && isBlank(bytes))) return;
    const content = hashRecord(bytes).low;
    let id: string | undefined;
    if (hasIds) {
      scanJson(bytes, (keyStart, keyEnd, type, valueStart, valueEnd) => {
        if (id !== undefined || (type !== 'string' && type !== 'integer') || keyEnd - keyStart > 8) return;
        if (!idNames.has(keyOf(bytes, keyStart, keyEnd).toLowerCase())) return;
        id = textOf(bytes.subarray(valueStart, Math.min(valueEnd, valueStart + 200)));
      });
    }
    const name = id === undefined ? `line ${number}` : `id ${shown(id, 60)}`;
    onRecord({ key: id === undefined ? hashRecord(bytes).high : hashText(id), content, name: () => name });
  });
}

function csvRecords(kind: string, onRecord: (record: RecordSeen) => void): Sink {
  const isTsv = kind === 'dataset/tsv';
  let parser: CsvParser | undefined;
  let idColumn: number | undefined;
  let start = 0;
  return lineSplitter(({ bytes, isTooLong, number }) => {
    if (isTooLong) {
      parser?.reset();
      start = 0;
      return;
    }
    const isHeader = parser === undefined;
    parser ??= csvParser(isTsv ? 0x09 : delimiterOf(bytes), isTsv ? undefined : 0x22);
    if (start === 0 && !isHeader && isBlank(bytes) && !(isTsv && bytes.includes(0x09))) return;
    const first = start === 0 ? number : start;
    const step = parser.push(bytes);
    start = step === 'more' ? first : 0;
    if (step !== 'record') return;
    const record = parser.bytes();
    const fields = parser.fields();
    const fieldText = (index: number): string => {
      const field = fields[index];
      return field === undefined ? '' : textOf(record.subarray(field.start, Math.min(field.end, field.start + 200)));
    };
    if (idColumn === undefined) {
      idColumn = fields.slice(0, 1000).findIndex((_, index) => idNames.has(fieldText(index).toLowerCase()));
      return;
    }
    const { high, low } = hashRecord(record);
    const id = idColumn < 0 ? '' : fieldText(idColumn);
    onRecord({
      key: id === '' ? high : hashText(id),
      content: low,
      name: () => (id === '' ? `line ${first}` : `id ${shown(id, 60)}`),
    });
  });
}

export function hashText(text: string): number {
  return hashRecord(new TextEncoder().encode(text)).high;
}
