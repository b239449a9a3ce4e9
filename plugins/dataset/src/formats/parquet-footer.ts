/** The footer of a Parquet file: schema, row groups, where the column chunks lie. Own reader, bounded. */

import { typeNames } from './parquet-types.ts';
import { ThriftError, type ThriftReader, thriftReader, thriftTypes as t } from './thrift.ts';
import { shown, textOf } from '../records/utf8.ts';

export interface ParquetColumn {
  /** Names from the root, joined with dots. */
  readonly name: string;
  readonly type: string;
  readonly isOptional: boolean;
  /** Whether a row may hold several of its values. */
  readonly isRepeated: boolean;
}

export interface ParquetChunk {
  /** Index of its row group and of its column there. */
  readonly group: number;
  readonly column: number;
  readonly start: number;
  readonly length: number;
  readonly values: number;
  /** In another file. */
  readonly isElsewhere: boolean;
}

export interface ParquetFooter {
  readonly version: number;
  readonly rows: number;
  readonly columns: readonly ParquetColumn[];
  /** Rows and chunks of each row group. */
  readonly groups: readonly { readonly rows: number; readonly chunks: number }[];
  /** The first `mostChunks`. */
  readonly chunks: readonly ParquetChunk[];
  readonly chunkCount: number;
  readonly codecs: readonly string[];
  readonly createdBy: string | undefined;
  /** Whether the schema is a tree: the children that it announces are there, and no more. */
  readonly isTree: boolean;
}

export const mostChunks = 100_000;
const mostElements = 100_000;
const mostGroups = 200_000;

const codecNames = ['uncompressed', 'snappy', 'gzip', 'lzo', 'brotli', 'lz4', 'zstd', 'lz4-raw'];

interface Element {
  name: string;
  type: number | undefined;
  typeLength: number;
  repetition: number;
  children: number;
  converted: number | undefined;
  logical: number | undefined;
}

/** Reads a footer; a ThriftError where it is none. */
export function readParquetFooter(bytes: Uint8Array): ParquetFooter {
  const reader = thriftReader(bytes);
  const elements: Element[] = [];
  const groups: { rows: number; chunks: number }[] = [];
  const chunks: ParquetChunk[] = [];
  const codecs = new Set<number>();
  let chunkCount = 0;
  let [version, rows, schemas] = [-1, -1, 0];
  let createdBy: string | undefined;

  const readGroup = (group: number): void => {
    let own = 0;
    let groupRows = -1;
    reader.struct((id, type) => {
      if (id === 1 && type === t.list) {
        reader.list(t.struct, (column) => {
          own += 1;
          chunkCount += 1;
          const { codec, ...chunk } = readChunk(reader, group, column);
          if (codec >= 0) codecs.add(codec);
          if (chunks.length < mostChunks) chunks.push(chunk);
        });
      } else if (id === 3 && type === t.i64) groupRows = reader.int();
      else return false;
      return true;
    });
    groups.push({ rows: groupRows, chunks: own });
  };
  reader.struct((id, type) => {
    if (id === 1 && type === t.i32) version = reader.int();
    else if (id === 2 && type === t.list) {
      schemas += 1;
      reader.list(t.struct, (_, count) => {
        if (count > mostElements) throw new ThriftError(`a schema of ${count} elements`);
        elements.push(readElement(reader));
      });
    } else if (id === 3 && type === t.i64) rows = reader.int();
    else if (id === 4 && type === t.list) {
      reader.list(t.struct, (index, count) => {
        if (count > mostGroups) throw new ThriftError(`${count} row groups`);
        readGroup(index);
      });
    } else if (id === 6 && type === t.binary) createdBy = shown(textOf(reader.binary().subarray(0, 1024)));
    else return false;
    return true;
  });
  if (schemas !== 1 || elements.length === 0) throw new ThriftError('it has no schema');
  if (rows < 0) throw new ThriftError('it does not say how many rows there are');
  const { columns, isTree } = leavesOf(elements);
  const names = [...codecs].toSorted((a, b) => a - b).map((codec) => codecNames[codec] ?? `codec ${codec}`);
  return { version, rows, columns, groups, chunks, chunkCount, codecs: names, createdBy, isTree };
}

function readElement(reader: ThriftReader): Element {
  const element: Element = {
    name: '',
    type: undefined,
    typeLength: 0,
    repetition: 0,
    children: 0,
    converted: undefined,
    logical: undefined,
  };
  reader.struct((id, type) => {
    if (id === 4 && type === t.binary) element.name = shown(textOf(reader.binary().subarray(0, 1024)));
    else if (id === 10 && type === t.struct) {
      reader.struct((logical) => {
        element.logical = logical;
        return false;
      });
    } else if (type === t.i32 && id >= 1 && id <= 6) {
      const value = reader.int();
      if (id === 1) element.type = value;
      if (id === 2) element.typeLength = value;
      if (id === 3) element.repetition = value;
      if (id === 5) element.children = value;
      if (id === 6) element.converted = value;
    } else return false;
    return true;
  });
  return element;
}

function readChunk(reader: ThriftReader, group: number, column: number): ParquetChunk & { readonly codec: number } {
  let [codec, values, length, data, dictionary] = [-1, -1, -1, -1, -1];
  let isElsewhere = false;
  reader.struct((id, type) => {
    if (id === 1 && type === t.binary) isElsewhere = reader.binary().length > 0;
    else if (id === 3 && type === t.struct) {
      reader.struct((field, fieldType) => {
        if (fieldType !== t.i64 && fieldType !== t.i32) return false;
        if (field === 4) codec = reader.int();
        else if (field === 5) values = reader.int();
        else if (field === 7) length = reader.int();
        else if (field === 9) data = reader.int();
        else if (field === 11) dictionary = reader.int();
        else return false;
        return true;
      });
    } else return false;
    return true;
  });
  // Some writers say 0 where there is no dictionary.
  const start = dictionary > 0 && dictionary < data ? dictionary : data;
  return { group, column, start, length, values, isElsewhere, codec };
}

/** The leaves of the schema, which is written depth first. */
function leavesOf(elements: readonly Element[]): {
  readonly columns: readonly ParquetColumn[];
  readonly isTree: boolean;
} {
  const columns: ParquetColumn[] = [];
  interface Open {
    left: number;
    readonly name: string;
    readonly isOptional: boolean;
    readonly isRepeated: boolean;
  }
  const open: Open[] = [{ left: elements[0]?.children ?? 0, name: '', isOptional: false, isRepeated: false }];
  for (const element of elements.slice(1)) {
    while (open.length > 0 && open.at(-1)?.left === 0) open.pop();
    const parent = open.at(-1);
    if (parent === undefined) return { columns, isTree: false };
    parent.left -= 1;
    const name = shown(parent.name === '' ? element.name : `${parent.name}.${element.name}`, 300);
    const isOptional = parent.isOptional || element.repetition === 1;
    const isRepeated = parent.isRepeated || element.repetition === 2;
    if (element.type === undefined) {
      if (element.children < 0 || open.length > 64) return { columns, isTree: false };
      open.push({ left: element.children, name, isOptional, isRepeated });
    } else {
      if (element.children > 0) return { columns, isTree: false };
      columns.push({ name, type: typeNames(element), isOptional, isRepeated });
    }
  }
  return { columns, isTree: open.every(({ left }) => left === 0) };
}
