/**
 * Walks through the header of a GGUF file. Only what is needed to find the way is enforced here; whether keys, types
 * and sizes make sense is for those who look at what the walk meets.
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

/** What the walk meets, in the order of the file; after a LayoutError there is no more. */
export interface GgufVisitor {
  encoding(encoding: GgufEncoding & { readonly magic: 'GGUF' | 'FUGG' }): void;
  keyValue(keyValue: GgufKeyValue): void;
  /** After the last key-value. */
  tensorCount(count: number): void;
  tensor(info: GgufTensorInfo): void;
}

/** llama.cpp stops at four dimensions; one more byte of count could not be told from rubbish. */
const mostDimensions = 4;
/** Real files have some hundred keys and some thousand tensors, for experts are merged; a table of so many takes some 15 MB. */
const mostKeyValues = 16_384;
const mostTensors = 32_768;
/** docs/gguf.md: keys are at most 2^16-1 bytes. */
const longestKey = 65_535;
/** Of all keys together. */
const mostKeyBytes = 2_097_152;

/** The header of a GGUF file, or undefined where there is no GGUF magic. Errors: LayoutError `gguf/…`. */
export async function readGgufHeader(reader: Reader, context: LayoutContext): Promise<GgufHeader | undefined> {
  const keyValues: GgufKeyValue[] = [];
  const tensors: GgufTensorInfo[] = [];
  let encoding: GgufEncoding | undefined;
  const end = await walkGgufHeader(reader, context, {
    encoding({ littleEndian, version }) {
      encoding = { littleEndian, version };
    },
    keyValue: (keyValue) => void keyValues.push(keyValue),
    tensorCount: () => undefined,
    tensor: (info) => void tensors.push(info),
  });
  return end === undefined || encoding === undefined ? undefined : { ...encoding, keyValues, tensors, end };
}

/**
 * Shows a visitor what is in the header that begins at `start`, the beginning of the file unless given. The answer is
 * its end, one past the last byte of the tensor infos, or undefined where there is no GGUF magic. Errors: LayoutError.
 */
export async function walkGgufHeader(
  reader: Reader,
  { limits, signal }: LayoutContext,
  visitor: GgufVisitor,
  start = 0,
): Promise<number | undefined> {
  if (reader.size - start < 4) return undefined;
  const cursor = byteCursor(reader, { format: 'gguf', signal, start, end: start + limits.headerBytes });
  const encoding = await readEncoding(cursor, visitor);
  if (encoding === undefined) return undefined;
  const tensorCount = await readCount(cursor, encoding);
  const keyValueCount = await readCount(cursor, encoding);
  checkCounts(cursor, encoding, {
    start,
    tensorCount,
    keyValueCount,
    mostTensors: Math.min(limits.tensors, mostTensors),
  });

  let keyBytes = 0;
  for (let index = 0; index < Number(keyValueCount); index += 1) {
    const keyValue = await readKeyValue(cursor, encoding);
    keyBytes += keyValue.key.length;
    if (keyBytes > mostKeyBytes) {
      throw new LayoutError('gguf/too-many-keys', `the keys are more than ${mostKeyBytes} bytes`, keyValue.offset);
    }
    visitor.keyValue(keyValue);
  }
  visitor.tensorCount(Number(tensorCount));
  for (let index = 0; index < Number(tensorCount); index += 1) {
    visitor.tensor(await readTensorInfo(cursor, encoding, limits.nameBytes));
  }
  return cursor.offset();
}

async function readEncoding(cursor: ByteCursor, visitor: GgufVisitor): Promise<GgufEncoding | undefined> {
  await cursor.need(4);
  const magic = new TextDecoder('latin1').decode(cursor.take(4));
  if (magic !== 'GGUF' && magic !== 'FUGG') return undefined;
  await cursor.need(4);
  const versionOffset = cursor.offset();
  const field = cursor.take(4);
  const view = new DataView(field.buffer, field.byteOffset, 4);
  // The version is small, so whichever order makes it so is the order of the file.
  for (const littleEndian of [true, false]) {
    const version = view.getUint32(0, littleEndian);
    if (version !== 1 && version !== 2 && version !== 3) continue;
    visitor.encoding({ version, littleEndian, magic });
    return { version, littleEndian };
  }
  throw new LayoutError('gguf/bad-version', `version ${view.getUint32(0, true)} is not 1, 2 or 3`, versionOffset);
}

interface Counts {
  readonly start: number;
  readonly tensorCount: bigint;
  readonly keyValueCount: bigint;
  readonly mostTensors: number;
}

/** No list is begun that the bytes left could not hold. */
function checkCounts(cursor: ByteCursor, { version }: GgufEncoding, counts: Counts): void {
  const { keyValueCount, mostTensors, start, tensorCount } = counts;
  if (tensorCount > BigInt(mostTensors)) {
    throw new LayoutError('gguf/too-many-tensors', `${tensorCount} tensors, of at most ${mostTensors}`, start + 8);
  }
  if (keyValueCount > BigInt(mostKeyValues)) {
    throw new LayoutError('gguf/too-many-keys', `${keyValueCount} keys, of at most ${mostKeyValues}`, start + 8);
  }
  const leastKeyValue = version === 1 ? 4 + 4 + 1 : 8 + 4 + 1;
  const leastTensor = version === 1 ? 4 + 4 + 4 + 8 : 8 + 4 + 4 + 8;
  const least = keyValueCount * BigInt(leastKeyValue) + tensorCount * BigInt(leastTensor);
  if (least > BigInt(cursor.remaining())) {
    const message = `the counts ask for ${least} bytes, ${cursor.remaining()} are left`;
    throw new LayoutError('gguf/truncated', message, start + 8);
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

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

async function readString(cursor: ByteCursor, encoding: GgufEncoding, longest: number): Promise<string> {
  const offset = cursor.offset();
  const length = await readCount(cursor, encoding);
  if (length > BigInt(longest)) {
    throw new LayoutError('gguf/string-too-long', `a name of ${length} bytes, of at most ${longest}`, offset);
  }
  await cursor.need(Number(length));
  try {
    return utf8.decode(cursor.take(Number(length)));
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new LayoutError('gguf/bad-utf8', 'a name is not valid UTF-8', offset);
  }
}
