/**
 * How far two versions of a tensor are from each other, from their bytes, a part of both at a time.
 *
 * An element counts as changed when its bits are others: −0 in place of 0 is a change of 0. Differences are those of the
 * numbers, in double precision.
 */
import type { TensorSpan } from '../format/layout-record.ts';

export interface TensorChange {
  /** What is counted: elements, or, of types that have no numbers of their own (quantised ones, say), their blocks. */
  readonly of: 'elements' | 'blocks';
  readonly count: number;
  readonly changed: number;
  /** Largest difference, and the mean over all elements; null for blocks, and where no difference is a number. */
  readonly maxAbs: number | null;
  readonly meanAbs: number | null;
  /** Changed elements that have no difference: one side is infinite, or no number. */
  readonly notFinite: number;
}

export interface ChangeTally {
  /** Bytes that are the same on both sides. */
  addSame(bytes: number): void;
  /** As many bytes of both, whole units unless they are the last; they are the tally's from then on. */
  add(before: Uint8Array, after: Uint8Array): void;
  result(): TensorChange;
}

/** Of a tensor of this form. */
export function changeTally({ byteOrder, dtype, unit }: Pick<TensorSpan, 'byteOrder' | 'dtype' | 'unit'>): ChangeTally {
  const found = Object.hasOwn(numberTypes, dtype) ? numberTypes[dtype as keyof typeof numberTypes] : undefined;
  const type = found?.bytes === unit ? found : undefined;
  const sums: Sums = { changed: 0, max: 0, sum: 0, differences: 0, notFinite: 0 };
  let count = 0;
  return {
    addSame(bytes) {
      count += Math.ceil(bytes / unit);
    },
    add(before, after) {
      count += Math.ceil(before.length / unit);
      const whole = before.length - (before.length % unit);
      if (before.length > whole && !isSame(before, after, whole, before.length)) sums.changed += 1;
      if (type === undefined) countBlocks(before.subarray(0, whole), after.subarray(0, whole), unit, sums);
      else {
        const sides = [before, after].map((bytes) => inOrder(bytes.subarray(0, whole), unit, byteOrder));
        const [old, now] = sides;
        if (old !== undefined && now !== undefined) type.compare(old, now, sums);
      }
    },
    result() {
      const { changed, differences, max, notFinite, sum } = sums;
      const mean = count === 0 ? 0 : sum / count;
      const isKnown = type !== undefined && differences > 0;
      return {
        of: type === undefined ? 'blocks' : 'elements',
        count,
        changed,
        maxAbs: isKnown && Number.isFinite(max) ? max : null,
        meanAbs: isKnown && Number.isFinite(mean) ? mean : null,
        notFinite,
      };
    },
  };
}

interface Sums {
  changed: number;
  max: number;
  sum: number;
  /** Changed elements whose difference is a number. */
  differences: number;
  notFinite: number;
}

interface NumberType {
  readonly bytes: number;
  /** Arrays of whole elements, aligned to them, as many of both. */
  compare(before: Uint8Array, after: Uint8Array, sums: Sums): void;
}

/** Numbers whose value is that of a typed array. */
type Numbers =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array;
type NumbersOf = new (buffer: ArrayBufferLike, offset: number, length: number) => Numbers;

const numberTypes = {
  BOOL: plain(Uint8Array),
  U8: plain(Uint8Array),
  I8: plain(Int8Array),
  U16: plain(Uint16Array),
  I16: plain(Int16Array),
  U32: plain(Uint32Array),
  I32: plain(Int32Array),
  U64: wide((high) => high),
  I64: wide((high) => high | 0),
  F32: plain(Float32Array),
  F64: plain(Float64Array),
  F16: coded(2, half),
  BF16: coded(2, (bits) => float32Of(bits << 16)),
  F8_E5M2: coded(1, (bits) => half(bits << 8)),
  F8_E4M3: coded(1, e4m3),
} satisfies Record<string, NumberType>;

function plain(Type: NumbersOf & { readonly BYTES_PER_ELEMENT: number }): NumberType {
  const bytes = Type.BYTES_PER_ELEMENT;
  const words = bytes / 4;
  return {
    bytes,
    compare(before, after, sums) {
      const count = before.length / bytes;
      const a = new Type(before.buffer, before.byteOffset, count);
      const b = new Type(after.buffer, after.byteOffset, count);
      if (words < 1) {
        for (let i = 0; i < count; i += 1) if (a[i] !== b[i]) note(sums, a[i] ?? 0, b[i] ?? 0);
        return;
      }
      // The bits decide: of floats, 0 is −0 and no NaN is itself.
      const bitsOfA = new Uint32Array(before.buffer, before.byteOffset, count * words);
      const bitsOfB = new Uint32Array(after.buffer, after.byteOffset, count * words);
      for (let i = 0; i < count; i += 1) {
        const at = i * words;
        if (bitsOfA[at] !== bitsOfB[at] || (words === 2 && bitsOfA[at + 1] !== bitsOfB[at + 1]))
          note(sums, a[i] ?? 0, b[i] ?? 0);
      }
    },
  };
}

/** Integers of 64 bits, by what their upper halves are worth: their difference is as exact as a double. */
function wide(worth: (high: number) => number): NumberType {
  return {
    bytes: 8,
    compare(before, after, sums) {
      const a = new Uint32Array(before.buffer, before.byteOffset, before.length / 4);
      const b = new Uint32Array(after.buffer, after.byteOffset, after.length / 4);
      for (let i = 0; i < a.length; i += 2) {
        const [lowA = 0, highA = 0, lowB = 0, highB = 0] = [a[i], a[i + 1], b[i], b[i + 1]];
        if (lowA === lowB && highA === highB) continue;
        // The halves one by one: what two large numbers have in common is not rounded away.
        note(sums, (worth(highA) - worth(highB)) * 2 ** 32 + (lowA - lowB), 0);
      }
    },
  };
}

/** Numbers of so few bits that all values are held in a table, which is made when it is first needed. */
function coded(bytes: 1 | 2, valueOf: (bits: number) => number): NumberType {
  let values: Float32Array | undefined;
  const symbols = ({ buffer, byteOffset, length }: Uint8Array): Uint8Array | Uint16Array =>
    bytes === 1 ? new Uint8Array(buffer, byteOffset, length) : new Uint16Array(buffer, byteOffset, length / 2);
  return {
    bytes,
    compare(before, after, sums) {
      const table = (values ??= Float32Array.from({ length: 256 ** bytes }, (_, bits) => valueOf(bits)));
      const [a, b] = [symbols(before), symbols(after)];
      for (let i = 0; i < a.length; i += 1) {
        const [x = 0, y = 0] = [a[i], b[i]];
        if (x !== y) note(sums, table[x] ?? 0, table[y] ?? 0);
      }
    },
  };
}

function note(sums: Sums, before: number, after: number): void {
  sums.changed += 1;
  const difference = Math.abs(after - before);
  if (!(difference < Infinity)) {
    sums.notFinite += 1;
    return;
  }
  sums.differences += 1;
  sums.sum += difference;
  if (difference > sums.max) sums.max = difference;
}

function countBlocks(before: Uint8Array, after: Uint8Array, unit: number, sums: Sums): void {
  for (let at = 0; at < before.length; at += unit) if (!isSame(before, after, at, at + unit)) sums.changed += 1;
}

function isSame(before: Uint8Array, after: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at += 1) if (before[at] !== after[at]) return false;
  return true;
}

/** The bytes in the order of this machine, little-endian, turned round in place. */
function inOrder(bytes: Uint8Array, unit: number, byteOrder: TensorSpan['byteOrder']): Uint8Array {
  if (byteOrder !== 'big') return bytes;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (unit === 2) buffer.swap16();
  else if (unit === 4) buffer.swap32();
  else if (unit === 8) buffer.swap64();
  return bytes;
}

const scratch = new DataView(new ArrayBuffer(4));

function float32Of(bits: number): number {
  scratch.setInt32(0, bits);
  return scratch.getFloat32(0);
}

function half(bits: number): number {
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15));
}

/** As in OCP's 8-bit formats: no infinities, one NaN of each sign. */
function e4m3(bits: number): number {
  const sign = (bits & 0x80) === 0 ? 1 : -1;
  const exponent = (bits >> 3) & 15;
  const fraction = (bits & 7) / 8;
  if ((bits & 0x7f) === 0x7f) return NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -6 : (1 + fraction) * 2 ** (exponent - 7));
}
