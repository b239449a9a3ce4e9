/**
 * As much of an ONNX model (onnx.proto3) as concerns its weights: ModelProto 1 ir_version, 2 producer_name, 7 graph,
 * 8 opset_import; GraphProto 1 node, 2 name, 5 initializer, 11 input, 12 output; TensorProto 1 dims, 2 data_type,
 * 4 float_data, 10 double_data, 8 name, 9 raw_data, 13 external_data, 14 data_location.
 */

import { blockOf, type Dtype, LayoutError, type LayoutTensor, type Reader, type ReaderContext } from '@mbk/plugin-sdk';
import { mostTensors } from '../most-tensors.ts';
import { type Field, fieldsOf, textOf, varintsOf } from './protobuf.ts';

/** TensorProto.DataType of those with a canonical name. */
const dtypes: Readonly<Record<number, Dtype>> = {
  1: 'F32',
  2: 'U8',
  3: 'I8',
  4: 'U16',
  5: 'I16',
  6: 'I32',
  7: 'I64',
  9: 'BOOL',
  10: 'F16',
  11: 'F64',
  12: 'U32',
  13: 'U64',
  14: 'C64',
  15: 'C128',
  16: 'BF16',
  17: 'F8_E4M3',
  18: 'F8_E4M3FNUZ',
  19: 'F8_E5M2',
  20: 'F8_E5M2FNUZ',
  24: 'F8_E8M0',
};

export interface OnnxTensor {
  readonly name: string;
  readonly dataType: number;
  readonly dtype: Dtype | undefined;
  readonly shape: readonly number[];
  /** Of its message. */
  readonly at: number;
  /** Its bytes, where they stand in the file as such. */
  readonly raw: { readonly offset: number; readonly length: number } | undefined;
  readonly external: Readonly<Record<string, string>> | undefined;
}

export interface OnnxModel {
  readonly irVersion: number | undefined;
  readonly producer: string | undefined;
  readonly opset: number | undefined;
  readonly nodes: number;
  readonly tensors: readonly OnnxTensor[];
}

/** LayoutError `onnx/…`. */
export async function readOnnx(reader: Reader, { signal }: Pick<ReaderContext, 'signal'>): Promise<OnnxModel> {
  let irVersion: number | undefined;
  let producer: string | undefined;
  let opset: number | undefined;
  let graph: Field | undefined;
  for await (const field of fieldsOf(reader, 0, reader.size, signal)) {
    if (field.number === 1 && field.wire === 0) irVersion = Number(field.value);
    else if (field.number === 2 && field.wire === 2) producer = await textOf(reader, field, signal, 128);
    else if (field.number === 7 && field.wire === 2) graph = field;
    else if (field.number === 8 && field.wire === 2 && field.end - field.start < 256) {
      opset = (await opsetOf(reader, field, signal)) ?? opset;
    }
  }
  if (graph === undefined) throw new LayoutError('onnx/no-graph', 'the model has no graph', 0);
  const tensors: OnnxTensor[] = [];
  let nodes = 0;
  for await (const field of fieldsOf(reader, graph.start, graph.end, signal)) {
    if (field.number === 1) nodes += 1;
    if (field.number !== 5 || field.wire !== 2) continue;
    if (tensors.length >= mostTensors) {
      throw new LayoutError('onnx/too-many-tensors', `more than ${mostTensors} initialisers`, field.start);
    }
    tensors.push(await tensorOf(reader, field, signal));
  }
  return { irVersion, producer, opset, nodes, tensors };
}

async function opsetOf(reader: Reader, message: Field, signal: AbortSignal): Promise<number | undefined> {
  let domain = '';
  let version: number | undefined;
  for await (const field of fieldsOf(reader, message.start, message.end, signal)) {
    if (field.number === 1) domain = await textOf(reader, field, signal, 64);
    if (field.number === 2) version = Number(field.value);
  }
  return domain === '' || domain === 'ai.onnx' ? version : undefined;
}

/** Fields of TensorProto that hold elements as they are in memory, with the types that are written so. */
const packedNumbers: ReadonlyMap<number, readonly Dtype[]> = new Map([
  [4, ['F32', 'C64']],
  [10, ['F64', 'C128']],
]);

async function tensorOf(reader: Reader, message: Field, signal: AbortSignal): Promise<OnnxTensor> {
  const shape: number[] = [];
  let dataType = 0;
  let name = '';
  let raw: OnnxTensor['raw'];
  /** Bytes of the fields float_data and double_data, by their number, and how many of each there are. */
  const packed = new Map<number, { readonly place: OnnxTensor['raw']; readonly count: number }>();
  const external: Record<string, string> = {};
  let isExternal = false;
  for await (const field of fieldsOf(reader, message.start, message.end, signal)) {
    if (field.number === 1) {
      for (const value of await varintsOf(reader, field, signal)) shape.push(Number(value));
      if (shape.length > 64 || !shape.every((size) => Number.isSafeInteger(size))) {
        throw new LayoutError('onnx/bad-tensor', 'an initialiser has dimensions that are none', message.start);
      }
    } else if (field.number === 2) dataType = Number(field.value);
    else if (field.number === 8) name = await textOf(reader, field, signal);
    else if (field.number === 9) raw = { offset: field.start, length: field.end - field.start };
    else if (packedNumbers.has(field.number)) {
      const place = field.wire === 2 ? { offset: field.start, length: field.end - field.start } : undefined;
      packed.set(field.number, { place, count: (packed.get(field.number)?.count ?? 0) + 1 });
    } else if (field.number === 13 && field.wire === 2) {
      isExternal = true;
      const [key, value] = await pairOf(reader, field, signal);
      if (Object.keys(external).length < 8) external[key] = value;
    } else if (field.number === 14) isExternal ||= field.value === 1n;
  }
  const dtype = Object.hasOwn(dtypes, dataType) ? dtypes[dataType] : undefined;
  for (const [number, { count, place }] of packed) {
    // One list of all elements is the same bytes as raw data.
    const isOwn = dtype !== undefined && packedNumbers.get(number)?.includes(dtype) === true;
    if (isOwn && count === 1 && packed.size === 1) raw ??= place;
  }
  return { name, dataType, dtype, shape, at: message.start, raw, external: isExternal ? external : undefined };
}

async function pairOf(reader: Reader, message: Field, signal: AbortSignal): Promise<readonly [string, string]> {
  let key = '';
  let value = '';
  for await (const field of fieldsOf(reader, message.start, message.end, signal)) {
    if (field.number === 1) key = await textOf(reader, field, signal, 64);
    if (field.number === 2) value = await textOf(reader, field, signal);
  }
  return [key, value];
}

/** Those initialisers whose bytes stand in the file; named by their place where a name is taken or missing. */
export function onnxTensors({ tensors }: OnnxModel): readonly LayoutTensor[] {
  const names = new Set<string>();
  const result: LayoutTensor[] = [];
  for (const [index, { dtype, name, raw, shape }] of tensors.entries()) {
    if (raw === undefined) continue;
    const own = name === '' || names.has(name) ? `initializer/${index}` : name;
    if (names.has(own)) continue;
    names.add(own);
    const place = { name: own, offset: raw.offset, length: raw.length };
    result.push(
      dtype === undefined || bytesOf(dtype, shape) !== BigInt(raw.length)
        ? { ...place, dtype: 'U8', shape: [raw.length] }
        : { ...place, dtype, shape },
    );
  }
  return result;
}

/** Bytes of so many elements. */
export function bytesOf(dtype: Dtype, shape: readonly number[]): bigint {
  const width = blockOf(dtype).bytes;
  return shape.reduce((product, dimension) => product * BigInt(dimension), BigInt(width));
}
