/**
 * Transforms of the tensor codec: which streams the elements or blocks of a tensor are split into (docs/format.md,
 * Frames and codecs). Each is exact for all bytes, so one that does not fit costs compression only.
 */
import { blockOf } from '@mbk/plugin-sdk';
import type { Element } from '../../chunker/piece.ts';
import { type Palette, paletteIn } from './palette.ts';
import type { Workspace } from './workspace.ts';

/** A part of a unit, and the streams it becomes. */
type Part =
  /** Bytes of the unit as they are: one stream. */
  | { readonly kind: 'field'; readonly offset: number; readonly width: number }
  /** A number of 16 bits rotated one bit to the left: its high byte, its low byte. */
  | { readonly kind: 'float16' }
  /** The upper half as above, then byte 1, then byte 0. */
  | { readonly kind: 'float32' }
  /** Bits of bytes merged to bytes by rows of `mergeBits`, all of as many terms. */
  | { readonly kind: 'bits'; readonly plan: Plan }
  /** What is left of numbers that are foretold: a token each; their rests stand behind the streams. */
  | { readonly kind: 'tokens' }
  /** Which of few values a unit is. */
  | { readonly kind: 'palette'; readonly palette: Palette }
  /** 32 numbers of 5 bits: pairs of their upper four bits, and their lowest. */
  | { readonly kind: 'fifths'; readonly bits: number; readonly nibbles: number };

interface Plan {
  readonly bytes: Uint8Array;
  readonly terms: number;
  /** 16 bytes of a unit each. */
  readonly rows: number;
  readonly isNarrow: boolean;
  /** Bits of a symbol. */
  readonly bits: number;
}

export interface Transform {
  readonly number: number;
  /** Bytes of a unit. */
  readonly unit: number;
  readonly parts: readonly Part[];
  /** Bytes of a unit in each stream. */
  readonly streams: readonly number[];
  /** Of each stream: whether its bytes are symbols of fewer than 8 bits, which would grow if they were stored. */
  readonly isNarrow: readonly boolean[];
  /** Of each stream: bits of its symbols. */
  readonly bits: readonly number[];
  /** Of those that foretell numbers: whether these are floats. */
  readonly isFloat?: boolean | undefined;
  /** How the numbers of blocks lie to their scales, where that is known. */
  readonly blocks?: BlockScales | undefined;
}

/** Where an affine block has its scales among the streams, and its numbers. */
export interface BlockScales {
  readonly kind: 'Q2_K' | 'Q4_K' | 'Q5_K';
  /** The stream of its numbers. */
  readonly stream: number;
  /** Numbers that share a scale. */
  readonly group: number;
}

/** Numbers of transforms in the parameters of a frame. */
export const transforms = { fields: 0, float16: 1, float32: 2, Q5_0: 3, Q5_1: 4, Q3_K: 5, Q5_K: 6, Q6_K: 7 } as const;

/** Those of version 2: each number of a block is a symbol, in the order of the elements; the last ones foretell numbers. */
export const singles = {
  Q4_0: 8,
  Q4_1: 9,
  Q2_K: 10,
  Q3_K: 11,
  Q4_K: 12,
  Q5_K: 13,
  Q6_K: 14,
  IQ4_XS: 15,
  MXFP4: 16,
  NVFP4: 17,
} as const;
export const tokenTransforms = { floats16: 18, floats32: 19, integers16: 20, integers32: 21 } as const;

/** Those of few values, which a frame begins with. */
export const paletteTransforms = { palette16: 22, palette32: 23, palette64: 24 } as const;
const paletteUnits: Readonly<Record<number, number>> = { 22: 2, 23: 4, 24: 8 };

/** Fields at most; a unit of fields has at most 65,535 bytes. */
const mostFields = 255;
export const mostUnitBytes = 65_535;
/** Of a type nobody knows: units of up to so many bytes have a stream for each byte. */
const bytewise = 16;

/** The widths of the fields of ggml's blocks that are not joined (ggml-common.h). */
export const blockFields: Readonly<Record<string, readonly number[]>> = {
  Q1_0: [1, 1, 16],
  Q2_0: [1, 1, 16],
  Q4_0: [1, 1, 16],
  Q4_1: [1, 1, 1, 1, 16],
  Q8_0: [1, 1, 32],
  Q8_1: [1, 1, 1, 1, 32],
  Q2_K: [16, 64, 1, 1, 1, 1],
  Q4_K: [1, 1, 1, 1, 4, 4, 4, 128],
  Q8_K: [1, 1, 1, 1, 256, 32],
  IQ1_S: [1, 1, 32, 16],
  IQ1_M: [32, 16, 8],
  IQ2_XXS: [1, 1, 64],
  IQ2_XS: [1, 1, 64, 8],
  IQ2_S: [1, 1, 64, 8, 8],
  IQ3_XXS: [1, 1, 64, 32],
  IQ3_S: [1, 1, 64, 8, 32, 4],
  IQ4_NL: [1, 1, 16],
  IQ4_XS: [1, 1, 2, 4, 128],
  TQ1_0: [48, 4, 1, 1],
  TQ2_0: [64, 1, 1],
  MXFP4: [1, 16],
  NVFP4: [4, 32],
};

/** The transform for these elements; undefined when there is none. */
export function transformOf({ dtype, unit }: Element): Transform | undefined {
  if (!Number.isInteger(unit) || unit < 1 || unit > mostUnitBytes) return undefined;
  if (blockOf(dtype)?.bytes === unit) {
    if (dtype === 'F16' || dtype === 'BF16') return numbered(transforms.float16);
    if (dtype === 'F32') return numbered(transforms.float32);
    if (dtype in transforms) return numbered(transforms[dtype as keyof typeof transforms]);
    const widths = Object.hasOwn(blockFields, dtype) ? blockFields[dtype] : undefined;
    if (widths !== undefined) return fieldsOf(widths);
  }
  return fieldsOf(unit <= bytewise ? Array.from({ length: unit }, () => 1) : [unit]);
}

/** A transform by its number; undefined for `fields`, which needs widths, and for numbers nobody gave. */
export function numbered(number: number): Transform | undefined {
  switch (number) {
    case transforms.float16:
      return transform(number, 2, [{ kind: 'float16' }]);
    case transforms.float32:
      return transform(number, 4, [{ kind: 'float32' }]);
    case transforms.Q5_0:
      return transform(number, 22, [...fields(0, [1, 1]), { kind: 'fifths', bits: 2, nibbles: 6 }]);
    case transforms.Q5_1:
      return transform(number, 24, [...fields(0, [1, 1, 1, 1]), { kind: 'fifths', bits: 4, nibbles: 8 }]);
    case transforms.Q3_K:
      return transform(number, 110, [...fields(96, [4, 4, 4, 1, 1]), ...plansOfQ3K()]);
    case transforms.Q5_K:
      return transform(number, 176, [...fields(0, [1, 1, 1, 1, 4, 4, 4]), ...plansOfQ5K()]);
    case transforms.Q6_K:
      return transform(number, 210, [...fields(192, [16, 1, 1]), ...plansOfQ6K()]);
    default:
      return singleOf(number) ?? tokensOf(number) ?? unknownPalette(number);
  }
}

/** Transforms of version 2 whose symbols are single numbers; undefined where there is none for these elements. */
export function singlesOf({ dtype, unit }: Element): Transform | undefined {
  if (blockOf(dtype)?.bytes !== unit) return undefined;
  const name = dtype === 'IQ4_NL' ? 'Q4_0' : dtype;
  return Object.hasOwn(singles, name) ? singleOf(singles[name as keyof typeof singles]) : undefined;
}

/** The transform that foretells these elements; undefined where there is none. */
export function foretellerOf({ dtype, unit }: Element): Transform | undefined {
  if (blockOf(dtype)?.bytes !== unit) return undefined;
  if (dtype === 'F16' || dtype === 'BF16') return tokensOf(tokenTransforms.floats16);
  if (dtype === 'F32') return tokensOf(tokenTransforms.floats32);
  if (dtype === 'I16' || dtype === 'U16') return tokensOf(tokenTransforms.integers16);
  if (dtype === 'I32' || dtype === 'U32') return tokensOf(tokenTransforms.integers32);
  return undefined;
}

/** Bytes of a value of a transform of few values; undefined for others. */
export function paletteUnitOf(number: number): number | undefined {
  return paletteUnits[number];
}

/** The transform of units of so many bytes that have few values; undefined where there is none. */
export function paletteNumber(unit: number): number | undefined {
  return Object.values(paletteTransforms).find((number) => paletteUnits[number] === unit);
}

/** The transform of these values. */
export function paletteTransform(palette: Palette): Transform {
  return transform(paletteNumber(palette.unit) ?? -1, palette.unit, [{ kind: 'palette', palette }]);
}

/** The same before its values are known. */
function unknownPalette(number: number): Transform | undefined {
  const unit = paletteUnitOf(number);
  const palette = unit === undefined ? undefined : paletteIn(new Uint8Array(0), unit);
  return palette && paletteTransform(palette);
}

function tokensOf(number: number): Transform | undefined {
  switch (number) {
    case tokenTransforms.floats16:
    case tokenTransforms.integers16:
      return { ...transform(number, 2, [{ kind: 'tokens' }]), isFloat: number === tokenTransforms.floats16 };
    case tokenTransforms.floats32:
    case tokenTransforms.integers32:
      return { ...transform(number, 4, [{ kind: 'tokens' }]), isFloat: number === tokenTransforms.floats32 };
    default:
      return undefined;
  }
}

/** Whether it foretells numbers: it has tokens, and no streams that `split` makes. */
export function isForeteller({ parts }: Transform): boolean {
  return parts[0]?.kind === 'tokens';
}

/** The last transform that frames of version 1 may have. */
export const mostTransformOfVersion1: number = transforms.Q6_K;

function singleOf(number: number): Transform | undefined {
  switch (number) {
    case singles.Q4_0:
      return transform(number, 18, [...fields(0, [1, 1]), numbers(4, halves(2))]);
    case singles.Q4_1:
      return transform(number, 20, [...fields(0, [1, 1, 1, 1]), numbers(4, halves(4))]);
    case singles.Q2_K:
      return {
        ...transform(number, 84, [
          ...fields(0, [16]),
          ...fields(80, [1, 1, 1, 1]),
          numbers(2, wide(two.flatMap((h) => four.map((j): Term[] => [[16 + 32 * h, 2 * j, 3, 0]])))),
        ]),
        blocks: { kind: 'Q2_K', stream: 5, group: 16 },
      };
    case singles.Q3_K:
      return transform(number, 110, [...fields(96, [4, 4, 4, 1, 1]), numbers(3, wide(rowsOfQ3K()))]);
    case singles.Q4_K:
      return {
        ...transform(number, 144, [
          ...fields(0, [1, 1, 1, 1, 4, 4, 4]),
          numbers(4, wide(four.flatMap((j) => two.map((n): Term[] => [[16 + 32 * j, 4 * n, 15, 0]])))),
        ]),
        blocks: { kind: 'Q4_K', stream: 7, group: 32 },
      };
    case singles.Q5_K:
      return {
        ...transform(number, 176, [...fields(0, [1, 1, 1, 1, 4, 4, 4]), numbers(5, wide(rowsOfQ5K()))]),
        blocks: { kind: 'Q5_K', stream: 7, group: 32 },
      };
    case singles.Q6_K:
      return transform(number, 210, [...fields(192, [16, 1, 1]), numbers(6, wide(rowsOfQ6K()))]);
    case singles.IQ4_XS:
      return transform(number, 136, [
        ...fields(0, [1, 1, 2, 4]),
        numbers(4, Array.from({ length: 8 }, (_, i) => halves(8 + 16 * i)).flat()),
      ]);
    case singles.MXFP4:
      return transform(number, 17, [...fields(0, [1]), numbers(4, halves(1))]);
    case singles.NVFP4:
      return transform(number, 36, [...fields(0, [4]), numbers(4, [...halves(4), ...halves(20)])]);
    default:
      return undefined;
  }
}

const two = [0, 1];
const four = [0, 1, 2, 3];

function rowsOfQ3K(): Term[][] {
  return two.flatMap((h) =>
    four.map((j): Term[] => [
      [32 + 32 * h, 2 * j, 3, 0],
      [0, 4 * h + j, 1, 2],
    ]),
  );
}

function rowsOfQ5K(): Term[][] {
  return four.flatMap((j) =>
    two.map((n): Term[] => [
      [48 + 32 * j, 4 * n, 15, 0],
      [16, 2 * j + n, 1, 4],
    ]),
  );
}

function rowsOfQ6K(): Term[][] {
  return two.flatMap((h) =>
    four.map((j): Term[] => [
      [64 * h + 32 * (j & 1), 4 * (j >> 1), 15, 0],
      [128 + 32 * h, 2 * j, 3, 4],
    ]),
  );
}

/** The low halves of 16 bytes, then their high halves. */
function halves(offset: number): Term[][] {
  return [[[offset, 0, 15, 0]], [[offset, 4, 15, 0]]];
}

/** Numbers of so many bits, each a symbol; each row is 16 of them. */
function numbers(bits: number, rows: ReadonlyArray<readonly Term[]>): Part {
  const bytes = Uint8Array.from(rows.flat(2));
  return { kind: 'bits', plan: { bytes, terms: rows[0]?.length ?? 0, rows: rows.length, isNarrow: true, bits } };
}

/** Units of fields with these widths; undefined when they are too many, too wide or none. */
export function fieldsOf(widths: readonly number[]): Transform | undefined {
  const unit = widths.reduce((sum, width) => sum + width, 0);
  const isUsable = widths.length > 0 && widths.length <= mostFields && unit <= mostUnitBytes && !widths.includes(0);
  return isUsable ? transform(transforms.fields, unit, fields(0, widths)) : undefined;
}

function fields(start: number, widths: readonly number[]): Part[] {
  let offset = start;
  return widths.map((width) => {
    offset += width;
    return { kind: 'field', offset: offset - width, width };
  });
}

function transform(number: number, unit: number, parts: readonly Part[]): Transform {
  const streams = parts.map((part) => streamsOf(part));
  return {
    number,
    unit,
    parts,
    streams: streams.flat(),
    bits: parts.flatMap((part, i) => (streams[i] ?? []).map(() => (part.kind === 'bits' ? part.plan.bits : 8))),
    isNarrow: parts.flatMap((part, i) => (streams[i] ?? []).map(() => part.kind === 'bits' && part.plan.isNarrow)),
  };
}

function streamsOf(part: Part): readonly number[] {
  switch (part.kind) {
    case 'field':
      return [part.width];
    case 'float16':
      return [1, 1];
    case 'float32':
      return [1, 1, 1, 1];
    case 'bits':
      return [part.plan.rows * 16];
    case 'tokens':
    case 'palette':
      return [1];
    case 'fifths':
      return [16, 4];
  }
}

type Term = readonly [offset: number, right: number, mask: number, left: number];

/** A part of bits; each row for 32 bytes, which are two rows of 16. */
function bitsOf(rows: ReadonlyArray<readonly Term[]>, isNarrow = false): Part {
  const both = wide(rows);
  const bytes = Uint8Array.from(both.flat(2));
  return {
    kind: 'bits',
    plan: { bytes, terms: rows[0]?.length ?? 0, rows: both.length, isNarrow, bits: isNarrow ? 6 : 8 },
  };
}

function wide(rows: ReadonlyArray<readonly Term[]>): Term[][] {
  return rows.flatMap((terms) => [0, 16].map((by) => terms.map(([offset, ...rest]): Term => [offset + by, ...rest])));
}

/** hmask at 0, qs at 32. Numbers of 3 bits: the low two of two neighbours, then the high ones of both. */
function plansOfQ3K(): Part[] {
  const rows = [0, 1].flatMap((half) =>
    [0, 2].map((j): Term[] => [
      [32 + 32 * half, 2 * j, 15, 0],
      [0, 4 * half + j, 3, 4],
    ]),
  );
  return [bitsOf(rows, true)];
}

/** qh at 16, qs at 48. Numbers of 5 bits: the upper four of two, then the lowest of eight. */
function plansOfQ5K(): Part[] {
  const pairs = [0, 1].flatMap((j) =>
    [0, 1].map((high): Term[] => [
      [48 + 32 * j, 1 + 4 * high, 7, 0],
      [112 + 32 * j, 1 + 4 * high, 7, 4],
      [16, 2 * j + high, 0x11, 3],
    ]),
  );
  return [bitsOf(pairs), bitsOf([[0, 1, 2, 3].map((j) => [48 + 32 * j, 0, 0x11, j])])];
}

/** ql at 0, qh at 128. Numbers of 6 bits: the upper four of two, then the lower two of four. */
function plansOfQ6K(): Part[] {
  const pairs = [0, 1].flatMap((half) =>
    [0, 1].map((j): Term[] => [
      [64 * half + 32 * j, 2, 0x33, 0],
      [128 + 32 * half, 2 * j, 0x33, 2],
    ]),
  );
  const lows = [0, 1].map((half): Term[] => [
    [64 * half, 0, 0x33, 0],
    [64 * half + 32, 0, 0x33, 2],
  ]);
  return [bitsOf(pairs), bitsOf(lows)];
}

interface Range {
  readonly from: number;
  readonly units: number;
  readonly to: number;
}

function toIndexes({ unit, indexOf }: Palette, bytes: Uint8Array, { from, units, to }: Range): void {
  for (let i = 0; i < units; i += 1) {
    const index = indexOf(bytes, from + unit * i);
    if (index === undefined) throw new RangeError('expected units of a palette, got another one');
    bytes[to + i] = index;
  }
}

/** An index that no value has gives 0: whoever reads the frame has looked before. */
function fromIndexes({ unit, values }: Palette, bytes: Uint8Array, { from, units, to }: Range): void {
  for (let i = 0; i < units; i += 1) {
    const value = unit * (bytes[from + i] ?? 0);
    const at = to + unit * i;
    for (let k = 0; k < unit; k += 1) bytes[at + k] = values[value + k] ?? 0;
  }
}

/** Splits `units` units at `plain` in the workspace into streams, one after the other at `planes`. */
export function split({ unit, parts }: Transform, units: number, { kernels, at }: Workspace, plain: number): void {
  let plane = at.planes;
  for (const part of parts) {
    switch (part.kind) {
      case 'field':
        kernels.gatherField(plain + part.offset, unit, part.width, units, plane);
        break;
      case 'float16':
        kernels.splitFloat16(plain, units, plane, plane + units);
        break;
      case 'float32':
        kernels.splitFloat32(plain, units, plane);
        break;
      case 'bits':
        kernels.bytes.set(part.plan.bytes, at.plan);
        kernels.mergeBits(plain, unit, units, at.plan, part.plan.rows, part.plan.terms, plane);
        break;
      case 'fifths':
        kernels.mergeFifths(plain, unit, units, part.bits, part.nibbles, plane, plane + 16 * units);
        break;
      case 'palette':
        toIndexes(part.palette, kernels.bytes, { from: plain, units, to: plane });
        break;
      case 'tokens':
        throw new TypeError('expected a transform of streams alone');
    }
    for (const bytes of streamsOf(part)) plane += bytes * units;
  }
}

/** Joins what `split` made, at `plain`. */
export function join({ unit, parts }: Transform, units: number, { kernels, at }: Workspace, plain: number): void {
  let plane = at.planes;
  if (parts.some(({ kind }) => kind === 'bits')) kernels.clearRange(plain, units * unit);
  for (const part of parts) {
    switch (part.kind) {
      case 'field':
        kernels.scatterField(plain + part.offset, unit, part.width, units, plane);
        break;
      case 'float16':
        kernels.joinFloat16(plain, units, plane, plane + units);
        break;
      case 'float32':
        kernels.joinFloat32(plain, units, plane);
        break;
      case 'bits':
        kernels.bytes.set(part.plan.bytes, at.plan);
        kernels.spreadBits(plain, unit, units, at.plan, part.plan.rows, part.plan.terms, plane);
        break;
      case 'fifths':
        kernels.spreadFifths(plain, unit, units, part.bits, part.nibbles, plane, plane + 16 * units);
        break;
      case 'palette':
        fromIndexes(part.palette, kernels.bytes, { from: plane, units, to: plain });
        break;
      case 'tokens':
        throw new TypeError('expected a transform of streams alone');
    }
    for (const bytes of streamsOf(part)) plane += bytes * units;
  }
}
