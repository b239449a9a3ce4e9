/**
 * Elements that are not finite: those whose exponent has all its bits, whatever the rest says (an infinity or a NaN).
 * An element is read as the unsigned number T of its size; `exponent` has the bits of the exponent set. Elements may
 * lie at any offset, aligned or not.
 */

function hits<T>(at: usize, exponents: v128): v128 {
  return v128.eq<T>(v128.and(v128.load(at), exponents), exponents);
}

function isNonFinite<T>(at: usize, exponent: T): bool {
  return (load<T>(at) & exponent) === exponent;
}

/** The number of the first of `count` elements from `start` on that is not finite, or -1. */
function firstNonFinite<T>(start: usize, count: usize, exponent: T): i32 {
  const exponents = v128.splat<T>(exponent);
  const end = start + count * sizeof<T>();
  let at = start;
  while (at + 64 <= end) {
    const low = v128.or(hits<T>(at, exponents), hits<T>(at + 16, exponents));
    const high = v128.or(hits<T>(at + 32, exponents), hits<T>(at + 48, exponents));
    if (v128.any_true(v128.or(low, high))) break;
    at += 64;
  }
  while (at < end) {
    if (isNonFinite<T>(at, exponent)) return <i32>((at - start) / sizeof<T>());
    at += sizeof<T>();
  }
  return -1;
}

/** Turns after which lanes of 16 bits are emptied: each may have counted 4 a turn by then, and must hold 65,535. */
const turnsToHold: usize = 16_000;

/** How many of `count` elements from `start` on are not finite. */
function countNonFinite<T>(start: usize, count: usize, exponent: T): u32 {
  const exponents = v128.splat<T>(exponent);
  const end = start + count * sizeof<T>();
  let total: u32 = 0;
  let at = start;
  while (at + 64 <= end) {
    const stop = min(at + 64 * turnsToHold, at + ((end - at) & ~63));
    let counts = v128.splat<T>(0);
    while (at < stop) {
      // A hit is a lane of ones, which is -1.
      counts = v128.sub<T>(counts, hits<T>(at, exponents));
      counts = v128.sub<T>(counts, hits<T>(at + 16, exponents));
      counts = v128.sub<T>(counts, hits<T>(at + 32, exponents));
      counts = v128.sub<T>(counts, hits<T>(at + 48, exponents));
      at += 64;
    }
    total += sumOf<T>(counts);
  }
  while (at < end) {
    total += u32(isNonFinite<T>(at, exponent));
    at += sizeof<T>();
  }
  return total;
}

function sumOf<T>(counts: v128): u32 {
  // Lanes of 64 bits count far less than 2^32, so as lanes of 32 bits every second one is 0.
  const lanes = sizeof<T>() === 2 ? i32x4.extadd_pairwise_i16x8_u(counts) : counts;
  return (
    i32x4.extract_lane(lanes, 0) +
    i32x4.extract_lane(lanes, 1) +
    i32x4.extract_lane(lanes, 2) +
    i32x4.extract_lane(lanes, 3)
  );
}

const exponentF64: u64 = 0x7ff0_0000_0000_0000;
const exponentF32: u32 = 0x7f80_0000;
const exponentF16: u16 = 0x7c00;
const exponentBF16: u16 = 0x7f80;

export function firstNonFiniteF64(start: usize, count: usize): i32 {
  return firstNonFinite<u64>(start, count, exponentF64);
}

export function firstNonFiniteF32(start: usize, count: usize): i32 {
  return firstNonFinite<u32>(start, count, exponentF32);
}

export function firstNonFiniteF16(start: usize, count: usize): i32 {
  return firstNonFinite<u16>(start, count, exponentF16);
}

export function firstNonFiniteBF16(start: usize, count: usize): i32 {
  return firstNonFinite<u16>(start, count, exponentBF16);
}

export function countNonFiniteF64(start: usize, count: usize): u32 {
  return countNonFinite<u64>(start, count, exponentF64);
}

export function countNonFiniteF32(start: usize, count: usize): u32 {
  return countNonFinite<u32>(start, count, exponentF32);
}

export function countNonFiniteF16(start: usize, count: usize): u32 {
  return countNonFinite<u16>(start, count, exponentF16);
}

export function countNonFiniteBF16(start: usize, count: usize): u32 {
  return countNonFinite<u16>(start, count, exponentBF16);
}
