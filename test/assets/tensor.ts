/** Tensors to put into files: seeded weights that look like trained ones, in any of the float types. */

export interface AssetTensor {
  readonly name: string;
  readonly dtype: 'F64' | 'F32' | 'F16' | 'BF16' | 'I64' | 'I32' | 'I16' | 'I8' | 'U8' | 'BOOL';
  /** Slowest dimension first. */
  readonly shape: readonly number[];
  /** Little-endian elements in row-major order. */
  readonly data: Uint8Array;
}

export interface WeightOptions {
  readonly shape: readonly number[];
  readonly dtype: 'F32' | 'F16' | 'BF16';
  /** Same seed, same weights. */
  readonly seed: number;
  /** Standard deviation; 0.02 is what transformer layers are initialised with. */
  readonly deviation?: number;
}

/** A tensor of normally distributed weights. */
export function weights(name: string, { deviation = 0.02, dtype, seed, shape }: WeightOptions): AssetTensor {
  const random = normalNumbers(seed);
  const elements = shape.reduce((product, dimension) => product * dimension, 1);
  const floats = Float32Array.from({ length: elements }, () => random() * deviation);
  return { name, dtype, shape, data: encodeFloats(floats, dtype) };
}

/** The floats as little-endian F32, F16 or BF16, rounded to nearest even. */
export function encodeFloats(floats: Float32Array, dtype: 'F32' | 'F16' | 'BF16'): Uint8Array {
  const bits = new Uint32Array(floats.buffer, floats.byteOffset, floats.length);
  const width = dtype === 'F32' ? 4 : 2;
  const data = new Uint8Array(floats.length * width);
  const view = new DataView(data.buffer);
  for (const [index, value] of bits.entries()) {
    if (dtype === 'F32') view.setUint32(index * 4, value, true);
    else view.setUint16(index * 2, dtype === 'F16' ? halfOf(value) : bfloatOf(value), true);
  }
  return data;
}

/** Bytes that repeat with the seed and have no structure. */
export function seededBytes(length: number, seed: number): Uint8Array {
  const random = uniformNumbers(seed);
  return Uint8Array.from({ length }, () => Math.floor(random() * 256));
}

/** Numbers in [0, 1): mulberry32. */
export function uniformNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Box-Muller, one of the two. */
function normalNumbers(seed: number): () => number {
  const uniform = uniformNumbers(seed);
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

function bfloatOf(bits: number): number {
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

/** The bits of a half-precision float from those of a single-precision one, rounded to nearest even. */
export function halfOf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 0xff) - 112;
  if (exponent >= 31) return sign | 0x7c00;
  // Below 2^-14 the leading one becomes a bit like any other, and everything moves right.
  const shift = exponent > 0 ? 13 : 14 - exponent;
  if (shift > 24) return sign;
  const mantissa = exponent > 0 ? bits & 0x7fffff : (bits & 0x7fffff) | 0x800000;
  const half = 1 << (shift - 1);
  const rounded = (mantissa + half - 1 + ((mantissa >>> shift) & 1)) >>> shift;
  return sign | ((exponent > 0 ? exponent << 10 : 0) + rounded);
}
