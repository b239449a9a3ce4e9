/**
 * Splits the elements or blocks of a tensor into streams of like bytes, and joins them again. Every split has its join,
 * and both are exact for all bytes. Ranges of input and output do not overlap.
 */

/** Byte 0 and byte 1 of 16 numbers of 16 bits, as 16 bytes each. */
function lowBytes(a: v128, b: v128): v128 {
  const mask = i16x8.splat(255);
  return i8x16.narrow_i16x8_u(v128.and(a, mask), v128.and(b, mask));
}

function highBytes(a: v128, b: v128): v128 {
  return i8x16.narrow_i16x8_u(i16x8.shr_u(a, 8), i16x8.shr_u(b, 8));
}

/** The 8 numbers of 16 bits whose low and high bytes are the first or the last 8 of `low` and `high`. */
export function firstWords(low: v128, high: v128): v128 {
  return v128.shuffle<u8>(low, high, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

export function lastWords(low: v128, high: v128): v128 {
  return v128.shuffle<u8>(low, high, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

/** Rotated one bit to the left, the sign becomes the last bit and the exponent begins the high byte. */
function signLast(words: v128): v128 {
  return v128.or(i16x8.shl(words, 1), i16x8.shr_u(words, 15));
}

function signFirst(words: v128): v128 {
  return v128.or(i16x8.shr_u(words, 1), i16x8.shl(words, 15));
}

/** `count` numbers of 16 bits: the high byte of each, rotated one bit to the left, to `high`, the low byte to `low`. */
export function splitFloat16(from: usize, count: usize, high: usize, low: usize): void {
  let i: usize = 0;
  while (i + 16 <= count) {
    const at = from + (i << 1);
    const a = signLast(v128.load(at));
    const b = signLast(v128.load(at, 16));
    v128.store(high + i, highBytes(a, b));
    v128.store(low + i, lowBytes(a, b));
    i += 16;
  }
  while (i < count) {
    const word = <u32>load<u16>(from + (i << 1));
    const turned = (word << 1) | (word >> 15);
    store<u8>(high + i, turned >> 8);
    store<u8>(low + i, turned);
    i += 1;
  }
}

export function joinFloat16(to: usize, count: usize, high: usize, low: usize): void {
  let i: usize = 0;
  while (i + 16 <= count) {
    const at = to + (i << 1);
    const h = v128.load(high + i);
    const l = v128.load(low + i);
    v128.store(at, signFirst(firstWords(l, h)));
    v128.store(at, signFirst(lastWords(l, h)), 16);
    i += 16;
  }
  while (i < count) {
    const turned = ((<u32>load<u8>(high + i)) << 8) | load<u8>(low + i);
    store<u16>(to + (i << 1), (turned >> 1) | (turned << 15));
    i += 1;
  }
}

/** The low and the high halves of 8 numbers of 32 bits. */
function lowHalves(a: v128, b: v128): v128 {
  return v128.shuffle<u16>(a, b, 0, 2, 4, 6, 8, 10, 12, 14);
}

function highHalves(a: v128, b: v128): v128 {
  return v128.shuffle<u16>(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
}

function firstLongs(low: v128, high: v128): v128 {
  return v128.shuffle<u16>(low, high, 0, 8, 1, 9, 2, 10, 3, 11);
}

function lastLongs(low: v128, high: v128): v128 {
  return v128.shuffle<u16>(low, high, 4, 12, 5, 13, 6, 14, 7, 15);
}

/**
 * `count` numbers of 32 bits to four streams of `count` bytes, one after the other at `streams`: the upper halves as
 * splitFloat16 does, then byte 1, then byte 0.
 */
export function splitFloat32(from: usize, count: usize, streams: usize): void {
  const second = streams + count;
  const third = second + count;
  const fourth = third + count;
  let i: usize = 0;
  while (i + 16 <= count) {
    const at = from + (i << 2);
    const a = v128.load(at);
    const b = v128.load(at, 16);
    const c = v128.load(at, 32);
    const d = v128.load(at, 48);
    const high1 = signLast(highHalves(a, b));
    const high2 = signLast(highHalves(c, d));
    const low1 = lowHalves(a, b);
    const low2 = lowHalves(c, d);
    v128.store(streams + i, highBytes(high1, high2));
    v128.store(second + i, lowBytes(high1, high2));
    v128.store(third + i, highBytes(low1, low2));
    v128.store(fourth + i, lowBytes(low1, low2));
    i += 16;
  }
  while (i < count) {
    const long = load<u32>(from + (i << 2));
    const high = long >> 16;
    const turned = (high << 1) | (high >> 15);
    store<u8>(streams + i, turned >> 8);
    store<u8>(second + i, turned);
    store<u8>(third + i, long >> 8);
    store<u8>(fourth + i, long);
    i += 1;
  }
}

export function joinFloat32(to: usize, count: usize, streams: usize): void {
  const second = streams + count;
  const third = second + count;
  const fourth = third + count;
  let i: usize = 0;
  while (i + 16 <= count) {
    const at = to + (i << 2);
    const h = v128.load(streams + i);
    const l = v128.load(second + i);
    const p = v128.load(third + i);
    const q = v128.load(fourth + i);
    const high1 = signFirst(firstWords(l, h));
    const high2 = signFirst(lastWords(l, h));
    const low1 = firstWords(q, p);
    const low2 = lastWords(q, p);
    v128.store(at, firstLongs(low1, high1));
    v128.store(at, lastLongs(low1, high1), 16);
    v128.store(at, firstLongs(low2, high2), 32);
    v128.store(at, lastLongs(low2, high2), 48);
    i += 16;
  }
  while (i < count) {
    const turned = ((<u32>load<u8>(streams + i)) << 8) | load<u8>(second + i);
    const high = ((turned >> 1) | (turned << 15)) & 0xffff;
    store<u32>(to + (i << 2), (high << 16) | ((<u32>load<u8>(third + i)) << 8) | load<u8>(fourth + i));
    i += 1;
  }
}

/** Copies a few bytes, without the call that memory.copy is. */
function copyField(to: usize, from: usize, width: usize): void {
  if (width >= 16) {
    const last = width - 16;
    let i: usize = 0;
    while (i < last) {
      v128.store(to + i, v128.load(from + i));
      i += 16;
    }
    v128.store(to + last, v128.load(from + last));
    return;
  }
  let i: usize = 0;
  while (i + 4 <= width) {
    store<u32>(to + i, load<u32>(from + i));
    i += 4;
  }
  while (i < width) {
    store<u8>(to + i, load<u8>(from + i));
    i += 1;
  }
}

/** `width` bytes of each of `count` units of `stride` bytes, from `from` in the first, one after the other to `to`. */
export function gatherField(from: usize, stride: usize, width: usize, count: usize, to: usize): void {
  if (width === stride) {
    memory.copy(to, from, width * count);
    return;
  }
  const end = to + width * count;
  if (width === 1) {
    while (to < end) {
      store<u8>(to, load<u8>(from));
      to += 1;
      from += stride;
    }
    return;
  }
  while (to < end) {
    copyField(to, from, width);
    to += width;
    from += stride;
  }
}

export function scatterField(to: usize, stride: usize, width: usize, count: usize, from: usize): void {
  if (width === stride) {
    memory.copy(to, from, width * count);
    return;
  }
  const end = from + width * count;
  if (width === 1) {
    while (from < end) {
      store<u8>(to, load<u8>(from));
      from += 1;
      to += stride;
    }
    return;
  }
  while (from < end) {
    copyField(to, from, width);
    from += width;
    to += stride;
  }
}

/** Bytes of one term of a plan for mergeBits. */
const termBytes: usize = 4;

/**
 * Of each of `count` units of `stride` bytes, 16 bytes for each row of a plan, one after the other to `to`. A row is
 * `terms` terms of 4 bytes o, r, m, l; byte i is all of (byte o + i of the unit >> r & m) << l together.
 */
export function mergeBits(
  from: usize,
  stride: usize,
  count: usize,
  plan: usize,
  rows: usize,
  terms: usize,
  to: usize,
): void {
  const endOfPlan = plan + rows * terms * termBytes;
  const end = from + stride * count;
  while (from < end) {
    let term = plan;
    while (term < endOfPlan) {
      let merged = i8x16.splat(0);
      for (let i: usize = 0; i < terms; i += 1) {
        const bytes = v128.load(from + load<u8>(term));
        // Shifts of 16 bits: what comes from the neighbour is masked away.
        const bits = v128.and(i16x8.shr_u(bytes, load<u8>(term, 1)), i8x16.splat(load<u8>(term, 2)));
        merged = v128.or(merged, i16x8.shl(bits, load<u8>(term, 3)));
        term += termBytes;
      }
      v128.store(to, merged);
      to += 16;
    }
    from += stride;
  }
}

/** Sets the bits again that mergeBits took; those bits of the units are 0 before. Other bits are ignored. */
export function spreadBits(
  to: usize,
  stride: usize,
  count: usize,
  plan: usize,
  rows: usize,
  terms: usize,
  from: usize,
): void {
  const endOfPlan = plan + rows * terms * termBytes;
  const end = to + stride * count;
  while (to < end) {
    let term = plan;
    while (term < endOfPlan) {
      const merged = v128.load(from);
      for (let i: usize = 0; i < terms; i += 1) {
        const bits = v128.and(i16x8.shr_u(merged, load<u8>(term, 3)), i8x16.splat(load<u8>(term, 2)));
        const at = to + load<u8>(term);
        v128.store(at, v128.or(v128.load(at), i16x8.shl(bits, load<u8>(term, 1))));
        term += termBytes;
      }
      from += 16;
    }
    to += stride;
  }
}

/**
 * Of each unit 32 numbers of 5 bits: number i < 16 is the low half of byte `nibbles` + i and above it bit i of the 32
 * bits at `bits`, number 16 + i the high half and bit 16 + i. The upper four bits of numbers i and 16 + i are the halves
 * of byte i of 16 bytes in `pairs`; the lowest bit of number i is bit i of 4 bytes in `lows`.
 */
export function mergeFifths(
  from: usize,
  stride: usize,
  count: usize,
  bits: usize,
  nibbles: usize,
  pairs: usize,
  lows: usize,
): void {
  const upper = i8x16.splat(0x77);
  const end = from + stride * count;
  while (from < end) {
    const halves = v128.load(from + nibbles);
    const fifths = load<u32>(from + bits);
    const ones = v128.or(
      v128.and(spreadOf(fifths), i8x16.splat(8)),
      v128.and(spreadOf(fifths >> 16), i8x16.splat(-128)),
    );
    v128.store(pairs, v128.or(v128.and(i16x8.shr_u(halves, 1), upper), ones));
    store<u16>(lows, <u16>i8x16.bitmask(i8x16.shl(halves, 7)));
    store<u16>(lows, <u16>i8x16.bitmask(i8x16.shl(halves, 3)), 2);
    pairs += 16;
    lows += 4;
    from += stride;
  }
}

/** Writes the nibbles and bits of all units again. */
export function spreadFifths(
  to: usize,
  stride: usize,
  count: usize,
  bits: usize,
  nibbles: usize,
  pairs: usize,
  lows: usize,
): void {
  const upper = i8x16.splat(0x77);
  const end = to + stride * count;
  while (to < end) {
    const merged = v128.load(pairs);
    const ones = load<u32>(lows);
    const lowest = v128.or(v128.and(spreadOf(ones), i8x16.splat(1)), v128.and(spreadOf(ones >> 16), i8x16.splat(16)));
    v128.store(to + nibbles, v128.or(i16x8.shl(v128.and(merged, upper), 1), lowest));
    // The sign bits of bytes: bit 3 of each, and bit 7.
    store<u16>(to + bits, <u16>i8x16.bitmask(i8x16.shl(merged, 4)));
    store<u16>(to + bits + 2, <u16>i8x16.bitmask(merged));
    pairs += 16;
    lows += 4;
    to += stride;
  }
}

/** Byte i is all ones when bit i of the lowest 16 is one. */
function spreadOf(bits: u32): v128 {
  const each = i8x16(1, 2, 4, 8, 16, 32, 64, -128, 1, 2, 4, 8, 16, 32, 64, -128);
  const words = i32x4.splat(bits);
  const bytes = v128.shuffle<u8>(words, words, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1);
  return i8x16.eq(v128.and(bytes, each), each);
}

/** Copies `length` bytes. */
export function copyRange(from: usize, length: usize, to: usize): void {
  memory.copy(to, from, length);
}

/** Makes `length` bytes 0. */
export function clearRange(at: usize, length: usize): void {
  memory.fill(at, 0, length);
}

/** Whether `length` bytes at `a` and at `b` are the same. */
export function equalRanges(a: usize, b: usize, length: usize): bool {
  let i: usize = 0;
  while (i + 64 <= length) {
    const one = v128.or(
      v128.xor(v128.load(a + i), v128.load(b + i)),
      v128.xor(v128.load(a + i, 16), v128.load(b + i, 16)),
    );
    const other = v128.or(
      v128.xor(v128.load(a + i, 32), v128.load(b + i, 32)),
      v128.xor(v128.load(a + i, 48), v128.load(b + i, 48)),
    );
    if (v128.any_true(v128.or(one, other))) return false;
    i += 64;
  }
  while (i < length) {
    if (load<u8>(a + i) !== load<u8>(b + i)) return false;
    i += 1;
  }
  return true;
}
