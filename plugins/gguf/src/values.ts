/**
 * The values of GGUF's key-value section. Scalars are read; strings and arrays stay in the file and are known by
 * place and extent, so that a header with 256,000 tokens, or one that claims as many, costs no memory.
 *
 * | id | type | bytes || id | type | bytes |
 * |---|---|---|---|---|---|---|
 * | 0 | u8 | 1 || 7 | bool | 1 |
 * | 1 | i8 | 1 || 8 | string | length, bytes |
 * | 2 | u16 | 2 || 9 | array | u32 type, count, elements |
 * | 3 | i16 | 2 || 10 | u64 | 8 |
 * | 4 | u32 | 4 || 11 | i64 | 8 |
 * | 5 | i32 | 4 || 12 | f64 | 8 |
 * | 6 | f32 | 4 || | | |
 *
 * Lengths and counts are u32 in version 1 and u64 since.
 */

import { type ByteCursor, LayoutError } from '@mbk/plugin-sdk';

export type GgufValueType =
  | 'u8'
  | 'i8'
  | 'u16'
  | 'i16'
  | 'u32'
  | 'i32'
  | 'f32'
  | 'bool'
  | 'string'
  | 'array'
  | 'u64'
  | 'i64'
  | 'f64';

/** The byte order and version that a walk through the header depends on. */
export interface GgufEncoding {
  readonly version: 1 | 2 | 3;
  readonly littleEndian: boolean;
}

export interface GgufArray {
  readonly elementType: GgufValueType;
  readonly count: number;
  /** Of the first element, from the start of the file. */
  readonly elementsOffset: number;
}

/** What is known of a value after walking past it: a scalar's value, an array's extent, nothing more of a string. */
export interface WalkedValue {
  readonly scalar?: number | bigint;
  readonly array?: GgufArray;
}

interface ValueForm {
  readonly type: GgufValueType;
  /** Bytes; for strings and arrays the fewest that one can have, version 2 and later. */
  readonly bytes: number;
}

const forms: readonly ValueForm[] = [
  { type: 'u8', bytes: 1 },
  { type: 'i8', bytes: 1 },
  { type: 'u16', bytes: 2 },
  { type: 'i16', bytes: 2 },
  { type: 'u32', bytes: 4 },
  { type: 'i32', bytes: 4 },
  { type: 'f32', bytes: 4 },
  { type: 'bool', bytes: 1 },
  { type: 'string', bytes: 8 },
  { type: 'array', bytes: 12 },
  { type: 'u64', bytes: 8 },
  { type: 'i64', bytes: 8 },
  { type: 'f64', bytes: 8 },
];

/** The specification allows arrays of arrays, no known writer makes them. */
const deepestArray = 4;
/** Of the arrays inside of others in one value: each costs a step of its own. */
const mostNestedArrays = 262_144;

/** Reads a u32 type id of a value. LayoutError `gguf/bad-value-type`. */
export async function readValueType(cursor: ByteCursor, { littleEndian }: GgufEncoding): Promise<GgufValueType> {
  await cursor.need(4);
  const offset = cursor.offset();
  const id = cursor.u32(littleEndian);
  const form = forms[id];
  if (form === undefined) throw new LayoutError('gguf/bad-value-type', `value type ${id} does not exist`, offset);
  return form.type;
}

/** Reads a length or count; it is at most 2^64-1 and is compared with what remains before anything is done with it. */
export async function readCount(cursor: ByteCursor, encoding: GgufEncoding): Promise<bigint> {
  await cursor.need(countBytes(encoding));
  return takeCount(cursor, encoding);
}

/** Moves past a value of the given type, having looked at all that its extent depends on. */
export async function walkValue(
  cursor: ByteCursor,
  type: GgufValueType,
  encoding: GgufEncoding,
  nesting: Nesting = { depth: 0, budget: { left: mostNestedArrays } },
): Promise<WalkedValue> {
  if (type === 'string') {
    cursor.skip(await readCount(cursor, encoding));
    return {};
  }
  if (type === 'array') return { array: await walkArray(cursor, encoding, nesting) };
  return { scalar: await readScalar(cursor, type, encoding) };
}

interface Nesting {
  readonly depth: number;
  /** Shared by all arrays of a value. */
  readonly budget: { left: number };
}

async function walkArray(cursor: ByteCursor, encoding: GgufEncoding, { budget, depth }: Nesting): Promise<GgufArray> {
  const start = cursor.offset();
  if (depth >= deepestArray) {
    throw new LayoutError('gguf/nested-too-deep', `arrays are nested deeper than ${deepestArray}`, start);
  }
  const elementType = await readValueType(cursor, encoding);
  const claimed = await readCount(cursor, encoding);
  const fewestBytes = leastBytes(elementType, encoding);
  if (claimed * BigInt(fewestBytes) > BigInt(cursor.remaining())) {
    throw new LayoutError(
      'gguf/array-too-long',
      `an array claims ${claimed} elements, more than the bytes left`,
      start,
    );
  }
  const count = Number(claimed);
  const elementsOffset = cursor.offset();
  if (elementType === 'string') {
    await skipStrings(cursor, count, encoding);
  } else if (elementType === 'array') {
    budget.left -= count;
    if (budget.left < 0) {
      const message = `more than ${mostNestedArrays} arrays are in one value`;
      throw new LayoutError('gguf/array-too-long', message, start);
    }
    for (let index = 0; index < count; index += 1) await walkArray(cursor, encoding, { depth: depth + 1, budget });
  } else {
    cursor.skip(count * fewestBytes);
  }
  return { elementType, count, elementsOffset };
}

/** Vocabularies are hundreds of thousands of strings: only a new window is worth waiting for. */
async function skipStrings(cursor: ByteCursor, count: number, encoding: GgufEncoding): Promise<void> {
  const bytes = countBytes(encoding);
  for (let index = 0; index < count; index += 1) {
    if (!cursor.has(bytes)) await cursor.need(bytes);
    cursor.skip(takeCount(cursor, encoding));
  }
}

/** A length or count that `need` has brought in. */
export function takeCount(cursor: ByteCursor, { littleEndian, version }: GgufEncoding): bigint {
  return version === 1 ? BigInt(cursor.u32(littleEndian)) : cursor.u64(littleEndian);
}

/** Bytes of a length or count. */
export function countBytes({ version }: GgufEncoding): 4 | 8 {
  return version === 1 ? 4 : 8;
}

async function readScalar(cursor: ByteCursor, type: GgufValueType, encoding: GgufEncoding): Promise<number | bigint> {
  const bytes = leastBytes(type, encoding);
  await cursor.need(bytes);
  const taken = cursor.take(bytes);
  const view = new DataView(taken.buffer, taken.byteOffset, bytes);
  const { littleEndian } = encoding;
  switch (type) {
    case 'i8':
      return view.getInt8(0);
    case 'u16':
      return view.getUint16(0, littleEndian);
    case 'i16':
      return view.getInt16(0, littleEndian);
    case 'u32':
      return view.getUint32(0, littleEndian);
    case 'i32':
      return view.getInt32(0, littleEndian);
    case 'f32':
      return view.getFloat32(0, littleEndian);
    case 'u64':
      return view.getBigUint64(0, littleEndian);
    case 'i64':
      return view.getBigInt64(0, littleEndian);
    case 'f64':
      return view.getFloat64(0, littleEndian);
    default:
      return view.getUint8(0);
  }
}

/** Bytes of a number or truth value. */
export function bytesOf(type: Exclude<GgufValueType, 'string' | 'array'>): number {
  return forms.find((form) => form.type === type)?.bytes ?? 1;
}

/** Version 1 has lengths and counts of four bytes, so its strings and arrays can be four bytes shorter. */
function leastBytes(type: GgufValueType, { version }: GgufEncoding): number {
  const bytes = forms.find((form) => form.type === type)?.bytes ?? 1;
  return version === 1 && (type === 'string' || type === 'array') ? bytes - 4 : bytes;
}
