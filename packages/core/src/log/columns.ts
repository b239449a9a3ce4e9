/**
 * Columns of rows in bytes, of which a cell is read when somebody asks for it.
 *
 * A number takes 8 bytes. What may repeat, a text or an id, stands once in a table, and a cell holds its place there in
 * 4 bytes. Nothing is checked when it is read: columns are for files that only this host reads, by their hash.
 */
import { concatBytes, fromHex, toHex, viewOf } from '../format/bytes.ts';

/** Where a column begins in the bytes. */
export type NumberColumn = number;
export type TextColumn = number;
export interface IdColumn {
  readonly at: number;
  /** Bytes of an id; its text has two hex digits for each. */
  readonly size: number;
}

/** What a reader needs beside the bytes; it goes through JSON. */
export interface ColumnTables {
  readonly texts: readonly string[];
  /** By bytes of an id, where the table of such ids begins, and how many it has. */
  readonly ids: Readonly<Record<string, { readonly at: number; readonly count: number }>>;
}

const numberBytes = 8;
const placeBytes = 4;
/** In place of a place: there is no value. */
const none = 0xff_ff_ff_ff;

export class ColumnWriter {
  readonly #parts: Uint8Array[] = [];
  readonly #texts = new Map<string, number>();
  readonly #ids = new Map<number, Map<string, number>>();
  #length = 0;

  numbers(values: readonly number[]): NumberColumn {
    const bytes = new DataView(new ArrayBuffer(values.length * numberBytes));
    for (const [row, value] of values.entries()) bytes.setFloat64(row * numberBytes, value, true);
    return this.#add(new Uint8Array(bytes.buffer));
  }

  texts(values: ReadonlyArray<string | null>): TextColumn {
    return this.#places(values, this.#texts);
  }

  /** Ids of Git objects: SHA-1 in lower-case hex. */
  gitIds(values: ReadonlyArray<string | null>): IdColumn {
    return this.#hex(20, values);
  }

  /** SHA-256 in lower-case hex. */
  hashes(values: ReadonlyArray<string | null>): IdColumn {
    return this.#hex(32, values);
  }

  /** The bytes of all columns, and what belongs to them. */
  finish(): { readonly bytes: Uint8Array; readonly tables: ColumnTables } {
    const ids: Record<string, { at: number; count: number }> = {};
    for (const [size, table] of this.#ids) {
      ids[size] = { at: this.#add(fromHex([...table.keys()].join(''))), count: table.size };
    }
    return { tables: { texts: [...this.#texts.keys()], ids }, bytes: concatBytes(this.#parts) };
  }

  #hex(size: number, values: ReadonlyArray<string | null>): IdColumn {
    const table = this.#ids.get(size) ?? new Map<string, number>();
    this.#ids.set(size, table);
    return { size, at: this.#places(values, table) };
  }

  #places(values: ReadonlyArray<string | null>, table: Map<string, number>): number {
    const bytes = new DataView(new ArrayBuffer(values.length * placeBytes));
    for (const [row, value] of values.entries()) bytes.setUint32(row * placeBytes, placeIn(table, value), true);
    return this.#add(new Uint8Array(bytes.buffer));
  }

  #add(part: Uint8Array): number {
    const at = this.#length;
    this.#parts.push(part);
    this.#length += part.length;
    return at;
  }
}

/** The place of a value in a table, which it is added to when it is new. */
function placeIn(table: Map<string, number>, value: string | null): number {
  if (value === null) return none;
  const place = table.get(value) ?? table.size;
  table.set(value, place);
  return place;
}

export class ColumnReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #tables: ColumnTables;
  /** By bytes of an id, all of the table in hex: an id is cut off it, and not written anew. */
  readonly #idTexts = new Map<number, string>();

  constructor(bytes: Uint8Array, tables: ColumnTables) {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
    this.#tables = tables;
  }

  number(column: NumberColumn, row: number): number {
    return this.#view.getFloat64(column + row * numberBytes, true);
  }

  textOrNull(column: TextColumn, row: number): string | null {
    return this.#tables.texts[this.#view.getUint32(column + row * placeBytes, true)] ?? null;
  }

  text(column: TextColumn, row: number): string {
    return this.textOrNull(column, row) ?? '';
  }

  idOrNull<Id extends string>({ at, size }: IdColumn, row: number): Id | null {
    const place = this.#view.getUint32(at + row * placeBytes, true);
    const width = 2 * size;
    return place === none ? null : (this.#idsOf(size).slice(place * width, (place + 1) * width) as Id);
  }

  id<Id extends string>(column: IdColumn, row: number): Id {
    return this.idOrNull<Id>(column, row) ?? ('' as Id);
  }

  #idsOf(size: number): string {
    let text = this.#idTexts.get(size);
    if (text === undefined) {
      const { at, count } = this.#tables.ids[size] ?? { at: 0, count: 0 };
      text = toHex(this.#bytes.subarray(at, at + count * size));
      this.#idTexts.set(size, text);
    }
    return text;
  }
}
