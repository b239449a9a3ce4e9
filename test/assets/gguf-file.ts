/** Writes GGUF files after docs/gguf.md, independently of the reader; with the wrong numbers too, when asked. */

import { type ByteWriter, byteWriter } from './byte-writer.ts';

const typeIds = { F32: 0, F16: 1, Q4_0: 2, Q8_0: 8, Q4_K: 12, Q6_K: 14, I8: 24, I32: 26, I64: 27, F64: 28, BF16: 30 };

export interface GgufFileTensor {
  readonly name: string;
  /** A name of the usual types, or any id. */
  readonly dtype: string | number;
  /** Slowest dimension first, as everywhere but in ggml. */
  readonly shape: readonly (number | bigint)[];
  readonly data: Uint8Array;
  /** In place of the right one, from the start of the data. */
  readonly dataOffset?: number | bigint;
}

export type GgufFileValue =
  | { readonly type: 'u8' | 'u16' | 'u32' | 'u64' | 'bool'; readonly value: number | bigint }
  | { readonly type: 'i32' | 'f32'; readonly value: number }
  /** An array of numbers of one type. */
  | { readonly type: 'numbers'; readonly of: 'u8' | 'u32' | 'i32' | 'f32' | 'bool'; readonly value: readonly number[] }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'strings'; readonly value: readonly string[] }
  /** A value of any type id and any bytes. */
  | { readonly type: 'raw'; readonly id: number; readonly value: Uint8Array };

export interface GgufHeadOptions {
  readonly version?: 1 | 2 | 3;
  readonly byteOrder?: 'little' | 'big';
  readonly magic?: 'GGUF' | 'FUGG';
  readonly alignment?: number;
  readonly metadata?: Readonly<Record<string, GgufFileValue>>;
  /** Of the data only its length counts. */
  readonly tensors: readonly (Omit<GgufFileTensor, 'data'> & { readonly data: { readonly length: number } })[];
  /** In place of the right counts. */
  readonly tensorCount?: number | bigint;
  readonly keyCount?: number | bigint;
}

export interface GgufFileOptions extends GgufHeadOptions {
  readonly tensors: readonly GgufFileTensor[];
}

export function ggufFile(options: GgufFileOptions): Uint8Array {
  const { alignment = 32, byteOrder, tensors } = options;
  const file = byteWriter(byteOrder).bytes(ggufHead(options));
  for (const { data } of tensors) file.align(alignment).bytes(data);
  return file.align(tensors.length > 0 ? alignment : 1).finish();
}

/** What stands before the data, without the padding that follows. */
export function ggufHead(options: GgufHeadOptions): Uint8Array {
  const { alignment = 32, byteOrder = 'little', magic = 'GGUF', tensors, version = 3 } = options;
  const metadata: Record<string, GgufFileValue> = {
    ...(alignment === 32 ? {} : { 'general.alignment': { type: 'u32', value: alignment } }),
    ...options.metadata,
  };
  const size = version === 1 ? 4 : 8;
  const file = byteWriter(byteOrder);
  file.bytes(magic).uint(version, 4);
  file.uint(options.tensorCount ?? tensors.length, size).uint(options.keyCount ?? Object.keys(metadata).length, size);
  for (const [key, value] of Object.entries(metadata)) {
    writeString(file, key, size);
    writeValue(file, value, size);
  }
  let dataOffset = 0;
  for (const tensor of tensors) {
    writeString(file, tensor.name, size);
    file.uint(tensor.shape.length, 4);
    for (const dimension of tensor.shape.toReversed()) file.uint(dimension, size);
    file.uint(typeId(tensor.dtype), 4).uint(tensor.dataOffset ?? dataOffset, 8);
    dataOffset += Math.ceil(tensor.data.length / alignment) * alignment;
  }
  return file.finish();
}

function writeValue(file: ByteWriter, field: GgufFileValue, size: 4 | 8): void {
  switch (field.type) {
    case 'string':
      file.uint(8, 4);
      return writeString(file, field.value, size);
    case 'strings':
      file.uint(9, 4).uint(8, 4).uint(field.value.length, size);
      for (const text of field.value) writeString(file, text, size);
      return;
    case 'f32':
      file.uint(6, 4).uint(floatBits(field.value), 4);
      return;
    case 'i32':
      file.uint(5, 4).uint(field.value, 4);
      return;
    case 'numbers': {
      const [id, width] = ({ u8: [0, 1], u32: [4, 4], i32: [5, 4], f32: [6, 4], bool: [7, 1] } as const)[field.of];
      file.uint(9, 4).uint(id, 4).uint(field.value.length, size);
      for (const number of field.value) file.uint(field.of === 'f32' ? floatBits(number) : number, width);
      return;
    }
    case 'raw':
      file.uint(field.id, 4).bytes(field.value);
      return;
    default: {
      const [id, width] = ({ u8: [0, 1], u16: [2, 2], u32: [4, 4], u64: [10, 8], bool: [7, 1] } as const)[field.type];
      file.uint(id, 4).uint(field.value, width);
    }
  }
}

function floatBits(value: number): number {
  return new Uint32Array(Float32Array.of(value).buffer)[0] ?? 0;
}

function writeString(file: ByteWriter, text: string, size: 4 | 8): void {
  const bytes = new TextEncoder().encode(text);
  file.uint(bytes.length, size).bytes(bytes);
}

function typeId(dtype: string | number): number {
  if (typeof dtype === 'number') return dtype;
  const found = Object.entries(typeIds).find(([name]) => name === dtype);
  if (found === undefined) throw new TypeError(`expected one of ${Object.keys(typeIds).join(', ')}, got ${dtype}`);
  return found[1];
}
