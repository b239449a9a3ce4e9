/** What others do with weights, in a few lines each: byte planes as ZipNN, XOR planes as BitX. */

import { constants, zstdCompressSync } from 'node:zlib';
import { blockOf } from '../../../packages/plugin-sdk/src/index.ts';
import type { TensorSpan } from '../../../packages/core/src/format/layout-record.ts';
import type { WeightFile } from './weight-files.ts';

export function zstd(bytes: Uint8Array, level: number): number {
  return zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: level } }).byteLength;
}

/** A plane as it is, or as zstd makes it, whose literals are Huffman-coded; weights have no matches. */
function planeBytes(plane: Uint8Array, level: number): number {
  return Math.min(plane.length, zstd(plane, level));
}

function payload({ bytes }: WeightFile, { offset, length }: TensorSpan): Uint8Array {
  return bytes.subarray(offset, offset + length);
}

/** Bytes 0 of all elements, then bytes 1, …; of blocks all as they are. */
function planesOf(bytes: Uint8Array, { dtype, unit }: TensorSpan): Uint8Array[] {
  if ((blockOf(dtype)?.elements ?? 1) > 1 || unit > 8) return [bytes];
  return Array.from({ length: unit }, (_, plane) =>
    Uint8Array.from({ length: Math.floor(bytes.length / unit) }, (_, i) => bytes[i * unit + plane] ?? 0),
  );
}

/** The exponent of floats in a plane of its own: rotated by one bit, as ZipNN has it. */
function withExponentPlane(bytes: Uint8Array, { dtype }: TensorSpan): Uint8Array {
  const size = dtype === 'F32' ? 4 : dtype === 'F16' || dtype === 'BF16' ? 2 : 0;
  if (size === 0) return bytes;
  const turned = bytes.slice();
  for (let at = size - 2; at + 1 < turned.length; at += size) {
    const word = (turned[at] ?? 0) | ((turned[at + 1] ?? 0) << 8);
    turned[at] = ((word << 1) | (word >> 15)) & 255;
    turned[at + 1] = (word >> 7) & 255;
  }
  return turned;
}

/** Byte planes of each tensor, the exponents by themselves, each by zstd at level 1 where that saves. */
export function bytePlanes(file: WeightFile): number {
  return file.tensors.reduce((sum, tensor) => {
    const planes = planesOf(withExponentPlane(payload(file, tensor), tensor), tensor);
    return sum + planes.reduce((all, plane) => all + planeBytes(plane, 1), 0);
  }, 0);
}

/** Byte planes of the exclusive or with the tensor of the same name, or place, of `base`, by zstd at level 3. */
export function xorPlanes(file: WeightFile, base: WeightFile): number {
  return file.tensors.reduce((sum, tensor, place) => {
    const own = payload(file, tensor);
    const related = base.tensors.find(({ name }) => name === tensor.name) ?? base.tensors[place];
    const isRelated = related?.length === tensor.length && related.dtype === tensor.dtype;
    const other = isRelated ? payload(base, related) : new Uint8Array(own.length);
    const differing = own.map((byte, i) => byte ^ (other[i] ?? 0));
    return sum + planesOf(differing, tensor).reduce((all, plane) => all + planeBytes(plane, 3), 0);
  }, 0);
}
