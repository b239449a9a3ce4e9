/**
 * The tensors of two versions side by side, in columns: a header of many tensors is mostly names, and of these only those
 * of the older version are held, and of the newer one those that are new.
 */

import { blockOf } from '@mbk/plugin-sdk';
import { ggmlDtype } from './ggml-types.ts';
import type { GgufTensorInfo } from './header.ts';

/** Form and place of each tensor of a version, by the number that it was added with. */
export interface TensorColumns {
  add(info: GgufTensorInfo): number;
  /** `F16 [4096, 32000]`, slowest dimension first. */
  form(index: number): string;
  type(index: number): string;
  /** From the start of the file; undefined where it lies outside, or its length is unknown. */
  span(index: number): readonly [offset: number, length: number] | undefined;
  readonly size: number;
}

interface Form {
  readonly text: string;
  readonly type: string;
  /** Bytes; undefined for a type that does not exist. */
  readonly length: bigint | undefined;
}

/** `dataStart` is where the tensor data begins. */
export function tensorColumns(count: number, dataStart: number, fileSize: number): TensorColumns {
  const forms: Form[] = [];
  const byText = new Map<string, number>();
  const formOf = new Uint32Array(count);
  const offsets = new Float64Array(count);
  let size = 0;

  const known = ({ dimensions, typeId }: GgufTensorInfo): number => {
    const dtype = ggmlDtype(typeId);
    const type = dtype ?? `type ${typeId}`;
    const text = `${type} [${dimensions.toReversed().join(', ')}]`;
    const number = byText.get(text);
    if (number !== undefined) return number;
    byText.set(text, forms.length);
    return forms.push({ text, type, length: dtype === undefined ? undefined : lengthOf(dimensions, dtype) }) - 1;
  };

  return {
    add(info) {
      if (size === count) throw new RangeError(`expected at most ${count} tensors`);
      const number = known(info);
      const length = forms[number]?.length;
      const offset = BigInt(dataStart) + info.dataOffset;
      const isInside = length !== undefined && offset + length <= BigInt(fileSize);
      formOf[size] = number;
      offsets[size] = isInside ? Number(offset) : -1;
      size += 1;
      return size - 1;
    },
    form: (index) => forms[formOf[index] ?? -1]?.text ?? '',
    type: (index) => forms[formOf[index] ?? -1]?.type ?? '',
    span(index) {
      const offset = offsets[index] ?? -1;
      return offset < 0 ? undefined : [offset, Number(forms[formOf[index] ?? -1]?.length ?? 0n)];
    },
    get size() {
      return size;
    },
  };
}

function lengthOf(dimensions: readonly bigint[], dtype: NonNullable<ReturnType<typeof ggmlDtype>>): bigint {
  const block = blockOf(dtype);
  const elements = dimensions.reduce((product, dimension) => product * dimension, 1n);
  return (elements / BigInt(block.elements)) * BigInt(block.bytes);
}
