/**
 * NaNs and infinities at the speed of memory: a test that sound data pass, and for what does not, the plain scan of the
 * contract. So the answer is always that of `scanNonFinite`.
 *
 * A number with all bits of its exponent set has them set in its highest byte too, so one byte of each is looked at.
 */
import type { FloatDtype, Kernels } from '@mbk/kernels';
import { allFinite, blockOf, canBeNonFinite, type NonFinite, scanNonFinite } from '@mbk/plugin-sdk';

/** In the first of these bytes of a block all of these bits are set if it is not finite. */
type Suspect = readonly [at: number, bits: number];

const half = (...places: readonly number[]): readonly Suspect[] => places.map((at) => [at + 1, 0x7c]);

/** By dtype, little-endian; ggml's blocks as in ggml-common.h. Others are scanned plainly. */
const suspects: Readonly<Record<string, readonly Suspect[]>> = {
  F64: [[7, 0x7f]],
  F32: [[3, 0x7f]],
  F16: half(0),
  BF16: [[1, 0x7f]],
  F8_E4M3: [[0, 0x7f]],
  F8_E5M2: [[0, 0x7c]],
  F8_E8M0: [[0, 0xff]],
  Q1_0: half(0),
  Q2_0: half(0),
  Q4_0: half(0),
  Q4_1: half(0, 2),
  Q5_0: half(0),
  Q5_1: half(0, 2),
  Q8_0: half(0),
  Q8_1: half(0, 2),
  Q2_K: half(80, 82),
  Q3_K: half(108),
  Q4_K: half(0, 2),
  Q5_K: half(0, 2),
  Q6_K: half(208),
  Q8_K: [[3, 0x7f]],
  IQ1_S: half(0),
  IQ2_XXS: half(0),
  IQ2_XS: half(0),
  IQ2_S: half(0),
  IQ3_XXS: half(0),
  IQ3_S: half(0),
  IQ4_NL: half(0),
  IQ4_XS: half(0),
  TQ1_0: half(52),
  TQ2_0: half(64),
  MXFP4: [[0, 0xff]],
};

const floats: Readonly<Record<string, FloatDtype>> = { F64: 'F64', F32: 'F32', F16: 'F16', BF16: 'BF16' };

/** With `kernels`, plain floats go through them: fastest for bytes in their memory. */
export function fastNonFinite(bytes: Uint8Array, dtype: string, byteOrder?: 'big', kernels?: Kernels): NonFinite {
  if (!canBeNonFinite(dtype)) return allFinite;
  if (byteOrder !== 'big' && isClearlyFinite(bytes, dtype, kernels)) return allFinite;
  return scanNonFinite(bytes, dtype, byteOrder);
}

function isClearlyFinite(bytes: Uint8Array, dtype: string, kernels: Kernels | undefined): boolean {
  const block = blockOf(dtype)?.bytes;
  const places = Object.hasOwn(suspects, dtype) ? suspects[dtype] : undefined;
  if (block === undefined || places === undefined) return false;
  const whole = bytes.length - (bytes.length % block);
  const float = Object.hasOwn(floats, dtype) ? floats[dtype] : undefined;
  if (float !== undefined && kernels !== undefined) {
    return kernels.firstNonFinite(float, bytes, 0, whole / block) === -1;
  }
  for (const [at, bits] of places) {
    for (let i = at; i < whole; i += block) if (((bytes[i] ?? 0) & bits) === bits) return false;
  }
  return true;
}
