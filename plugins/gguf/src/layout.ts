/** From a GGUF header to the places of the tensors. */

import {
  blockOf,
  type Dtype,
  type Layout,
  type LayoutContext,
  LayoutError,
  type LayoutTensor,
  makeLayout,
  type Reader,
} from '@mbk/plugin-sdk';
import { ggmlDtype } from './ggml-types.ts';
import { type GgufKeyValue, type GgufTensorInfo, walkGgufHeader } from './header.ts';

/** The `layout` of the plugin: undefined for what is no GGUF file, LayoutError `gguf/…` for a malformed one. */
export async function layoutGguf(reader: Reader, context: LayoutContext): Promise<Layout | undefined> {
  const tensors: Placed[] = [];
  /** Where each stands in the header. */
  const entries: number[] = [];
  const alignmentKeys: GgufKeyValue[] = [];
  const shapes = new Map<string, readonly number[]>();
  let littleEndian = true;
  let alignment = 0;
  const end = await walkGgufHeader(reader, context, {
    encoding: (encoding) => void (littleEndian = encoding.littleEndian),
    keyValue(keyValue) {
      if (keyValue.key === 'general.alignment') alignmentKeys.push(keyValue);
    },
    tensorCount: () => void (alignment = alignmentOf(alignmentKeys)),
    tensor(info) {
      tensors.push(placeOf(info, { alignment, fileSize: reader.size, littleEndian, shapes }));
      entries.push(info.offset);
    },
  });
  if (end === undefined) return undefined;
  // Where the data begins is known only now.
  const dataStart = Math.ceil(end / alignment) * alignment;
  for (const [index, tensor] of tensors.entries()) {
    tensor.offset += dataStart;
    if (tensor.offset + tensor.length <= reader.size) continue;
    throw outOfFile({ name: tensor.name, offset: entries[index] ?? 0 }, tensor.offset, tensor.length, reader.size);
  }
  return makeLayout('gguf', tensors, reader.size, context.limits);
}

type Placed = LayoutTensor & { offset: number };

interface File {
  readonly alignment: number;
  readonly fileSize: number;
  readonly littleEndian: boolean;
  /** By themselves, so that a thousand like tensors share one. */
  readonly shapes: Map<string, readonly number[]>;
}

/** A tensor whose offset counts from the start of the tensor data. */
function placeOf(info: GgufTensorInfo, { alignment, fileSize, littleEndian, shapes }: File): Placed {
  const { dataOffset, dimensions, name } = info;
  const dtype = ggmlDtype(info.typeId);
  if (dtype === undefined) throw malformed('bad-type', info, `its type ${info.typeId} does not exist`);
  const length = byteLength(info, dtype);
  if (dataOffset % BigInt(alignment) !== 0n) {
    throw malformed('misaligned', info, `its offset ${dataOffset} is no multiple of ${alignment}`);
  }
  // Past the end wherever the data begins; what is left are numbers that can be added.
  if (dataOffset + length > BigInt(fileSize)) throw outOfFile(info, dataOffset, length, fileSize);
  const form = dimensions.join();
  // ggml counts from the fastest dimension, everyone else from the slowest.
  const shape = shapes.get(form) ?? dimensions.map(Number).reverse();
  shapes.set(form, shape);
  const place = { offset: Number(dataOffset), length: Number(length) };
  return { name, dtype, shape, ...place, ...(littleEndian ? {} : { byteOrder: 'big' }) };
}

/** In 64-bit arithmetic a product of dimensions can wrap to something small; here it cannot. */
function byteLength(info: GgufTensorInfo, dtype: Dtype): bigint {
  const block = blockOf(dtype);
  const row = info.dimensions[0] ?? 1n;
  if (row % BigInt(block.elements) !== 0n) {
    throw malformed('split-block', info, `its rows of ${row} elements are no whole blocks of ${block.elements}`);
  }
  const elements = info.dimensions.reduce((product, dimension) => product * dimension, 1n);
  if (elements >= 1n << 63n) throw malformed('too-large', info, `its ${elements} elements are no 63-bit number`);
  // A dimension of a tensor without elements stands in no relation to the file's size; it must still be a number.
  if (info.dimensions.some((dimension) => dimension > BigInt(Number.MAX_SAFE_INTEGER))) {
    throw malformed('too-large', info, 'one of its dimensions is above 2^53');
  }
  return (elements / BigInt(block.elements)) * BigInt(block.bytes);
}

/** docs/gguf.md: `general.alignment`, a u32, 32 unless given. llama.cpp takes powers of two only. */
function alignmentOf([found, second]: readonly GgufKeyValue[]): number {
  if (found === undefined) return 32;
  if (second !== undefined) {
    throw new LayoutError('gguf/duplicate-key', 'general.alignment is given twice', second.offset);
  }
  const alignment = found.type === 'u32' ? Number(found.scalar) : 0;
  if (alignment === 0 || !Number.isInteger(Math.log2(alignment))) {
    throw new LayoutError(
      'gguf/bad-alignment',
      'general.alignment is no u32 that is a power of two',
      found.valueOffset,
    );
  }
  return alignment;
}

function outOfFile(
  tensor: Pick<GgufTensorInfo, 'name' | 'offset'>,
  offset: number | bigint,
  length: number | bigint,
  fileSize: number,
): LayoutError {
  return malformed('out-of-file', tensor, `its bytes ${offset} + ${length} reach past the file's ${fileSize}`);
}

function malformed(
  what: string,
  { name, offset }: Pick<GgufTensorInfo, 'name' | 'offset'>,
  message: string,
): LayoutError {
  return new LayoutError(`gguf/${what}`, `tensor ${JSON.stringify(name.slice(0, 80))}: ${message}`, offset);
}
