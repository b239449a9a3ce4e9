/** The columns of an Arrow schema. */

import type { JsonObject } from '@mbk/plugin-sdk';
import { shown } from '../records/utf8.ts';
import type { FlatTable } from './flatbuffer.ts';

const mostFields = 10_000;

/** By number of the union `Type`. */
const names = [
  'none',
  'null',
  'int',
  'float',
  'binary',
  'string',
  'boolean',
  'decimal',
  'date',
  'time',
  'timestamp',
  'interval',
  'list',
  'struct',
  'union',
  'fixed binary',
  'fixed list',
  'map',
  'duration',
  'large binary',
  'large string',
  'large list',
  'run-end encoded',
  'binary view',
  'string view',
  'list view',
  'large list view',
];

/** Name and type of each column of the schema; a FlatBufferError where it is none. */
export function arrowColumns(schema: FlatTable): readonly JsonObject[] {
  return schema.tables(1, mostFields).map((field) => ({
    name: shown(field.text(0) ?? ''),
    type: typeOf(field, 0),
    ...(field.i8(1, 0) === 0 ? {} : { optional: true }),
  }));
}

function typeOf(field: FlatTable, depth: number): string {
  const number = field.i8(2, 0);
  const name = names[number] ?? `type ${number}`;
  const type = field.table(3);
  const dictionary = field.field(4) === undefined ? '' : 'dictionary of ';
  if (name === 'int' && type) return `${dictionary}${type.i8(1, 0) === 0 ? 'uint' : 'int'}${type.i32(0, 0)}`;
  if (name === 'float' && type) return `${dictionary}${['float16', 'float32', 'float64'][type.i16(0, 0)] ?? 'float'}`;
  if (name.endsWith('list') && depth < 4) {
    const item = field.firstTable(5);
    const width = name === 'fixed list' && type ? `[${type.i32(0, 0)}]` : '';
    return item === undefined ? name : `${name}${width} of ${typeOf(item, depth + 1)}`;
  }
  return `${dictionary}${name}`;
}
