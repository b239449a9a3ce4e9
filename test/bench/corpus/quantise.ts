/**
 * Weights as model files hold them: BF16, and the two oldest block formats of ggml, Q8_0 and Q4_0. Rounding is what the
 * usual converters do, step by step in single precision, so that a quantisation follows exactly from the BF16 weights.
 */

import { halfOf } from '../../assets/tensor.ts';

/** Weights that share a scale. */
export const blockLength = 32;
/** A half-precision scale and a byte for each weight. */
export const q8BlockBytes = 34;
/** A half-precision scale and half a byte for each weight. */
export const q4BlockBytes = 18;

const single = new Float32Array(1);
const singleBits = new Uint32Array(single.buffer);

/** BF16 in this machine's byte order, rounded to nearest even; `target` has a place for each weight. */
export function toBfloats(weights: Float32Array, target: Uint16Array): void {
  const bits = new Uint32Array(weights.buffer, weights.byteOffset, weights.length);
  for (let at = 0; at < bits.length; at += 1) {
    const word = bits[at] ?? 0;
    target[at] = (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
}

/** What BF16 weights are as single-precision floats. */
export function fromBfloats(bfloats: Uint16Array, target: Float32Array): void {
  const bits = new Uint32Array(target.buffer, target.byteOffset, target.length);
  for (let at = 0; at < bfloats.length; at += 1) bits[at] = (bfloats[at] ?? 0) << 16;
}

/** Q8_0: `target` holds `q8BlockBytes` for each block of weights. */
export function toQ8(weights: Float32Array, target: Uint8Array): void {
  for (let block = 0, out = 0; block < weights.length; block += blockLength) {
    let largest = 0;
    for (let at = block; at < block + blockLength; at += 1) largest = Math.max(largest, Math.abs(weights[at] ?? 0));
    const scale = Math.fround(largest / 127);
    const inverse = scale > 0 ? Math.fround(1 / scale) : 0;
    out = putHalf(target, out, scale);
    for (let at = block; at < block + blockLength; at += 1) {
      const value = Math.fround((weights[at] ?? 0) * inverse);
      // Halves away from zero.
      target[out] = value < 0 ? -Math.trunc(0.5 - value) : Math.trunc(value + 0.5);
      out += 1;
    }
  }
}

/** Q4_0: `target` holds `q4BlockBytes` for each block of weights. */
export function toQ4(weights: Float32Array, target: Uint8Array): void {
  for (let block = 0, out = 0; block < weights.length; block += blockLength) {
    let extreme = 0;
    for (let at = block; at < block + blockLength; at += 1) {
      const value = weights[at] ?? 0;
      if (Math.abs(value) > Math.abs(extreme)) extreme = value;
    }
    const scale = Math.fround(extreme / -8);
    const inverse = scale === 0 ? 0 : Math.fround(1 / scale);
    out = putHalf(target, out, scale);
    for (let at = block; at < block + blockLength / 2; at += 1) {
      const low = q4Of(weights[at] ?? 0, inverse);
      const high = q4Of(weights[at + blockLength / 2] ?? 0, inverse);
      target[out] = low | (high << 4);
      out += 1;
    }
  }
}

/** Each step is rounded: of BF16 weights many are halfway between two numbers of a block. */
function q4Of(weight: number, inverse: number): number {
  return Math.min(15, Math.trunc(Math.fround(Math.fround(weight * inverse) + 8.5)));
}

/** Puts a half-precision float; the place behind it. */
function putHalf(target: Uint8Array, at: number, value: number): number {
  single[0] = value;
  const half = halfOf(singleBits[0] ?? 0);
  target[at] = half;
  target[at + 1] = half >>> 8;
  return at + 2;
}
