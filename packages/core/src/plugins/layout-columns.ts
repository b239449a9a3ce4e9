/**
 * A layout in columns, as it passes from the plugin thread to the main one: of tens of thousands of tensors, objects take
 * several times as much while they are copied. What is unpacked shares the text of its names, its dtypes and its shapes.
 */
import type { CheckedLayout, CheckedTensor } from '@mbk/plugin-sdk';

export interface LayoutColumns {
  readonly container: string;
  /** One behind the other, and where each ends. */
  readonly names: string;
  readonly nameEnds: Float64Array;
  /** Those that occur, and which one each tensor has. */
  readonly dtypes: readonly string[];
  readonly dtypeOf: Uint32Array;
  readonly shapes: readonly (readonly number[])[];
  readonly shapeOf: Uint32Array;
  readonly offsets: Float64Array;
  readonly lengths: Float64Array;
  readonly units: Uint32Array;
  /** 1 for big-endian. */
  readonly isBig: Uint8Array;
}

export function packLayout({ container, tensors }: CheckedLayout): LayoutColumns {
  const count = tensors.length;
  const nameEnds = new Float64Array(count);
  const dtypes = new Map<string, number>();
  const dtypeOf = new Uint32Array(count);
  const shapes = new Map<string, number>();
  const shapeLists: (readonly number[])[] = [];
  const shapeOf = new Uint32Array(count);
  const offsets = new Float64Array(count);
  const lengths = new Float64Array(count);
  const units = new Uint32Array(count);
  const isBig = new Uint8Array(count);
  let end = 0;
  for (const [index, { byteOrder, dtype, length, name, offset, shape, unit }] of tensors.entries()) {
    end += name.length;
    nameEnds[index] = end;
    dtypeOf[index] = dtypes.get(dtype) ?? dtypes.size;
    if (!dtypes.has(dtype)) dtypes.set(dtype, dtypes.size);
    const text = shape.join();
    const known = shapes.get(text) ?? shapes.size;
    if (known === shapes.size) {
      shapes.set(text, known);
      shapeLists.push(shape);
    }
    shapeOf[index] = known;
    offsets[index] = offset;
    lengths[index] = length;
    units[index] = unit;
    isBig[index] = byteOrder === 'big' ? 1 : 0;
  }
  const names = tensors.map(({ name }) => name).join('');
  const columns = { names, nameEnds, dtypeOf, shapeOf, offsets, lengths, units, isBig };
  return { container, dtypes: [...dtypes.keys()], shapes: shapeLists, ...columns };
}

/** The same layout, but for blocks of dtypes outside the canonical table: their bytes are the unit. */
export function unpackLayout(columns: LayoutColumns): CheckedLayout {
  const { container, dtypeOf, dtypes, isBig, lengths, nameEnds, names, offsets, shapeOf, shapes, units } = columns;
  const tensors: CheckedTensor[] = [];
  let start = 0;
  for (const [index, end] of nameEnds.entries()) {
    const tensor = {
      name: names.slice(start, end),
      dtype: dtypes[dtypeOf[index] ?? 0] ?? '',
      shape: shapes[shapeOf[index] ?? 0] ?? [],
      offset: offsets[index] ?? 0,
      length: lengths[index] ?? 0,
      unit: units[index] ?? 1,
    };
    tensors.push(isBig[index] === 1 ? { ...tensor, byteOrder: 'big' } : tensor);
    start = end;
  }
  return { container, tensors };
}
