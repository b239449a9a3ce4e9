/** Elements whose exponent has all its bits: NaNs and infinities. */
import { elementBytes, type FloatDtype } from '../kernels.ts';

/** The number of the first of `count` elements from `bytes[start]` on that is not finite; -1 when all are. */
export function firstNonFinite(dtype: FloatDtype, bytes: Uint8Array, start: number, count: number): number {
  const isNonFinite = lookerFor(dtype, bytes, start);
  for (let i = 0; i < count; i += 1) {
    if (isNonFinite(i)) return i;
  }
  return -1;
}

/** How many of `count` elements from `bytes[start]` on are not finite. */
export function countNonFinite(dtype: FloatDtype, bytes: Uint8Array, start: number, count: number): number {
  const isNonFinite = lookerFor(dtype, bytes, start);
  let found = 0;
  for (let i = 0; i < count; i += 1) {
    if (isNonFinite(i)) found += 1;
  }
  return found;
}

/** Whether element `i` is not finite: its sign and exponent are its last two bytes, since it is little-endian. */
function lookerFor(dtype: FloatDtype, bytes: Uint8Array, start: number): (i: number) => boolean {
  const size = elementBytes[dtype];
  const exponent = exponents[dtype];
  const last = start + size - 2;
  return (i) => {
    const at = last + i * size;
    return ((((bytes[at + 1] ?? 0) << 8) | (bytes[at] ?? 0)) & exponent) === exponent;
  };
}

/** The bits of the exponent in the upper 16 bits of an element. */
const exponents: Readonly<Record<FloatDtype, number>> = { F64: 0x7ff0, F32: 0x7f80, F16: 0x7c00, BF16: 0x7f80 };
