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
import { type GgufHeader, type GgufTensorInfo, readGgufHeader } from './header.ts';

/** The `layout` of the plugin: undefined for what is no GGUF file, LayoutError `gguf/…` for a malformed one. */
export async function layoutGguf(reader: Reader, context: LayoutContext): Promise<Layout | undefined> {
  const header = await readGgufHeader(reader, context);
  if (header === undefined) return undefined;
  const alignment = alignmentOf(header);
  const dataStart = Math.ceil(header.end / alignment) * alignment;
  const tensors = header.tensors.map((info) => placeOf(info, header, { alignment, dataStart, fileSize: reader.size }));
  return makeLayout('gguf', tensors, reader.size, context.limits);
}

interface DataSection {
  readonly alignment: number;
  readonly dataStart: number;
  readonly fileSize: number;
}

function placeOf(info: GgufTensorInfo, header: GgufHeader, data: DataSection): LayoutTensor {
  const dtype = ggmlDtype(info.typeId);
  if (dtype === undefined) throw malformed('bad-type', info, `its type ${info.typeId} does not exist`);
  const length = byteLength(info, dtype);
  if (info.dataOffset % BigInt(data.alignment) !== 0n) {
    throw malformed('misaligned', info, `its offset ${info.dataOffset} is no multiple of ${data.alignment}`);
  }
  const offset = BigInt(data.dataStart) + info.dataOffset;
  if (offset + length > BigInt(data.fileSize)) {
    throw malformed('out-of-file', info, `its bytes ${offset} + ${length} reach past the file's ${data.fileSize}`);
  }
  return {
    name: info.name,
    dtype,
    // ggml counts from the fastest dimension, everyone else from the slowest.
    shape: info.dimensions.map(Number).reverse(),
    offset: Number(offset),
    length: Number(length),
    ...(header.littleEndian ? {} : { byteOrder: 'big' }),
  };
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
function alignmentOf({ keyValues }: GgufHeader): number {
  const [found, second] = keyValues.filter(({ key }) => key === 'general.alignment');
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

function malformed(what: string, { name, offset }: GgufTensorInfo, message: string): LayoutError {
  return new LayoutError(`gguf/${what}`, `tensor ${JSON.stringify(name.slice(0, 80))}: ${message}`, offset);
}
