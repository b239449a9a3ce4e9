/**
 * Reads the header of a GGUF file into a structure that keeps the position of everything in it. Only what is needed
 * to find the way is enforced here; whether keys, types and sizes make sense is for those who use the structure.
 *
 * | part | version 1 | version 2, 3 |
 * |---|---|---|
 * | magic `GGUF` | 4 bytes | 4 bytes |
 * | version | u32 | u32 |
 * | tensors, key-values | u32 each | u64 each |
 * | key-values | key, u32 type, value | the same, lengths u64 |
 * | tensor infos | name, u32 dimensions, u32 each, u32 type, u64 offset | the same, dimensions u64 |
 * | padding to `general.alignment` | | |
 * | tensor data | | |
 *
 * Big-endian files come in two kinds: the version is swapped after a magic of `GGUF`, or the magic reads `FUGG`.
 */

import { type ByteCursor, byteCursor, type LayoutContext, LayoutError, type Reader } from '@mbk/plugin-sdk';
import {
  type GgufArray,
  type GgufEncoding,
  type GgufValueType,
  readCount,
  readValueType,
  walkValue,
} from './values.ts';

export interface GgufKeyValue {
  readonly key: string;
  readonly type: GgufValueType;
  /** Of the key's length field, from the start of the file. */
  readonly offset: number;
  /** Of the value, after its type. */
  readonly valueOffset: number;
  /** Bytes of the value, length fields included. */
  readonly valueLength: number;
  /** Numbers and booleans (as 0 or 1, or whatever stands there); 64-bit integers as bigint. */
  readonly scalar?: number | bigint;
  readonly array?: GgufArray;
}

export interface GgufTensorInfo {
  readonly name: string;
  /** Of this entry, from the start of the file. */
  readonly offset: number;
  /** In ggml's order: the first is the row length. */
  readonly dimensions: readonly bigint[];
  readonly typeId: number;
  /** From the start of the tensor data. */
  readonly dataOffset: bigint;
}

export interface GgufHeader extends GgufEncoding {
  readonly keyValues: readonly GgufKeyValue[];
  readonly tensors: readonly GgufTensorInfo[];
  /** One past the last byte of the tensor infos. */
  readonly end: number;
}

/** llama.cpp stops at four dimensions; one more byte of count could not be told from rubbish. */
const mostDimensions = 4;
const mostKeyValues = 65_536;
/** docs/gguf.md: keys are at most 2^16-1 bytes. */
const longestKey = 65_535;

/** The header of a GGUF file, or undefined where there is no GGUF magic. Errors: LayoutError `gguf/…`. */
export async function readGgufHeader(
  reader: Reader,
  { limits, signal }: LayoutContext,
): Promise<GgufHeader | undefined> {
  if (reader.size < 4) return undefined;
  const cursor = byteCursor(reader, { format: 'gguf', signal, end: limits.headerBytes });
  const encoding = await readEncoding(cursor);
  if (encoding === undefined) return undefined;
  const tensorCount = await readCount(cursor, encoding);
  const keyValueCount = await readCount(cursor, encoding);
  checkCounts(cursor, encoding, { tensorCount, keyValueCount, mostTensors: limits.tensors });

  const keyValues: GgufKeyValue[] = [];
  while (keyValues.length < Number(keyValueCount)) keyValues.push(await readKeyValue(cursor, encoding));
  const tensors: GgufTensorInfo[] = [];
  while (tensors.length < Number(tensorCount)) {
    tensors.push(await readTensorInfo(cursor, encoding, limits.nameBytes));
  }
  return { ...encoding, keyValues, tensors, end: cursor.offset() };
}

async function readEncoding(cursor: ByteCursor): Promise<GgufEncoding | undefined> {
  await cursor.need(4);
  const magic = new TextDecoder('latin1').decode(cursor.take(4));
  if (magic !== 'GGUF' && magic !== 'FUGG') return undefined;
  await cursor.need(4);
  const field = cursor.take(4);
  const view = new DataView(field.buffer, field.byteOffset, 4);
  // The version is small, so whichever order makes it so is the order of the file.
  for (const littleEndian of [true, false]) {
    const version = view.getUint32(0, littleEndian);
    if (version === 1 || version === 2 || version === 3) return { version, littleEndian };
  }
  throw new LayoutError('gguf/bad-version', `version ${view.getUint32(0, true)} is not 1, 2 or 3`, 4);
}

interface Counts {
  readonly tensorCount: bigint;
  readonly keyValueCount: bigint;
  readonly mostTensors: number;
}

/** No list is begun that the bytes left could not hold. */
function checkCounts(cursor: ByteCursor, { version }: GgufEncoding, counts: Counts): void {
  const { keyValueCount, mostTensors, tensorCount } = counts;
  if (tensorCount > BigInt(mostTensors)) {
    throw new LayoutError('gguf/too-many-tensors', `${tensorCount} tensors, of at most ${mostTensors}`, 8);
  }
  if (keyValueCount > BigInt(mostKeyValues)) {
    throw new LayoutError('gguf/too-many-keys', `${keyValueCount} keys, of at most ${mostKeyValues}`, 8);
  }
  const leastKeyValue = version === 1 ? 4 + 4 + 1 : 8 + 4 + 1;
  const leastTensor = version === 1 ? 4 + 4 + 4 + 8 : 8 + 4 + 4 + 8;
  const least = keyValueCount * BigInt(leastKeyValue) + tensorCount * BigInt(leastTensor);
  if (least > BigInt(cursor.remaining())) {
    throw new LayoutError('gguf/truncated', `the counts ask for ${least} bytes, ${cursor.remaining()} are left`, 8);
  }
}

async function readKeyValue(cursor: ByteCursor, encoding: GgufEncoding): Promise<GgufKeyValue> {
  const offset = cursor.offset();
  const key = await readString(cursor, encoding, longestKey);
  const type = await readValueType(cursor, encoding);
  const valueOffset = cursor.offset();
  const value = await walkValue(cursor, type, encoding);
  return { key, type, offset, valueOffset, valueLength: cursor.offset() - valueOffset, ...value };
}

async function readTensorInfo(cursor: ByteCursor, encoding: GgufEncoding, nameBytes: number): Promise<GgufTensorInfo> {
  const offset = cursor.offset();
  const name = await readString(cursor, encoding, nameBytes);
  await cursor.need(4);
  const dimensionCount = cursor.u32(encoding.littleEndian);
  if (dimensionCount > mostDimensions) {
    throw new LayoutError(
      'gguf/too-many-dimensions',
      `${dimensionCount} dimensions, of at most ${mostDimensions}`,
      offset,
    );
  }
  const dimensions: bigint[] = [];
  while (dimensions.length < dimensionCount) dimensions.push(await readCount(cursor, encoding));
  await cursor.need(4 + 8);
  const typeId = cursor.u32(encoding.littleEndian);
  return { name, offset, dimensions, typeId, dataOffset: cursor.u64(encoding.littleEndian) };
}

async function readString(cursor: ByteCursor, encoding: GgufEncoding, longest: number): Promise<string> {
  const offset = cursor.offset();
  const length = await readCount(cursor, encoding);
  if (length > BigInt(longest)) {
    throw new LayoutError('gguf/string-too-long', `a name of ${length} bytes, of at most ${longest}`, offset);
  }
  await cursor.need(Number(length));
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(cursor.take(Number(length)));
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new LayoutError('gguf/bad-utf8', 'a name is not valid UTF-8', offset);
  }
}
