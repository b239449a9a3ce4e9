/** JSON Lines: one JSON text a line. */

import type { Column } from '../records/columns.ts';
import { types } from '../records/columns.ts';
import { scanJson } from '../records/json-record.ts';
import { longestLabel } from '../records/labels.ts';
import { type Line, lineSplitter } from '../records/line-splitter.ts';
import { charactersBefore, shown, textOf } from '../records/utf8.ts';
import { markGate, recordScan, type ScanContext, type Scanner } from './record-scan.ts';

export function scanJsonl(context: ScanContext): Scanner {
  const scan = recordScan(context, 'jsonl');
  const { columns, labels } = scan;
  /** Columns in the order of the last record, to which the next is most likely alike. */
  let order: Column[] = [];
  let objects = 0;
  let strangers: Line | undefined;
  let strangerCount = 0;
  let blank = 0;

  const onLine = (line: Line): void => {
    const { bytes, isEnded, isTooLong, number, offset } = line;
    const place = { line: number, offset };
    if (isTooLong) return scan.tooLong(line);
    if (isBlank(bytes)) {
      blank += 1;
      if (blank === 1) scan.add('dataset/blank-line', `line ${number} holds no record`, place);
      return undefined;
    }
    if (!scan.isText(line)) return scan.record(bytes, place, false);
    let index = 0;
    const turn = scan.records + 1;
    const result = scanJson(bytes, (keyStart, keyEnd, type, valueStart, valueEnd) => {
      let column = order[index];
      if (column === undefined || !isSame(column.bytes, bytes, keyStart, keyEnd)) {
        column = columns.of(keyOf(bytes, keyStart, keyEnd));
        if (column === undefined) return;
        order[index] = column;
      }
      index += 1;
      column.mask |= types[type];
      if (column.last === turn) {
        scan.add('dataset/duplicate-key', `line ${number} has ${shown(column.name)} twice`, place);
        return;
      }
      column.last = turn;
      column.present += 1;
      if (!column.isLabel) return;
      if (type === 'string') labels.add(column.name, valueOf(bytes, valueStart, valueEnd));
      else if (type === 'integer' || type === 'boolean')
        labels.add(column.name, textOf(bytes.subarray(valueStart, valueEnd)));
    });
    order = order.slice(0, index);
    scan.record(bytes, place, result.ok);
    if (!result.ok) {
      const at = { line: number, column: charactersBefore(bytes, result.at) + 1, offset: offset + result.at };
      if (result.isCut && !isEnded)
        scan.add('dataset/truncated', `the file ends within the record of line ${number}`, at);
      else scan.add('dataset/invalid-json', `line ${number}: ${result.reason}`, at);
    } else if (result.type === 'object') objects += 1;
    else {
      strangerCount += 1;
      strangers ??= { ...line, bytes: bytes.subarray(0, 0) };
    }
    if (!isEnded && result.ok) scan.add('dataset/no-final-newline', `line ${number} has no newline`, place);
    return undefined;
  };
  const splitter = lineSplitter(markGate(scan, onLine));
  return {
    push: (piece) => splitter.push(piece),
    end() {
      splitter.end();
      if (objects > 0 && strangers !== undefined) {
        const { number, offset } = strangers;
        const message = `line ${number} is no object, unlike ${objects} others`;
        scan.add('dataset/mixed-records', message, { line: number, offset, count: strangerCount });
      }
      return scan.end(splitter.size(), blank > 0 ? { blankLines: blank } : {});
    },
  };
}

/** Whether there is nothing but blanks. */
export function isBlank(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d) return false;
  }
  return true;
}

function isSame(expected: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (expected.length !== end - start) return false;
  for (let at = 0; at < expected.length; at += 1) if (expected[at] !== bytes[start + at]) return false;
  return true;
}

/** Bytes of a key of which more is not kept. */
const longestKey = 1024;

/** The name of a key between quotes, its escapes read. */
export function keyOf(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > longestKey) return `${textOf(bytes.subarray(start, start + longestKey))}…`;
  const text = textOf(bytes.subarray(start, end));
  return text.includes('\\') ? (JSON.parse(`"${text}"`) as string) : text;
}

/** A string value as a label: a long one is passed on cut, too long to be one. */
function valueOf(bytes: Uint8Array, start: number, end: number): string {
  return keyOf(bytes, start + 1, end - 1).slice(0, longestLabel + 1);
}
