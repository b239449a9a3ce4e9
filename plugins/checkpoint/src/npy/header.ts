/**
 * The head of a .npy file (numpy/lib/format.py): magic, version, length, and a literal of a Python dict, which is read
 * as text and never evaluated.
 *
 * | offset, size: meaning |
 * |---|
 * | 0,6 `\x93NUMPY` · 6,2 version · 8,2 length (version 1) or 8,4 (2 and 3) · the dict, spaces, a newline |
 */

import { blockOf, type Dtype, LayoutError, type LayoutTensor, type Reader } from '@mbk/plugin-sdk';

export interface NpyHeader {
  /** As NumPy writes it: `<f4`; `structured` for a list of fields. */
  readonly descr: string;
  /** Undefined for elements that the canonical table does not have. */
  readonly dtype: Dtype | undefined;
  /** Bytes of one element; undefined for objects and fields. */
  readonly itemBytes: number | undefined;
  /** Elements are pickled. */
  readonly hasObjects: boolean;
  readonly isBigEndian: boolean;
  readonly isFortranOrder: boolean;
  readonly shape: readonly number[];
  /** Of the first element, from the start of the array's file. */
  readonly dataOffset: number;
}

/** NumPy itself refuses more than 10,000 unless told otherwise; structured arrays of many fields need more. */
const longestHeader = 1 << 20;

const dtypes: Readonly<Record<string, Dtype>> = {
  b1: 'BOOL',
  i1: 'I8',
  i2: 'I16',
  i4: 'I32',
  i8: 'I64',
  u1: 'U8',
  u2: 'U16',
  u4: 'U32',
  u8: 'U64',
  f2: 'F16',
  f4: 'F32',
  f8: 'F64',
  c8: 'C64',
  c16: 'C128',
};

/** LayoutError `npy/…` for one that numpy.load would refuse. */
export async function readNpyHeader(reader: Reader, signal: AbortSignal): Promise<NpyHeader> {
  const head = Buffer.from(await reader.read(0, Math.min(12, reader.size), { signal }));
  if (head.toString('latin1', 0, 6) !== '\x93NUMPY')
    throw new LayoutError('npy/bad-magic', 'it does not begin as .npy', 0);
  if (head.length < 12) throw new LayoutError('npy/truncated', 'the file ends within its header', head.length);
  const major = head[6] ?? 0;
  if (major < 1 || major > 3 || head[7] !== 0) {
    throw new LayoutError('npy/bad-version', `version ${major}.${head[7]} does not exist`, 6);
  }
  const start = major === 1 ? 10 : 12;
  const length = major === 1 ? head.readUInt16LE(8) : head.readUInt32LE(8);
  if (start + length > reader.size) throw new LayoutError('npy/truncated', 'the file ends within its header', 8);
  if (length > longestHeader) throw bad(`a header of ${length} bytes`, 8);
  const bytes = await reader.read(start, length, { signal });
  const text = new TextDecoder(major === 3 ? 'utf-8' : 'latin1').decode(bytes);
  return { ...parseDict(text.trim(), start), dataOffset: start + length };
}

/** `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }` with exactly these keys. */
function parseDict(text: string, at: number): Omit<NpyHeader, 'dataOffset'> {
  const entry =
    /^['"](descr|fortran_order|shape)['"]\s*:\s*('[^']*'|"[^"]*"|\[[^\]]*(?:\][^\]]*)*?\](?=\s*,\s*['"](?:fortran_order|shape)|\s*,?\s*$)|True|False|\([\dL,\s]*\))\s*(?:,\s*|$)/;
  if (!text.startsWith('{') || !text.endsWith('}')) throw bad('the header is no dict', at);
  let rest = text.slice(1, -1).trim();
  const values = new Map<string, string>();
  while (rest !== '') {
    const found = entry.exec(rest);
    const [all, key, value] = found ?? [];
    if (all === undefined || key === undefined || value === undefined || values.has(key)) {
      throw bad('the header is not the dict that NumPy writes', at);
    }
    values.set(key, value);
    rest = rest.slice(all.length);
  }
  const descr = values.get('descr');
  const order = values.get('fortran_order');
  const dimensions = values.get('shape');
  if (descr === undefined || !(order === 'True' || order === 'False') || dimensions?.startsWith('(') !== true) {
    throw bad('the header lacks descr, fortran_order or shape', at);
  }
  const shape = [...dimensions.matchAll(/\d+/g)].map(([digits]) => Number(digits));
  if (!shape.every(Number.isSafeInteger) || shape.length > 64) throw bad('the shape is none', at);
  return { ...parseDescr(descr, at), isFortranOrder: order === 'True', shape };
}

function parseDescr(
  value: string,
  at: number,
): Pick<NpyHeader, 'descr' | 'dtype' | 'itemBytes' | 'hasObjects' | 'isBigEndian'> {
  if (value.startsWith('[')) {
    const hasObjects = /['"][<>|=]?O8?['"]/.test(value);
    return { descr: 'structured', dtype: undefined, itemBytes: undefined, hasObjects, isBigEndian: false };
  }
  const [, order, kind, digits = ''] =
    /^['"]([<>|=]?)([?bBhHiIlLqQefdgFDGSUVOmMcuat])(\d*)(?:\[[^\]]*\])?['"]$/.exec(value) ?? [];
  if (order === undefined || kind === undefined)
    throw bad(`the dtype ${JSON.stringify(value.slice(0, 80))} is none`, at);
  const descr = value.slice(1, -1);
  if (kind === 'O') return { descr, dtype: undefined, itemBytes: undefined, hasObjects: true, isBigEndian: false };
  const size = Number(digits);
  const itemBytes = digits === '' ? undefined : kind === 'U' ? size * 4 : size;
  const name = `${kind}${digits}`;
  const dtype = Object.hasOwn(dtypes, name) ? dtypes[name] : undefined;
  return { descr, dtype, itemBytes, hasObjects: false, isBigEndian: order === '>' && size > 1 };
}

/** Bytes that the elements take; undefined where that cannot be told. */
export function npyDataBytes({ dtype, itemBytes, shape }: NpyHeader): bigint | undefined {
  const each = dtype === undefined ? itemBytes : blockOf(dtype).bytes;
  if (each === undefined) return undefined;
  return shape.reduce((product, dimension) => product * BigInt(dimension), BigInt(each));
}

/** The array as a tensor, when its file begins at `start` and has `size` bytes; undefined for one without fixed elements. */
export function npyTensor(header: NpyHeader, name: string, start: number, size: number): LayoutTensor | undefined {
  const bytes = npyDataBytes(header);
  const { dataOffset, dtype, isBigEndian, isFortranOrder, shape } = header;
  if (bytes === undefined || header.hasObjects || bytes > BigInt(size - dataOffset)) return undefined;
  const length = Number(bytes);
  const place = { name, offset: start + dataOffset, length };
  if (dtype === undefined) return { ...place, dtype: 'U8', shape: [length] };
  return {
    ...place,
    dtype,
    // Column by column is row by row of the transposed array.
    shape: isFortranOrder ? shape.toReversed() : shape,
    ...(isBigEndian ? { byteOrder: 'big' } : {}),
  };
}

function bad(message: string, offset: number): LayoutError {
  return new LayoutError('npy/bad-header', message, offset);
}
