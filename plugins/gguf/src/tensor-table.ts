/**
 * Holds each tensor info against the rules for tensors while the header passes by, and keeps of all of them only what
 * later rules and the facts need: 13 to 21 bytes a tensor, sums, and the shapes of the few that every model has.
 */

import { blockOf, type Dtype } from '@mbk/plugin-sdk';
import { type Problems, quoted } from './codes.ts';
import { ggmlDtype, removedGgmlType } from './ggml-types.ts';
import type { GgufTensorInfo } from './header.ts';
import { type NameSet, nameSet } from './name-set.ts';

export interface DtypeTotal {
  readonly tensors: number;
  readonly elements: number;
  readonly bytes: number;
  /** Elements of tensors with two dimensions or more, embeddings and output left out. */
  readonly matrixElements: number;
}

/** Where a tensor lies, from the start of the tensor data. */
export interface TensorPlace {
  readonly index: number;
  readonly dtype: Dtype;
  readonly offset: number;
  readonly length: number;
}

/** The ranks that the two matrices of a pair have, those that are there. */
export interface AdapterTensor {
  readonly a?: number;
  readonly b?: number;
}

export interface TensorTable {
  /** That the header claims. */
  readonly count: number;
  /** That were read. */
  readonly seen: number;
  readonly totals: ReadonlyMap<Dtype, DtypeTotal>;
  /** Block numbers N of `blk.N.`, up to 65,535. */
  readonly blocks: ReadonlySet<number>;
  /** Of `wellKnown` tensors, in ggml's order. */
  readonly shapes: ReadonlyMap<string, readonly bigint[]>;
  /** Tensors `x.lora_a` and `x.lora_b` by x, of the first 16,384. */
  readonly adapterTensors: ReadonlyMap<string, AdapterTensor>;
  /** First tensors that are neither and no norm. */
  readonly otherTensors: readonly string[];
  /** Whether each begins where the one before ends, padded. */
  readonly isContiguous: boolean;
  /** Those with a known type, size and place, in the order of the header. */
  places(): Generator<TensorPlace>;
  /** Of the entry in the file. */
  entryOffset(index: number): number;
}

export interface TensorCollector {
  begin(count: number, alignment: number): void;
  add(info: GgufTensorInfo): void;
  readonly table: TensorTable;
}

/** `ggml.h`, GGML_MAX_NAME, less the byte that ends it; the specification says 64. */
const longestName = 63;
const mostBlocks = 65_536;
const mostAdapterTensors = 16_384;
const noType = 255;
const maxInt64 = 1n << 63n;
const maxSize = (1n << 64n) - 1n;

const embeddings = /^(?:token_embd|output|per_layer_token_embd)\./;

/** Tensors whose shape says what a key says too. */
const wellKnown = new Set(['token_embd.weight', 'output.weight', 'output_norm.weight', 'token_types.weight']);

/** Takes the tensor infos of one header, whose first byte is at `start`. */
export function tensorCollector(problems: Problems, start: number): TensorCollector {
  const totals = new Map<Dtype, DtypeTotal>();
  const blocks = new Set<number>();
  const shapes = new Map<string, readonly bigint[]>();
  const adapterTensors = new Map<string, AdapterTensor>();
  const otherTensors: string[] = [];
  let names: NameSet = nameSet(0);
  /** Where tensors are not one after the other: until then their lengths say where they begin. */
  let offsets: Float64Array | undefined;
  let lengths = new Float64Array(0);
  let typeIds = new Uint8Array(0);
  let entries = new Uint32Array(0);
  let alignment = 1n;
  let expected = 0n;
  let claimed = 0;
  let seen = 0;
  let isContiguous = true;

  const padded = (length: number): number => Math.ceil(length / Number(alignment)) * Number(alignment);

  /** The offsets of the first so many tensors, which are one after the other. */
  const beginnings = (count: number): Float64Array => {
    const found = new Float64Array(claimed);
    let next = 0;
    for (let index = 0; index < count; index += 1) {
      found[index] = next;
      next = padded(next + (lengths[index] ?? 0));
    }
    return found;
  };

  const addTotal = (dtype: Dtype, added: Omit<DtypeTotal, 'tensors'>): void => {
    const { bytes, elements, matrixElements, tensors } = totals.get(dtype) ?? noTotal;
    totals.set(dtype, {
      tensors: tensors + 1,
      elements: elements + added.elements,
      bytes: bytes + added.bytes,
      matrixElements: matrixElements + added.matrixElements,
    });
  };

  const checkPlace = (info: GgufTensorInfo, length: bigint | undefined): void => {
    const { dataOffset, offset } = info;
    if (dataOffset % alignment !== 0n && !problems.isFull('misaligned')) {
      report(info, 'misaligned', `its offset ${dataOffset} is no multiple of ${alignment}`);
    }
    if (dataOffset !== expected) {
      isContiguous = false;
      if (!problems.isFull('not-contiguous')) {
        report(info, 'not-contiguous', `its offset is ${dataOffset}, the tensors before it end at ${expected}`);
      }
    }
    expected = dataOffset + (((length ?? 0n) + alignment - 1n) / alignment) * alignment;
    if (expected > maxSize) {
      problems.report('total-overflow', `the tensors end at byte ${expected}, which is no 64-bit number`, { offset });
    }
  };

  const report = (info: GgufTensorInfo, code: Parameters<Problems['report']>[0], message: string): void => {
    problems.report(code, `tensor ${quoted(info.name)}: ${message}`, { offset: info.offset });
  };

  /** Bytes of the tensor, or undefined where they cannot be told. */
  const lengthOf = (info: GgufTensorInfo): bigint | undefined => {
    const { dimensions, typeId } = info;
    const negative = dimensions.find((dimension) => dimension >= maxInt64);
    if (negative !== undefined) {
      report(info, 'negative-dimension', `a dimension is ${BigInt.asIntN(64, negative)}`);
      return undefined;
    }
    if (dimensions.includes(0n) && !problems.isFull('zero-dimension'))
      report(info, 'zero-dimension', 'it has no elements');
    const elements = elementsOf(info);
    if (elements >= maxInt64 - 1n) {
      report(info, 'too-large', `its ${elements} elements are no 63-bit number`);
      return undefined;
    }
    const dtype = ggmlDtype(typeId);
    if (dtype === undefined) {
      const name = removedGgmlType(typeId);
      if (name === undefined) report(info, 'bad-type', `its type ${typeId} does not exist`);
      else report(info, 'removed-type', `its type ${name} (${typeId}) was removed from ggml`);
      return undefined;
    }
    const block = blockOf(dtype);
    const row = dimensions[0] ?? 1n;
    if (row % BigInt(block.elements) !== 0n) {
      report(info, 'split-block', `its rows of ${row} elements are no whole blocks of ${block.elements} (${dtype})`);
      return undefined;
    }
    const length = (elements / BigInt(block.elements)) * BigInt(block.bytes);
    if (length > maxSize) {
      report(info, 'size-overflow', `its ${length} bytes are no 64-bit number`);
      return undefined;
    }
    return length;
  };

  const checkName = (info: GgufTensorInfo): void => {
    const { name } = info;
    const isLong = name.length * 3 > longestName && Buffer.byteLength(name) > longestName;
    if (isLong && !problems.isFull('name-too-long')) {
      report(info, 'name-too-long', `its name has ${Buffer.byteLength(name)} bytes, of at most ${longestName}`);
    }
    if (name === '') report(info, 'empty-name', 'its name is empty');
    if (name.includes('\0')) report(info, 'nul-in-name', 'its name has a NUL, where readers in C end it');
    if (!names.addText(name) && !problems.isFull('duplicate-tensor')) {
      report(info, 'duplicate-tensor', 'another tensor has the same name');
    }
  };

  const noteShape = ({ dimensions, name }: GgufTensorInfo): void => {
    if (name.startsWith('blk.')) {
      const block = Number.parseInt(name.slice(4, 10), 10);
      if (block >= 0 && block < mostBlocks) blocks.add(block);
    }
    if (wellKnown.has(name) && !shapes.has(name)) shapes.set(name, dimensions);
    const isA = name.endsWith('.lora_a');
    if (isA || name.endsWith('.lora_b')) {
      const base = name.slice(0, -'.lora_a'.length);
      const pair = adapterTensors.get(base);
      if (pair === undefined && adapterTensors.size === mostAdapterTensors) return;
      adapterTensors.set(
        base,
        isA ? { ...pair, a: Number(dimensions[1] ?? 1n) } : { ...pair, b: Number(dimensions[0] ?? 1n) },
      );
    } else if (otherTensors.length < 3 && !name.endsWith('_norm.weight')) {
      otherTensors.push(name);
    }
  };

  return {
    begin(count, bytes) {
      claimed = count;
      alignment = BigInt(bytes);
      names = nameSet(count);
      lengths = new Float64Array(count);
      typeIds = new Uint8Array(count).fill(noType);
      entries = new Uint32Array(count);
    },
    add(info) {
      const index = seen;
      seen += 1;
      checkName(info);
      noteShape(info);
      if (seen === claimed) names = nameSet(0);
      const length = lengthOf(info);
      checkPlace(info, length);
      entries[index] = info.offset - start;
      if (offsets === undefined && !isContiguous) offsets = beginnings(index);
      if (offsets !== undefined) offsets[index] = Number(info.dataOffset);
      lengths[index] = Number(length ?? 0n);
      const dtype = ggmlDtype(info.typeId);
      if (length === undefined || dtype === undefined) return;
      typeIds[index] = info.typeId;
      const elements = Number(elementsOf(info));
      const isMatrix = info.dimensions.length > 1 && !embeddings.test(info.name);
      addTotal(dtype, { elements, bytes: Number(length), matrixElements: isMatrix ? elements : 0 });
    },
    table: {
      get count() {
        return claimed;
      },
      get seen() {
        return seen;
      },
      get isContiguous() {
        return isContiguous;
      },
      totals,
      blocks,
      shapes,
      adapterTensors,
      otherTensors,
      *places() {
        let next = 0;
        for (let index = 0; index < seen; index += 1) {
          const dtype = ggmlDtype(typeIds[index] ?? noType);
          const length = lengths[index] ?? 0;
          const offset = offsets?.[index] ?? next;
          next = padded(offset + length);
          if (dtype !== undefined) yield { index, dtype, offset, length };
        }
      },
      entryOffset: (index) => start + (entries[index] ?? 0),
    },
  };
}

const noTotal: DtypeTotal = { tensors: 0, elements: 0, bytes: 0, matrixElements: 0 };

/** In 64-bit arithmetic a product of dimensions can wrap to something small; here it cannot. */
function elementsOf({ dimensions }: GgufTensorInfo): bigint {
  return dimensions.reduce((product, dimension) => product * dimension, 1n);
}
