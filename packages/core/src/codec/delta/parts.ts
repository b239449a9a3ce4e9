/**
 * What the elements or blocks of a tensor are made of, for their differences from those of a base (docs/format.md, The
 * delta codec). Each choice is exact for all bytes, so one that does not fit costs compression only.
 */
import { planTermBytes } from '@mbk/kernels';
import { blockOf } from '@mbk/plugin-sdk';
import type { Element } from '../../chunker/piece.ts';
import { blockFields } from '../tensor/transform.ts';

/** A part of each unit. Its items are those of the first unit, then those of the second, and so on. */
export type Part =
  /** Numbers of 2, 4 or 8 bytes. */
  | {
      readonly kind: 'numbers';
      readonly offset: number;
      /** Of the items of one unit. */
      readonly items: number;
      readonly size: 2 | 4 | 8;
      readonly isFloat: boolean;
      /** Bits below the exponent. */
      readonly exponent: number;
    }
  /** Bytes as they are: whole numbers, or floats of 8 bits. */
  | { readonly kind: 'bytes'; readonly offset: number; readonly items: number; readonly isFloat: boolean }
  /** Numbers of fewer bits, gathered by a plan of mergeBits. */
  | {
      readonly kind: 'bits';
      readonly plan: Uint8Array;
      readonly terms: number;
      readonly items: number;
      readonly bits: number;
    };

export interface Parts {
  /** Its number in the parameters of a frame. */
  readonly number: number;
  /** Bytes of a unit. */
  readonly unit: number;
  readonly parts: readonly Part[];
}

/** Numbers of what units are made of. */
export const partsNumbers = {
  fields: 0,
  F16: 1,
  BF16: 2,
  F32: 3,
  F64: 4,
  F8: 5,
  I16: 6,
  I32: 7,
  I64: 8,
  Q4_0: 9,
  Q4_1: 10,
  Q5_0: 11,
  Q5_1: 12,
  Q8_0: 13,
  Q8_1: 14,
  Q2_K: 15,
  Q3_K: 16,
  Q4_K: 17,
  Q5_K: 18,
  Q6_K: 19,
  Q8_K: 20,
  MXFP4: 21,
  NVFP4: 22,
  IQ4_XS: 23,
} as const;
type PartsName = Exclude<keyof typeof partsNumbers, 'fields'>;

/** Fields at most; a unit has at most 65,535 bytes. */
export const mostFields = 16;
const mostUnitBytes = 65_535;

/** Types that have the parts of another. */
const sameParts: Readonly<Record<string, PartsName>> = {
  C64: 'F32',
  C128: 'F64',
  F8_E4M3: 'F8',
  F8_E5M2: 'F8',
  F8_E4M3FNUZ: 'F8',
  F8_E5M2FNUZ: 'F8',
  U16: 'I16',
  U32: 'I32',
  U64: 'I64',
  IQ4_NL: 'Q4_0',
};

/** What units of these elements are made of; undefined when a unit has no bytes or too many. */
export function partsOf({ dtype, unit }: Element): Parts | undefined {
  if (!Number.isInteger(unit) || unit < 1 || unit > mostUnitBytes) return undefined;
  if (blockOf(dtype)?.bytes === unit) {
    const name = Object.hasOwn(sameParts, dtype) ? sameParts[dtype] : dtype;
    if (name !== undefined && isPartsName(name)) return namedParts(name);
    const widths = Object.hasOwn(blockFields, dtype) ? blockFields[dtype] : undefined;
    if (widths !== undefined) return fieldParts(widths);
  }
  return fieldParts(unit <= mostFields ? Array.from({ length: unit }, () => 1) : [unit]);
}

function isPartsName(name: string): name is PartsName {
  return name !== 'fields' && Object.hasOwn(partsNumbers, name);
}

/** The parts with a number; undefined for `fields`, which need widths, and for numbers nobody gave. */
export function numberedParts(number: number): Parts | undefined {
  const found = Object.entries(partsNumbers).find(([, own]) => own === number)?.[0];
  return found !== undefined && isPartsName(found) ? namedParts(found) : undefined;
}

/** Bytes in fields of these widths; undefined when they are too many, too wide or none. */
export function fieldParts(widths: readonly number[]): Parts | undefined {
  const unit = widths.reduce((sum, width) => sum + width, 0);
  if (widths.length === 0 || widths.length > mostFields || unit > mostUnitBytes || widths.includes(0)) return undefined;
  let offset = 0;
  const parts = widths.map((width): Part => {
    offset += width;
    return bytes(offset - width, width);
  });
  return { number: partsNumbers.fields, unit, parts };
}

function namedParts(name: PartsName): Parts {
  const [unit, ...parts] = known[name];
  return { number: partsNumbers[name], unit, parts };
}

function float(size: 2 | 4 | 8, exponent: number): Part {
  return { kind: 'numbers', offset: 0, items: 1, size, isFloat: true, exponent };
}

function integers(size: 2 | 4 | 8, offset = 0, items = 1): Part {
  return { kind: 'numbers', offset, items, size, isFloat: false, exponent: 0 };
}

/** A scale of a block. */
function half(offset: number): Part {
  return { kind: 'numbers', offset, items: 1, size: 2, isFloat: true, exponent: 10 };
}

function bytes(offset: number, items: number): Part {
  return { kind: 'bytes', offset, items, isFloat: false };
}

type Term = readonly [offset: number, right: number, mask: number, left: number];

/** Numbers of `bits` bits; each row is 16 bytes, what its terms give together (StreamKernels.mergeBits). */
function numbersOf(bits: number, rows: ReadonlyArray<readonly Term[]>): Part {
  const plan = Uint8Array.from(rows.flat(2));
  return { kind: 'bits', plan, terms: rows[0]?.length ?? 0, items: 16 * rows.length, bits };
}

/** Each row for 32 bytes: for the first 16 of them, then for the others. */
function wide(rows: ReadonlyArray<readonly Term[]>): Term[][] {
  return rows.flatMap((terms) => [0, 16].map((by) => terms.map(([offset, ...rest]): Term => [offset + by, ...rest])));
}

/** The low halves of 16 bytes, then their high halves. */
function halves(offset: number): Term[][] {
  return [[[offset, 0, 15, 0]], [[offset, 4, 15, 0]]];
}

const both = [0, 1];
const four = [0, 1, 2, 3];

/** Bytes of a unit, and its parts. */
const known: Readonly<Record<PartsName, readonly [unit: number, ...parts: Part[]]>> = {
  F16: [2, float(2, 10)],
  BF16: [2, float(2, 7)],
  F32: [4, float(4, 23)],
  F64: [8, float(8, 52)],
  F8: [1, { kind: 'bytes', offset: 0, items: 1, isFloat: true }],
  I16: [2, integers(2)],
  I32: [4, integers(4)],
  I64: [8, integers(8)],
  Q4_0: [18, half(0), numbersOf(4, halves(2))],
  Q4_1: [20, half(0), half(2), numbersOf(4, halves(4))],
  Q5_0: [22, half(0), bytes(2, 4), numbersOf(4, halves(6))],
  Q5_1: [24, half(0), half(2), bytes(4, 4), numbersOf(4, halves(8))],
  Q8_0: [34, half(0), bytes(2, 32)],
  Q8_1: [36, half(0), half(2), bytes(4, 32)],
  Q2_K: [
    84,
    numbersOf(4, halves(0)),
    numbersOf(2, wide(both.flatMap((h) => four.map((j): Term[] => [[16 + 32 * h, 2 * j, 3, 0]])))),
    half(80),
    half(82),
  ],
  Q3_K: [
    110,
    numbersOf(
      3,
      wide(
        both.flatMap((h) =>
          four.map((j): Term[] => [
            [32 + 32 * h, 2 * j, 3, 0],
            [0, 4 * h + j, 1, 2],
          ]),
        ),
      ),
    ),
    bytes(96, 12),
    half(108),
  ],
  Q4_K: [
    144,
    half(0),
    half(2),
    bytes(4, 8),
    bytes(12, 4),
    numbersOf(4, wide(four.flatMap((j) => both.map((n): Term[] => [[16 + 32 * j, 4 * n, 15, 0]])))),
  ],
  Q5_K: [
    176,
    half(0),
    half(2),
    bytes(4, 8),
    bytes(12, 4),
    numbersOf(
      5,
      wide(
        four.flatMap((j) =>
          both.map((n): Term[] => [
            [48 + 32 * j, 4 * n, 15, 0],
            [16, 2 * j + n, 1, 4],
          ]),
        ),
      ),
    ),
  ],
  Q6_K: [
    210,
    numbersOf(
      6,
      wide(
        both.flatMap((h) =>
          four.map((j): Term[] => [
            [64 * h + 32 * (j & 1), 4 * (j >> 1), 15, 0],
            [128 + 32 * h, 2 * j, 3, 4],
          ]),
        ),
      ),
    ),
    bytes(192, 16),
    half(208),
  ],
  Q8_K: [
    292,
    { kind: 'numbers', offset: 0, items: 1, size: 4, isFloat: true, exponent: 23 },
    bytes(4, 256),
    integers(2, 260, 16),
  ],
  MXFP4: [17, bytes(0, 1), numbersOf(4, halves(1))],
  NVFP4: [36, bytes(0, 4), numbersOf(4, [...halves(4), ...halves(20)])],
  IQ4_XS: [136, half(0), bytes(2, 6), numbersOf(4, Array.from({ length: 8 }, (_, i) => halves(8 + 16 * i)).flat())],
};

/** How many symbols a symbol of a part is one of: those of a token of its size, or the numbers of its bits. */
export function symbolsOf(part: Part): number {
  return part.kind === 'numbers' ? 4 * (8 * part.size - 1) : 1 << bitsOf(part);
}

/** Bits of an item that is a symbol. */
export function bitsOf(part: Exclude<Part, { kind: 'numbers' }>): number {
  return part.kind === 'bytes' ? 8 : part.bits;
}

/** Bytes of one item where it is gathered. */
export function itemBytes(part: Part): number {
  return part.kind === 'numbers' ? part.size : 1;
}

/** Bytes of the longest plan. */
export const mostPlanBytes: number = Math.max(
  ...Object.values(known).flatMap(([, ...parts]) => parts.map((part) => (part.kind === 'bits' ? part.plan.length : 0))),
);

/** Rows of a plan. */
export function rowsOf(part: Extract<Part, { kind: 'bits' }>): number {
  return part.plan.length / (planTermBytes * part.terms);
}
