/**
 * What programs make of floats: casts, and the blocks of ggml's reference quantiser (docs/format.md, The derive codec).
 * Numbers are little-endian, at any offset; ranges of input and output do not overlap. No answer depends on the bits of a
 * NaN that arithmetic makes, so it is the same on every machine.
 */
import { zeroOf } from './held';

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

/** Four numbers F16 that are neither subnormal, zero, infinite nor NaN, each in the upper half of a lane, as F32. */
function widenedUsual(halves: v128): v128 {
  // The shift repeats the sign, of which one is kept.
  const shifted = v128.and(i32x4.shr_s(halves, 3), i32x4.splat(<i32>0x8fff_e000));
  return i32x4.add(shifted, i32x4.splat(rebias));
}

/** `count` numbers F16 as F32. */
export function widenF16(from: usize, count: usize, to: usize): void {
  const zero = i32x4.splat(0);
  let i: usize = 0;
  while (i + 8 <= count) {
    const words = v128.load(from + (i << 1));
    // Zero where the exponent has no bits, or all.
    const exponents = v128.and(i16x8.add(words, i16x8.splat(0x400)), i16x8.splat(0x7800));
    if (i16x8.all_true(exponents)) {
      const low = v128.shuffle<u16>(zero, words, 0, 8, 1, 9, 2, 10, 3, 11);
      const high = v128.shuffle<u16>(zero, words, 4, 12, 5, 13, 6, 14, 7, 15);
      v128.store(to + (i << 2), widenedUsual(low));
      v128.store(to + (i << 2), widenedUsual(high), 16);
    } else {
      v128.store(to + (i << 2), widened(i32x4.extend_low_i16x8_u(words)));
      v128.store(to + (i << 2), widened(i32x4.extend_high_i16x8_u(words)), 16);
    }
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
  const zero = zeroOf(count);
  const mask = v128.xor(zero, i32x4.splat(0x7fff_ffff));
  const less = v128.xor(zero, i32x4.splat(leastNormal));
  const range = v128.xor(zero, i32x4.splat((143 << 23) - leastNormal));
  const one = v128.xor(zero, i32x4.splat(1));
  const almostHalf = v128.xor(zero, i32x4.splat(0xfff + leastNormal - rebias));
  let i: usize = 0;
  while (i + 8 <= count) {
    const first = v128.load(from + (i << 2));
    const last = v128.load(from + (i << 2), 16);
    // Less the smallest normal number: what is in the range is neither too small for a normal number nor too large.
    const a = i32x4.sub(v128.and(first, mask), less);
    const b = i32x4.sub(v128.and(last, mask), less);
    let words: v128;
    if (i32x4.all_true(i32x4.lt_u(i32x4.max_u(a, b), range))) {
      const usual = i16x8.narrow_i32x4_u(roundedUsual(a, almostHalf, one), roundedUsual(b, almostHalf, one));
      const signs = i16x8.narrow_i32x4_s(i32x4.shr_s(first, 31), i32x4.shr_s(last, 31));
      words = v128.or(usual, i16x8.shl(signs, 15));
    } else {
      words = i16x8.narrow_i32x4_u(roundedF16(first), roundedF16(last));
    }
    v128.store(to + (i << 1), words);
    i += 8;
  }
  while (i < count) {
    store<u16>(to + (i << 1), halfOf(load<f32>(from + (i << 2))));
    i += 1;
  }
}

/** The bits of four normal numbers without their signs, less those of the smallest, as F16 in the lower half of a lane. */
function roundedUsual(beyond: v128, almostHalf: v128, one: v128): v128 {
  const odd = v128.and(i32x4.shr_u(beyond, 13), one);
  return i32x4.shr_u(i32x4.add(i32x4.add(beyond, almostHalf), odd), 13);
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

/** Bits of an infinity: what is larger without its sign is a NaN. */
const infinite: i32 = 0x7f80_0000;

/** The largest bits of a block without their signs, which `mask` takes away, lane by lane. */
function sizesOf(from: usize, mask: v128): v128 {
  const a = i32x4.max_s(v128.and(v128.load(from), mask), v128.and(v128.load(from, 16), mask));
  const b = i32x4.max_s(v128.and(v128.load(from, 32), mask), v128.and(v128.load(from, 48), mask));
  const c = i32x4.max_s(v128.and(v128.load(from, 64), mask), v128.and(v128.load(from, 80), mask));
  const d = i32x4.max_s(v128.and(v128.load(from, 96), mask), v128.and(v128.load(from, 112), mask));
  return i32x4.max_s(i32x4.max_s(a, b), i32x4.max_s(c, d));
}

/** The largest lane of each of four. */
function largestOfEach(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i32x4.max_s(v128.shuffle<u32>(a, b, 0, 4, 1, 5), v128.shuffle<u32>(a, b, 2, 6, 3, 7));
  const cd = i32x4.max_s(v128.shuffle<u32>(c, d, 0, 4, 1, 5), v128.shuffle<u32>(c, d, 2, 6, 3, 7));
  return i32x4.max_s(v128.shuffle<u32>(ab, cd, 0, 1, 4, 5), v128.shuffle<u32>(ab, cd, 2, 3, 6, 7));
}

/** Four numbers times `inverse`, to the nearest integers, halves away from zero. */
function roundedTo(at: usize, inverse: v128): v128 {
  const scaled = f32x4.mul(v128.load(at), inverse);
  // The number before 1/2 with the sign: the sum passes an integer just when the number is at or behind the half before it.
  const sign = v128.and(scaled, i32x4.splat(<i32>0x8000_0000));
  return i32x4.trunc_sat_f32x4_s(f32x4.add(scaled, v128.or(sign, i32x4.splat(0x3eff_ffff))));
}

/** The same where all are less than 2^31: then the relaxed instruction, a single one, gives the same everywhere. */
function roundedUsualTo(at: usize, inverse: v128, mask: v128, half: v128): v128 {
  const scaled = f32x4.mul(v128.load(at), inverse);
  return i32x4.relaxed_trunc_f32x4_s(f32x4.add(scaled, v128.or(v128.andnot(scaled, mask), half)));
}

function usualQ8_0(from: usize, by: v128, mask: v128, before: v128, half: u16, to: usize): void {
  store<u16>(to, half);
  const first = bytesOf(
    roundedUsualTo(from, by, mask, before),
    roundedUsualTo(from + 16, by, mask, before),
    roundedUsualTo(from + 32, by, mask, before),
    roundedUsualTo(from + 48, by, mask, before),
  );
  const last = bytesOf(
    roundedUsualTo(from + 64, by, mask, before),
    roundedUsualTo(from + 80, by, mask, before),
    roundedUsualTo(from + 96, by, mask, before),
    roundedUsualTo(from + 112, by, mask, before),
  );
  v128.store(to, first, 2);
  v128.store(to, last, 18);
}

/** Four blocks, of which the lanes have the inverses of the scales and the scales as F16. */
function eachQ8_0(from: usize, inverses: v128, scales: v128, mask: v128, before: v128, to: usize): void {
  for (let block = 0; block < 4; block += 1) {
    usualQ8_0(from, firstEverywhere(inverses), mask, before, <u16>i32x4.extract_lane(scales, 0), to);
    inverses = turned(inverses);
    scales = turned(scales);
    from += blockElements << 2;
    to += 34;
  }
}

/** The lanes one place on: the second is the first. */
function turned(lanes: v128): v128 {
  return v128.shuffle<u32>(lanes, lanes, 1, 2, 3, 0);
}

function firstEverywhere(lanes: v128): v128 {
  return v128.shuffle<u32>(lanes, lanes, 0, 0, 0, 0);
}

/** `blocks` blocks of 32 numbers F32 as Q8_0, 34 bytes each. */
export function quantiseQ8_0(from: usize, blocks: usize, to: usize): void {
  const zero = zeroOf(blocks);
  const mask = v128.xor(zero, i32x4.splat(0x7fff_ffff));
  const before = v128.xor(zero, i32x4.splat(0x3eff_ffff));
  // Four at a time: their scales are one vector.
  while (blocks >= 4) {
    const sizes = largestOfEach(
      sizesOf(from, mask),
      sizesOf(from + 128, mask),
      sizesOf(from + 256, mask),
      sizesOf(from + 384, mask),
    );
    const scales = f32x4.div(sizes, f32x4.splat(127));
    const inverses = f32x4.div(f32x4.splat(1), scales);
    if (i32x4.all_true(i32x4.lt_u(i32x4.max_u(sizes, inverses), i32x4.splat(infinite)))) {
      eachQ8_0(from, inverses, roundedF16(scales), mask, before, to);
    } else anyQ8_0(from, 4, to);
    from += 512;
    to += 136;
    blocks -= 4;
  }
  anyQ8_0(from, blocks, to);
}

/** Blocks of any numbers: zeros, infinities and NaNs among them. */
function anyQ8_0(from: usize, blocks: usize, to: usize): void {
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

/** Four numbers times `inverse`, plus `half`; in F64 products are exact, so they are not rounded. */
function scaled<Number>(numbers: v128, inverse: v128, half: v128): v128 {
  if (sizeof<Number>() === 4) return f32x4.add(f32x4.mul(numbers, inverse), half);
  const by = f64x2.promote_low_f32x4(inverse);
  const plus = f64x2.promote_low_f32x4(half);
  const low = f64x2.add(f64x2.mul(f64x2.promote_low_f32x4(numbers), by), plus);
  const others = v128.shuffle<u64>(numbers, numbers, 1, 1);
  const high = f64x2.add(f64x2.mul(f64x2.promote_low_f32x4(others), by), plus);
  return v128.shuffle<u64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2);
}

/** Four numbers less `zero`, as above, cut to integers. */
function scaledTo<Number>(at: usize, zero: v128, inverse: v128, half: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(scaled<Number>(f32x4.sub(v128.load(at), zero), inverse, half));
}

/** 16 numbers as above, as bytes. */
function levelsOf<Number>(at: usize, zero: v128, inverse: v128, half: v128): v128 {
  return bytesOf(
    scaledTo<Number>(at, zero, inverse, half),
    scaledTo<Number>(at + 16, zero, inverse, half),
    scaledTo<Number>(at + 32, zero, inverse, half),
    scaledTo<Number>(at + 48, zero, inverse, half),
  );
}

/**
 * Blocks of numbers of `bits` bits, 4 or 5, around zero; or, `isMoved`, from their least number on, which is kept. With F64
 * as `Number`, product and sum are rounded once.
 */
function quantise<Number>(from: usize, blocks: usize, to: usize, bits: i32, isMoved: bool): void {
  if (!isMoved) {
    // Four at a time: their scales are one vector.
    const blockBytes: usize = bits === 5 ? 22 : 18;
    const zero = zeroOf(blocks);
    const mask = v128.xor(zero, i32x4.splat(0x7fff_ffff));
    const levels = 1 << bits;
    const half = v128.xor(zero, f32x4.splat(<f32>(levels >> 1) + <f32>0.5));
    const most = v128.xor(zero, i8x16.splat(<i8>(levels - 1)));
    while (blocks >= 4) {
      const extremes = extremesOf(from, zero, mask);
      const scales = f32x4.mul(extremes, f32x4.splat(bits === 5 ? <f32>-0.0625 : <f32>-0.125));
      const inverses = f32x4.div(f32x4.splat(1), scales);
      const sizes = i32x4.max_s(v128.and(extremes, mask), v128.and(inverses, mask));
      // No zeros either: their inverses are infinite.
      if (i32x4.all_true(i32x4.lt_s(sizes, i32x4.splat(infinite)))) {
        each<Number>(from, inverses, roundedF16(scales), half, most, to, bits);
      } else any<Number>(from, 4, to, bits, isMoved);
      from += 512;
      to += 4 * blockBytes;
      blocks -= 4;
    }
  }
  any<Number>(from, blocks, to, bits, isMoved);
}

/** The same with any numbers: zeros, infinities and NaNs among them. */
function any<Number>(from: usize, blocks: usize, to: usize, bits: i32, isMoved: bool): void {
  const end = from + (blocks << 7);
  const levels = 1 << bits;
  const most = i8x16.splat(<i8>(levels - 1));
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
      first = i8x16.min_u(levelsOf<Number>(from, zero, by, half), most);
      last = i8x16.min_u(levelsOf<Number>(from + 64, zero, by, half), most);
    }
    storeLevels(to, first, last, bits);
    from += blockElements << 2;
    to += bits === 5 ? 20 : 16;
  }
}

/** The levels of a block: with 5 bits first those of the highest bit, then the lower four. */
function storeLevels(to: usize, first: v128, last: v128, bits: i32): void {
  if (bits === 5) {
    store<u16>(to, <u16>i8x16.bitmask(i8x16.shl(first, 3)));
    store<u16>(to, <u16>i8x16.bitmask(i8x16.shl(last, 3)), 2);
    to += 4;
    first = v128.and(first, i8x16.splat(15));
  }
  v128.store(to, v128.or(first, i8x16.shl(last, 4)));
}

/** Of each of four blocks the number of the largest size, with its sign; one that is not finite where sizes of both signs are equal. */
function extremesOf(from: usize, zero: v128, mask: v128): v128 {
  const up = largestOfEach(
    largestAbove(from, zero),
    largestAbove(from + 128, zero),
    largestAbove(from + 256, zero),
    largestAbove(from + 384, zero),
  );
  // As numbers without a sign, the negative ones are larger than all others.
  const down = furthestOfEach(furthest(from), furthest(from + 128), furthest(from + 256), furthest(from + 384));
  const downSize = v128.and(v128.and(down, mask), i32x4.shr_s(down, 31));
  const isDown = i32x4.gt_s(downSize, up);
  return v128.or(v128.bitselect(down, up, isDown), v128.and(i32x4.eq(downSize, up), i32x4.splat(infinite)));
}

/** The largest bits of a block, lane by lane, of which the negative numbers have the sign; `zero` where all have it. */
function largestAbove(from: usize, zero: v128): v128 {
  const a = i32x4.max_s(i32x4.max_s(v128.load(from), zero), v128.load(from, 16));
  const b = i32x4.max_s(v128.load(from, 32), v128.load(from, 48));
  const c = i32x4.max_s(v128.load(from, 64), v128.load(from, 80));
  const d = i32x4.max_s(v128.load(from, 96), v128.load(from, 112));
  return i32x4.max_s(i32x4.max_s(a, b), i32x4.max_s(c, d));
}

function furthest(from: usize): v128 {
  const a = i32x4.max_u(v128.load(from), v128.load(from, 16));
  const b = i32x4.max_u(v128.load(from, 32), v128.load(from, 48));
  const c = i32x4.max_u(v128.load(from, 64), v128.load(from, 80));
  const d = i32x4.max_u(v128.load(from, 96), v128.load(from, 112));
  return i32x4.max_u(i32x4.max_u(a, b), i32x4.max_u(c, d));
}

function furthestOfEach(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i32x4.max_u(v128.shuffle<u32>(a, b, 0, 4, 1, 5), v128.shuffle<u32>(a, b, 2, 6, 3, 7));
  const cd = i32x4.max_u(v128.shuffle<u32>(c, d, 0, 4, 1, 5), v128.shuffle<u32>(c, d, 2, 6, 3, 7));
  return i32x4.max_u(v128.shuffle<u32>(ab, cd, 0, 1, 4, 5), v128.shuffle<u32>(ab, cd, 2, 3, 6, 7));
}

/** Four blocks around zero, of which the lanes have the inverses of the scales and the scales as F16. */
function each<Number>(from: usize, inverses: v128, scales: v128, half: v128, most: v128, to: usize, bits: i32): void {
  for (let block = 0; block < 4; block += 1) {
    usual<Number>(from, firstEverywhere(inverses), half, most, <u16>i32x4.extract_lane(scales, 0), to, bits);
    inverses = turned(inverses);
    scales = turned(scales);
    from += blockElements << 2;
    to += bits === 5 ? 22 : 18;
  }
}

/** A block around zero whose scale is neither zero nor infinite. */
function usual<Number>(from: usize, by: v128, half: v128, most: v128, scale: u16, to: usize, bits: i32): void {
  store<u16>(to, scale);
  const first = bytesOf(
    usualTo<Number>(from, by, half),
    usualTo<Number>(from + 16, by, half),
    usualTo<Number>(from + 32, by, half),
    usualTo<Number>(from + 48, by, half),
  );
  const last = bytesOf(
    usualTo<Number>(from + 64, by, half),
    usualTo<Number>(from + 80, by, half),
    usualTo<Number>(from + 96, by, half),
    usualTo<Number>(from + 112, by, half),
  );
  storeLevels(to + 2, i8x16.min_u(first, most), i8x16.min_u(last, most), bits);
}

function usualTo<Number>(at: usize, by: v128, half: v128): v128 {
  return i32x4.relaxed_trunc_f32x4_s(scaled<Number>(v128.load(at), by, half));
}

/** `blocks` blocks of 32 numbers F32 as Q4_0, 18 bytes each. */
export function quantiseQ4_0(from: usize, blocks: usize, to: usize, isFused: bool): void {
  if (isFused) quantise<f64>(from, blocks, to, 4, false);
  else quantise<f32>(from, blocks, to, 4, false);
}

/** `blocks` blocks of 32 numbers F32 as Q4_1, 20 bytes each. */
export function quantiseQ4_1(from: usize, blocks: usize, to: usize, isFused: bool): void {
  if (isFused) quantise<f64>(from, blocks, to, 4, true);
  else quantise<f32>(from, blocks, to, 4, true);
}

/** `blocks` blocks of 32 numbers F32 as Q5_0, 22 bytes each. */
export function quantiseQ5_0(from: usize, blocks: usize, to: usize, isFused: bool): void {
  if (isFused) quantise<f64>(from, blocks, to, 5, false);
  else quantise<f32>(from, blocks, to, 5, false);
}

/** `blocks` blocks of 32 numbers F32 as Q5_1, 24 bytes each. */
export function quantiseQ5_1(from: usize, blocks: usize, to: usize, isFused: bool): void {
  if (isFused) quantise<f64>(from, blocks, to, 5, true);
  else quantise<f32>(from, blocks, to, 5, true);
}
