/**
 * NaNs and infinities in the elements of a tensor, and in the scales of quantised blocks: what a training run leaves
 * behind when it diverged, and what makes a model talk nonsense. The rules are those of ggml (`ggml_validate_row_data`).
 */

import { blockOf } from './dtype.ts';

/** Where tensor bytes lie; a tensor of a layout is one. */
export interface TensorSpan {
  readonly offset: number;
  readonly length: number;
  /** Of the canonical table; one that is not, or has no floating-point part, is never non-finite. */
  readonly dtype: string;
  readonly byteOrder?: 'big';
}

export interface NonFinite {
  /** Elements, or blocks by their scales, that are a NaN. */
  readonly nan: number;
  /** The same that are an infinity. */
  readonly infinite: number;
  /** Byte of the first of them from the start of what was looked at; -1 if there is none. */
  readonly first: number;
}

/** Of what holds no NaN and no infinity. */
export const allFinite: NonFinite = { nan: 0, infinite: 0, first: -1 };

/** A floating-point number in an element or block. */
interface Part {
  readonly at: number;
  readonly kind: 'F16' | 'BF16' | 'F32' | 'F64' | 'E4M3' | 'E5M2' | 'NAN80' | 'E8M0' | 'IQ1M';
}

const f16At = (...places: readonly number[]): readonly Part[] => places.map((at) => ({ at, kind: 'F16' }));

/** By dtype; blocks as in ggml-common.h. NVFP4's scales have no pattern that is not a number, integers have none. */
const parts: Readonly<Record<string, readonly Part[]>> = {
  F64: [{ at: 0, kind: 'F64' }],
  F32: [{ at: 0, kind: 'F32' }],
  F16: f16At(0),
  BF16: [{ at: 0, kind: 'BF16' }],
  C64: [
    { at: 0, kind: 'F32' },
    { at: 4, kind: 'F32' },
  ],
  C128: [
    { at: 0, kind: 'F64' },
    { at: 8, kind: 'F64' },
  ],
  F8_E4M3: [{ at: 0, kind: 'E4M3' }],
  F8_E5M2: [{ at: 0, kind: 'E5M2' }],
  F8_E8M0: [{ at: 0, kind: 'E8M0' }],
  F8_E4M3FNUZ: [{ at: 0, kind: 'NAN80' }],
  F8_E5M2FNUZ: [{ at: 0, kind: 'NAN80' }],
  Q1_0: f16At(0),
  Q2_0: f16At(0),
  Q4_0: f16At(0),
  Q4_1: f16At(0, 2),
  Q5_0: f16At(0),
  Q5_1: f16At(0, 2),
  Q8_0: f16At(0),
  Q8_1: f16At(0, 2),
  Q2_K: f16At(80, 82),
  Q3_K: f16At(108),
  Q4_K: f16At(0, 2),
  Q5_K: f16At(0, 2),
  Q6_K: f16At(208),
  Q8_K: [{ at: 0, kind: 'F32' }],
  IQ1_S: f16At(0),
  IQ1_M: [{ at: 48, kind: 'IQ1M' }],
  IQ2_XXS: f16At(0),
  IQ2_XS: f16At(0),
  IQ2_S: f16At(0),
  IQ3_XXS: f16At(0),
  IQ3_S: f16At(0),
  IQ4_NL: f16At(0),
  IQ4_XS: f16At(0),
  TQ1_0: f16At(52),
  TQ2_0: f16At(64),
  MXFP4: [{ at: 0, kind: 'E8M0' }],
};

/** Whether elements or scales of this dtype can be other than finite. */
export function canBeNonFinite(dtype: string): boolean {
  return Object.hasOwn(parts, dtype);
}

/**
 * Looks at each whole element or block of `bytes`, which begin with one. Plain TypeScript, about 1 GB/s: a host has a
 * faster one with the same answer (`Kernels.nonFinite`).
 */
export function scanNonFinite(bytes: Uint8Array, dtype: string, byteOrder?: 'big'): NonFinite {
  const found = Object.hasOwn(parts, dtype) ? parts[dtype] : undefined;
  const block = blockOf(dtype);
  if (found === undefined || block === undefined) return allFinite;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = byteOrder !== 'big';
  const whole = bytes.length - (bytes.length % block.bytes);
  let nan = 0;
  let infinite = 0;
  let first = -1;
  for (let start = 0; start < whole; start += block.bytes) {
    let isNan = false;
    let isInfinite = false;
    for (const { at, kind } of found) {
      const verdict = verdictOf(view, start + at, kind, little);
      if (verdict === 'nan') isNan = true;
      else if (verdict === 'infinite') isInfinite = true;
    }
    if (!isNan && !isInfinite) continue;
    if (isNan) nan += 1;
    else infinite += 1;
    if (first < 0) first = start;
  }
  return { nan, infinite, first };
}

type Verdict = 'finite' | 'nan' | 'infinite';

function verdictOf(view: DataView, at: number, kind: Part['kind'], little: boolean): Verdict {
  switch (kind) {
    case 'F16':
      return halfVerdict(view.getUint16(at, little));
    case 'BF16': {
      const bits = view.getUint16(at, little);
      return (bits & 0x7f80) !== 0x7f80 ? 'finite' : (bits & 0x7f) !== 0 ? 'nan' : 'infinite';
    }
    case 'F32': {
      const bits = view.getUint32(at, little);
      return (bits & 0x7f800000) !== 0x7f800000 ? 'finite' : (bits & 0x7fffff) !== 0 ? 'nan' : 'infinite';
    }
    case 'F64': {
      const high = view.getUint32(little ? at + 4 : at, little);
      if ((high & 0x7ff00000) !== 0x7ff00000) return 'finite';
      return (high & 0xfffff) !== 0 || view.getUint32(little ? at : at + 4, little) !== 0 ? 'nan' : 'infinite';
    }
    case 'E4M3':
      return (view.getUint8(at) & 0x7f) === 0x7f ? 'nan' : 'finite';
    case 'E5M2': {
      const bits = view.getUint8(at) & 0x7f;
      return bits < 0x7c ? 'finite' : bits > 0x7c ? 'nan' : 'infinite';
    }
    case 'NAN80':
      return view.getUint8(at) === 0x80 ? 'nan' : 'finite';
    case 'E8M0':
      return view.getUint8(at) === 0xff ? 'nan' : 'finite';
    case 'IQ1M': {
      // The f16 scale lies in the upper four bits of four 16-bit words (iq1m_scale_t).
      const word = (index: number): number => view.getUint16(at + 2 * index, little);
      return halfVerdict((word(0) >> 12) | ((word(1) >> 8) & 0xf0) | ((word(2) >> 4) & 0xf00) | (word(3) & 0xf000));
    }
  }
}

function halfVerdict(bits: number): Verdict {
  return (bits & 0x7c00) !== 0x7c00 ? 'finite' : (bits & 0x3ff) !== 0 ? 'nan' : 'infinite';
}
