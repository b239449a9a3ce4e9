/** The fields of one CSV record (RFC 4180), which may go on over several lines: the parser is fed line by line. */

import { longestRecord } from '../records/line-splitter.ts';

/** Start and end of the text of a field in the record's bytes; within quotes where it is quoted. */
export interface Field {
  readonly start: number;
  readonly end: number;
  readonly isQuoted: boolean;
}

export type CsvStep = 'record' | 'more' | 'too-long';

export interface CsvParser {
  /** Adds a line. `record`: it is complete, `bytes` and `fields` are of it. `more`: a quoted field goes on. */
  push(line: Uint8Array): CsvStep;
  /** Of the last record; only valid until the next `push`. */
  bytes(): Uint8Array;
  fields(): readonly Field[];
  /** Offset of the first quote that does not belong where it stands; -1 without one. */
  stray(): number;
  /** Forgets a record that is not complete. */
  reset(): void;
}

/** Most fields of a record that are kept; the rest is counted as one. */
const mostFields = 100_000;

/** `quote` undefined: there are no quotes, as in most TSV. */
export function csvParser(delimiter: number, quote: number | undefined): CsvParser {
  let record: Uint8Array = new Uint8Array(0);
  let buffer = new Uint8Array(0);
  let length = 0;
  let isOpen = false;
  let fields: Field[] = [];
  let stray = -1;
  let at = 0;
  /** Of the text of the field that is open. */
  let start = 0;

  const reset = (): void => {
    isOpen = false;
    length = 0;
    fields = [];
    stray = -1;
    at = 0;
    start = 0;
  };
  const keep = (bytes: Uint8Array): void => {
    if (length + bytes.length > buffer.length) {
      const grown = new Uint8Array(Math.min(longestRecord, Math.max(length + bytes.length, 2 * buffer.length)));
      grown.set(buffer.subarray(0, length));
      buffer = grown;
    }
    buffer.set(bytes, length);
    length += bytes.length;
  };
  const add = (field: Field): void => {
    if (fields.length < mostFields) fields.push(field);
  };
  /** Goes on within quotes; false where the record ends before they do. */
  const closeQuotes = (): boolean => {
    for (;;) {
      const close = quote === undefined ? -1 : record.indexOf(quote, at);
      if (close < 0) {
        at = record.length;
        return false;
      }
      if (record[close + 1] === quote) {
        at = close + 2;
        continue;
      }
      let end = close + 1;
      while (end < record.length && record[end] !== delimiter) end += 1;
      if (end > close + 1 && stray < 0) stray = close + 1;
      add({ start, end: close, isQuoted: true });
      at = end;
      return true;
    }
  };
  const parse = (): boolean => {
    if (isOpen) {
      if (!closeQuotes()) return false;
      isOpen = false;
      if (at >= record.length) return true;
      at += 1;
    }
    for (;;) {
      if (quote !== undefined && record[at] === quote) {
        at += 1;
        start = at;
        isOpen = true;
        if (!closeQuotes()) return false;
        isOpen = false;
      } else {
        let end = at;
        while (end < record.length && record[end] !== delimiter) {
          if (quote !== undefined && record[end] === quote && stray < 0) stray = end;
          end += 1;
        }
        add({ start: at, end, isQuoted: false });
        at = end;
      }
      if (at >= record.length) return true;
      at += 1;
    }
  };
  return {
    push(line) {
      if (isOpen) {
        if (length + line.length + 1 > longestRecord) {
          reset();
          return 'too-long';
        }
        keep(newline);
        keep(line);
        record = buffer.subarray(0, length);
      } else {
        reset();
        record = line;
      }
      if (parse()) return 'record';
      // The line's bytes are lent: what goes on is copied.
      if (length === 0) {
        keep(record);
        record = buffer.subarray(0, length);
      }
      return 'more';
    },
    bytes: () => record,
    fields: () => fields,
    stray: () => stray,
    reset,
  };
}

const newline = Uint8Array.of(0x0a);
