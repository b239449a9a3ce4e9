/**
 * What programs make of floats: casts, and the blocks of ggml's reference quantiser (docs/format.md, The derive codec).
 * Numbers are little-endian, at any offset; ranges of input and output do not overlap. No answer depends on the bits of a
 * NaN that arithmetic makes, so it is the same on every machine.
 */

/** Elements of a block. */
const blockElements: usize = 32;

/** `count` numbers BF16 as F32: the upper halves of their bits. */
export function widenBF16(from: usize, count: usize, to: usize): void {
  const zero = i32x4.splat(0);
  let i: usize = 0;
  while (i + 8 <= count) {
    const words = v128.load(from + (i << 1));
    v128.store(to + (i << 2), v128.shuffle<u16>(zero, words, 0, 8, 1, 9, 2, 10, 3, 11));
    v128.store(to + (i << 2), v128.shuffle<u16>(zero, words, 4, 12, 5, 13, 6, 14, 7, 15), 16);
    i += 8;
  }
  while (i < count) {
    store<u32>(to + (i << 2), (<u32>load<u16>(from + (i << 1))) << 16);
    i += 1;
  }
}

/** Bits of F32: 2^-14, the smallest normal number of F16, and what its exponent is off by. */
const leastNormal: i32 = 113 << 23;
const rebias: i32 = 112 << 23;

/** Four numbers F16, each in the lower half of a lane, as F32. NaNs become quiet and keep their bits. */
function widened(halves: v128): v128 {
  const magnitude = v128.and(halves, i32x4.splat(0x7fff));
  const sign = i32x4.shl(v128.xor(halves, magnitude), 16);
  const shifted = i32x4.shl(magnitude, 13);
  const normal = i32x4.add(shifted, i32x4.splat(rebias));
  // With the exponent of the smallest normal number, less that number: exact.
  const least = i32x4.splat(leastNormal);
  const subnormal = f32x4.sub(i32x4.add(shifted, least), least);
  const isSubnormal = i32x4.lt_s(magnitude, i32x4.splat(0x400));
  const exponent = v128.and(i32x4.gt_s(magnitude, i32x4.splat(0x7bff)), i32x4.splat(0x7f80_0000));
  const quiet = v128.and(i32x4.gt_s(magnitude, i32x4.splat(0x7c00)), i32x4.splat(0x0040_0000));
  const bits = v128.bitselect(subnormal, normal, isSubnormal);
  return v128.or(v128.or(bits, sign), v128.or(exponent, quiet));
}

/** `count` numbers F16 as F32. */
export function widenF16(from: usize, count: usize, to: usize): void {
  let i: usize = 0;
  while (i + 8 <= count) {
    const words = v128.load(from + (i << 1));
    v128.store(to + (i << 2), widened(i32x4.extend_low_i16x8_u(words)));
    v128.store(to + (i << 2), widened(i32x4.extend_high_i16x8_u(words)), 16);
    i += 8;
  }
  while (i < count) {
    const bits = widened(i32x4.splat(load<u16>(from + (i << 1))));
    store<u32>(to + (i << 2), i32x4.extract_lane(bits, 0));
    i += 1;
  }
}

/** Four numbers F32 as BF16, each in the lower half of a lane: to the nearest, ties to even; NaNs become quiet. */
function roundedBF16(bits: v128): v128 {
  const high = i32x4.shr_u(bits, 16);
  const odd = v128.and(high, i32x4.splat(1));
  const rounded = i32x4.shr_u(i32x4.add(i32x4.add(bits, i32x4.splat(0x7fff)), odd), 16);
  const isNaN = i32x4.gt_s(v128.and(bits, i32x4.splat(0x7fff_ffff)), i32x4.splat(0x7f80_0000));
  return v128.bitselect(v128.or(high, i32x4.splat(0x40)), rounded, isNaN);
}

/** `count` numbers F32 as BF16, to the nearest. */
export function roundBF16(from: usize, count: usize, to: usize): void {
  let i: usize = 0;
  while (i + 8 <= count) {
    const at = from + (i << 2);
    const low = roundedBF16(v128.load(at));
    v128.store(to + (i << 1), i16x8.narrow_i32x4_u(low, roundedBF16(v128.load(at, 16))));
    i += 8;
  }
  while (i < count) {
    store<u16>(to + (i << 1), <u16>i32x4.extract_lane(roundedBF16(v128.load32_splat(from + (i << 2))), 0));
    i += 1;
  }
}

/** `count` numbers F32 as BF16: the upper halves of their bits. */
export function cutBF16(from: usize, count: usize, to: usize): void {
  let i: usize = 0;
  while (i + 8 <= count) {
    const at = from + (i << 2);
    const words = v128.shuffle<u16>(v128.load(at), v128.load(at, 16), 1, 3, 5, 7, 9, 11, 13, 15);
    v128.store(to + (i << 1), words);
    i += 8;
  }
  while (i < count) {
    store<u16>(to + (i << 1), load<u16>(from + (i << 2), 2));
    i += 1;
  }
}

/** Four numbers F32 as F16, each in the lower half of a lane: to the nearest, ties to even; NaNs become quiet. */
function roundedF16(bits: v128): v128 {
  const magnitude = v128.and(bits, i32x4.splat(0x7fff_ffff));
  const sign = i32x4.shr_u(v128.xor(bits, magnitude), 16);
  const odd = v128.and(i32x4.shr_u(magnitude, 13), i32x4.splat(1));
  const normal = i32x4.shr_u(i32x4.add(i32x4.add(magnitude, i32x4.splat(0xfff - rebias)), odd), 13);
  // The last bit of a number from 1/2 on is worth 2^-24, as is that of a subnormal number of F16: the sum is rounded there.
  const half = i32x4.splat(126 << 23);
  const subnormal = i32x4.sub(f32x4.add(magnitude, half), half);
  const finite = v128.bitselect(subnormal, normal, i32x4.lt_s(magnitude, i32x4.splat(leastNormal)));
  const payload = v128.or(v128.and(i32x4.shr_u(magnitude, 13), i32x4.splat(0x3ff)), i32x4.splat(0x200));
  const isNaN = i32x4.gt_s(magnitude, i32x4.splat(0x7f80_0000));
  const others = v128.or(i32x4.splat(0x7c00), v128.and(payload, isNaN));
  const isLarge = i32x4.gt_s(magnitude, i32x4.splat((143 << 23) - 1));
  return v128.or(v128.bitselect(others, finite, isLarge), sign);
}

/** `count` numbers F32 as F16, to the nearest. */
export function roundF16(from: usize, count: usize, to: usize): void {
  let i: usize = 0;
  while (i + 8 <= count) {
    const at = from + (i << 2);
    const low = roundedF16(v128.load(at));
    v128.store(to + (i << 1), i16x8.narrow_i32x4_u(low, roundedF16(v128.load(at, 16))));
    i += 8;
  }
  while (i < count) {
    store<u16>(to + (i << 1), halfOf(load<f32>(from + (i << 2))));
    i += 1;
  }
}

/** One number as F16. */
function halfOf(value: f32): u16 {
  return <u16>i32x4.extract_lane(roundedF16(f32x4.splat(value)), 0);
}

/** The largest and the least of four lanes. */
function largestOf(lanes: v128): f32 {
  const pairs = f32x4.pmax(lanes, v128.shuffle<u32>(lanes, lanes, 2, 3, 0, 1));
  return f32x4.extract_lane(f32x4.pmax(pairs, v128.shuffle<u32>(pairs, pairs, 1, 0, 3, 2)), 0);
}

function leastOf(lanes: v128): f32 {
  const pairs = f32x4.pmin(lanes, v128.shuffle<u32>(lanes, lanes, 2, 3, 0, 1));
  return f32x4.extract_lane(f32x4.pmin(pairs, v128.shuffle<u32>(pairs, pairs, 1, 0, 3, 2)), 0);
}

/** The largest and the least number of a block, or `start` when none is beyond it; NaNs count for nothing. */
function largest(from: usize, start: f32): f32 {
  const none = f32x4.splat(start);
  const a = f32x4.pmax(f32x4.pmax(none, v128.load(from)), v128.load(from, 16));
  const b = f32x4.pmax(f32x4.pmax(none, v128.load(from, 32)), v128.load(from, 48));
  const c = f32x4.pmax(f32x4.pmax(none, v128.load(from, 64)), v128.load(from, 80));
  const d = f32x4.pmax(f32x4.pmax(none, v128.load(from, 96)), v128.load(from, 112));
  return largestOf(f32x4.pmax(f32x4.pmax(a, b), f32x4.pmax(c, d)));
}

function least(from: usize, start: f32): f32 {
  const none = f32x4.splat(start);
  const a = f32x4.pmin(f32x4.pmin(none, v128.load(from)), v128.load(from, 16));
  const b = f32x4.pmin(f32x4.pmin(none, v128.load(from, 32)), v128.load(from, 48));
  const c = f32x4.pmin(f32x4.pmin(none, v128.load(from, 64)), v128.load(from, 80));
  const d = f32x4.pmin(f32x4.pmin(none, v128.load(from, 96)), v128.load(from, 112));
  return leastOf(f32x4.pmin(f32x4.pmin(a, b), f32x4.pmin(c, d)));
}

/** The first number of a block whose size is `size`. */
function firstOfSize(from: usize, size: f32): f32 {
  let at = from;
  while (at < from + (blockElements << 2)) {
    const value = load<f32>(at);
    if (abs(value) === size) return value;
    at += 4;
  }
  return 0;
}

/** The first number of a block of the largest size, with its sign; 0 when there is none but zeros and NaNs. */
function extremeOf(from: usize): f32 {
  const up = largest(from, 0);
  const down = -least(from, 0);
  if (up > down) return up;
  if (down > up) return -down;
  return up === 0 ? 0 : firstOfSize(from, up);
}

function inverseOf(scale: f32): f32 {
  return scale !== 0 ? <f32>1 / scale : 0;
}

/** 16 bytes of four times four numbers of 32 bits. */
function bytesOf(a: v128, b: v128, c: v128, d: v128): v128 {
  return i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d));
}

/** Four numbers times `inverse`, to the nearest integers, halves away from zero. */
function roundedTo(at: usize, inverse: v128): v128 {
  const scaled = f32x4.mul(v128.load(at), inverse);
  // The number before 1/2 with the sign: the sum passes an integer just when the number is at or behind the half before it.
  const sign = v128.and(scaled, i32x4.splat(<i32>0x8000_0000));
  return i32x4.trunc_sat_f32x4_s(f32x4.add(scaled, v128.or(sign, i32x4.splat(0x3eff_ffff))));
}

/** `blocks` blocks of 32 numbers F32 as Q8_0, 34 bytes each. */
export function quantiseQ8_0(from: usize, blocks: usize, to: usize): void {
  const end = from + (blocks << 7);
  while (from < end) {
    const scale = max(largest(from, 0), -least(from, 0)) / 127;
    const inverse = inverseOf(scale);
    store<u16>(to, halfOf(scale));
    if (inverse === Infinity) {
      memory.fill(to + 2, 0, blockElements);
    } else {
      const by = f32x4.splat(inverse);
      const first = bytesOf(
        roundedTo(from, by),
        roundedTo(from + 16, by),
        roundedTo(from + 32, by),
        roundedTo(from + 48, by),
      );
      const last = bytesOf(
        roundedTo(from + 64, by),
        roundedTo(from + 80, by),
        roundedTo(from + 96, by),
        roundedTo(from + 112, by),
      );
      v128.store(to, first, 2);
      v128.store(to, last, 18);
    }
    from += blockElements << 2;
    to += 34;
  }
}

/** Four numbers less `zero`, times `inverse`, plus `half`, cut to integers; `isFused` rounds product and sum once. */
function scaledTo(at: usize, zero: v128, inverse: v128, half: v128, isFused: bool, isMoved: bool): v128 {
  const given = v128.load(at);
  const numbers = isMoved ? f32x4.sub(given, zero) : given;
  if (!isFused) return i32x4.trunc_sat_f32x4_s(f32x4.add(f32x4.mul(numbers, inverse), half));
  const by = f64x2.promote_low_f32x4(inverse);
  const plus = f64x2.promote_low_f32x4(half);
  const low = f64x2.add(f64x2.mul(f64x2.promote_low_f32x4(numbers), by), plus);
  const others = v128.shuffle<u64>(numbers, numbers, 1, 1);
  const high = f64x2.add(f64x2.mul(f64x2.promote_low_f32x4(others), by), plus);
  const sums = v128.shuffle<u64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2);
  return i32x4.trunc_sat_f32x4_s(sums);
}

/** 16 numbers as above, as bytes of at most `most`. */
function levelsOf(at: usize, zero: v128, inverse: v128, half: v128, most: i8, isFused: bool, isMoved: bool): v128 {
  return i8x16.min_u(
    bytesOf(
      scaledTo(at, zero, inverse, half, isFused, isMoved),
      scaledTo(at + 16, zero, inverse, half, isFused, isMoved),
      scaledTo(at + 32, zero, inverse, half, isFused, isMoved),
      scaledTo(at + 48, zero, inverse, half, isFused, isMoved),
    ),
    i8x16.splat(most),
  );
}

/** Blocks of numbers of `bits` bits, 4 or 5, around zero; or, `isMoved`, from their least number on, which is kept. */
function quantise(from: usize, blocks: usize, to: usize, bits: i32, isFused: bool, isMoved: bool): void {
  const end = from + (blocks << 7);
  const levels = 1 << bits;
  const most = <i8>(levels - 1);
  const half = f32x4.splat(isMoved ? <f32>0.5 : <f32>(levels >> 1) + <f32>0.5);
  while (from < end) {
    let lowest: f32 = 0;
    let scale: f32 = 0;
    if (isMoved) {
      lowest = least(from, f32.MAX_VALUE);
      scale = (largest(from, -f32.MAX_VALUE) - lowest) / <f32>(levels - 1);
      // Zeros have signs: the first one is kept.
      if (lowest === 0) lowest = firstOfSize(from, 0);
    } else {
      scale = extremeOf(from) / -(<f32>(levels >> 1));
    }
    const inverse = inverseOf(scale);
    store<u16>(to, halfOf(scale));
    to += 2;
    if (isMoved) {
      store<u16>(to, halfOf(lowest));
      to += 2;
    }
    let first = i8x16.splat(0);
    let last = i8x16.splat(0);
    if (abs(inverse) !== Infinity) {
      const by = f32x4.splat(inverse);
      const zero = f32x4.splat(lowest);
      first = levelsOf(from, zero, by, half, most, isFused, isMoved);
      last = levelsOf(from + 64, zero, by, half, most, isFused, isMoved);
    }
    if (bits === 5) {
      store<u16>(to, <u16>i8x16.bitmask(i8x16.shl(first, 3)));
      store<u16>(to, <u16>i8x16.bitmask(i8x16.shl(last, 3)), 2);
      to += 4;
      first = v128.and(first, i8x16.splat(15));
    }
    v128.store(to, v128.or(first, i8x16.shl(last, 4)));
    from += blockElements << 2;
    to += 16;
  }
}

/** `blocks` blocks of 32 numbers F32 as Q4_0, 18 bytes each. */
export function quantiseQ4_0(from: usize, blocks: usize, to: usize, isFused: bool): void {
  if (isFused) quantise(from, blocks, to, 4, true, false);
  else quantise(from, blocks, to, 4, false, false);
}

/** `blocks` blocks of 32 numbers F32 as Q4_1, 20 bytes each. */
export function quantiseQ4_1(from: usize, blocks: usize, to: usize, isFused: bool): void {
  if (isFused) quantise(from, blocks, to, 4, true, true);
  else quantise(from, blocks, to, 4, false, true);
}

/** `blocks` blocks of 32 numbers F32 as Q5_0, 22 bytes each. */
export function quantiseQ5_0(from: usize, blocks: usize, to: usize, isFused: bool): void {
  if (isFused) quantise(from, blocks, to, 5, true, false);
  else quantise(from, blocks, to, 5, false, false);
}

/** `blocks` blocks of 32 numbers F32 as Q5_1, 24 bytes each. */
export function quantiseQ5_1(from: usize, blocks: usize, to: usize, isFused: bool): void {
  if (isFused) quantise(from, blocks, to, 5, true, true);
  else quantise(from, blocks, to, 5, false, true);
}
