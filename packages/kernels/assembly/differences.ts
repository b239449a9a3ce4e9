/**
 * Numbers as their difference from those of a base (docs/format.md, The delta codec): z = 2d, or −2d − 1 where d < 0, of
 * the difference d of both modulo 2^bits, where floats count as their rank among all floats: ord = u for those without
 * sign, −u − 1 for the rest, u being what the other bits say. Exact for every bit pattern. A z of 16 bits and more is a
 * token, its length and its next two bits, and the bits that are left.
 */
import { zeroOf } from './held';
import { firstWords, lastWords } from './streams';

/** The lowest bits that stand where a sign bit is shifted to the right over all of a number: nothing or all ones. */
function rank16(u: v128, signs: v128): v128 {
  return v128.xor(v128.andnot(u, signs), i16x8.shr_s(u, 15));
}

function unrank16(ord: v128, signs: v128): v128 {
  const sign = i16x8.shr_s(ord, 15);
  return v128.or(v128.xor(ord, sign), v128.and(sign, signs));
}

function rank32(u: v128): v128 {
  return v128.xor(v128.and(u, i32x4.splat(0x7fffffff)), i32x4.shr_s(u, 31));
}

function unrank32(ord: v128): v128 {
  const sign = i32x4.shr_s(ord, 31);
  return v128.or(v128.xor(ord, sign), v128.and(sign, i32x4.splat(-2147483648)));
}

function rank<T extends number>(u: T, isFloat: bool): T {
  const bits: T = <T>(sizeof<T>() * 8 - 1);
  return isFloat ? <T>((u & ~((<T>1) << bits)) ^ (u >> bits)) : u;
}

function unrank<T extends number>(ord: T, isFloat: bool): T {
  const bits: T = <T>(sizeof<T>() * 8 - 1);
  const sign: T = ord >> bits;
  return isFloat ? <T>((ord ^ sign) | (sign & ((<T>1) << bits))) : ord;
}

/** Of a float with three bits, whose exponent is 129, the exponent and the next two bits are this and its token, 4. */
const shownLess: i32 = (129 << 2) - 4;

/** The token of each of four z, which are `floats` as such, where it `isLong`, more than 3; `less` is `shownLess`. */
function shown(z: v128, floats: v128, isLong: v128, less: v128): v128 {
  // As a float a number shows how long it is and its next two bits.
  return v128.bitselect(i32x4.sub(i32x4.shr_u(floats, 21), less), z, isLong);
}

/** The tokens of four z below 2^24; `three` is 3 everywhere. */
function tokensOf(z: v128, less: v128, three: v128): v128 {
  return shown(z, f32x4.convert_i32x4_s(z), i32x4.gt_s(z, three), less);
}

/** The same for any z: bits that no float holds are left out before they could round it up. */
function tokensOfLong(z: v128, less: v128, three: v128): v128 {
  const isLong = i32x4.ne(i32x4.shr_u(z, 24), i32x4.splat(0));
  const short = v128.andnot(z, v128.and(isLong, i32x4.splat(255)));
  return shown(short, f32x4.convert_i32x4_u(short), i32x4.gt_u(short, three), less);
}

function tokenOf(z: u64): u32 {
  if (z < 4) return <u32>z;
  const length = 64 - <u32>clz(z);
  return ((length - 2) << 2) | <u32>((z >> (length - 3)) & 3);
}

/** `count` numbers of 16 bits at `numbers` become their z; the token of each goes to `tokens`. */
export function differ16(numbers: usize, base: usize, count: usize, isFloat: bool, tokens: usize): void {
  const zero = zeroOf(count);
  const signs = v128.xor(zero, i16x8.splat(-32768));
  const less = v128.xor(zero, i32x4.splat(shownLess));
  const three = v128.xor(zero, i32x4.splat(3));
  let i: usize = 0;
  while (i + 16 <= count) {
    const at = numbers + (i << 1);
    const from = base + (i << 1);
    const a = zOf16(v128.load(at), v128.load(from), isFloat, signs);
    const b = zOf16(v128.load(at, 16), v128.load(from, 16), isFloat, signs);
    v128.store(at, a);
    v128.store(at, b, 16);
    const first = i16x8.narrow_i32x4_u(
      tokensOf(i32x4.extend_low_i16x8_u(a), less, three),
      tokensOf(i32x4.extend_high_i16x8_u(a), less, three),
    );
    const last = i16x8.narrow_i32x4_u(
      tokensOf(i32x4.extend_low_i16x8_u(b), less, three),
      tokensOf(i32x4.extend_high_i16x8_u(b), less, three),
    );
    v128.store(tokens + i, i8x16.narrow_i16x8_u(first, last));
    i += 16;
  }
  while (i < count) {
    const at = numbers + (i << 1);
    const d = <i16>(rank<i16>(load<i16>(at), isFloat) - rank<i16>(load<i16>(base + (i << 1)), isFloat));
    const z = <u16>((d << 1) ^ (d >> 15));
    store<u16>(at, z);
    store<u8>(tokens + i, tokenOf(z));
    i += 1;
  }
}

function zOf16(u: v128, base: v128, isFloat: bool, signs: v128): v128 {
  const d = isFloat ? i16x8.sub(rank16(u, signs), rank16(base, signs)) : i16x8.sub(u, base);
  return v128.xor(i16x8.shl(d, 1), i16x8.shr_s(d, 15));
}

/** `count` z at `numbers` become the numbers again. */
export function undiffer16(numbers: usize, base: usize, count: usize, isFloat: bool): void {
  const zero = zeroOf(count);
  const signs = v128.xor(zero, i16x8.splat(-32768));
  const one = v128.xor(zero, i16x8.splat(1));
  let i: usize = 0;
  while (i + 8 <= count) {
    const at = numbers + (i << 1);
    const z = v128.load(at);
    const u = v128.load(base + (i << 1));
    const d = v128.xor(i16x8.shr_u(z, 1), i16x8.neg(v128.and(z, one)));
    v128.store(at, isFloat ? unrank16(i16x8.add(d, rank16(u, signs)), signs) : i16x8.add(d, u));
    i += 8;
  }
  while (i < count) {
    const at = numbers + (i << 1);
    const z = load<u16>(at);
    const d = <i16>(z >> 1) ^ -(<i16>(z & 1));
    store<i16>(at, unrank<i16>(<i16>(d + rank<i16>(load<i16>(base + (i << 1)), isFloat)), isFloat));
    i += 1;
  }
}

export function differ32(numbers: usize, base: usize, count: usize, isFloat: bool, tokens: usize): void {
  const zero = zeroOf(count);
  const less = v128.xor(zero, i32x4.splat(shownLess));
  const three = v128.xor(zero, i32x4.splat(3));
  let i: usize = 0;
  while (i + 16 <= count) {
    const at = numbers + (i << 2);
    const from = base + (i << 2);
    const a = zOf32(v128.load(at), v128.load(from), isFloat);
    const b = zOf32(v128.load(at, 16), v128.load(from, 16), isFloat);
    const c = zOf32(v128.load(at, 32), v128.load(from, 32), isFloat);
    const d = zOf32(v128.load(at, 48), v128.load(from, 48), isFloat);
    v128.store(at, a);
    v128.store(at, b, 16);
    v128.store(at, c, 32);
    v128.store(at, d, 48);
    const first = i16x8.narrow_i32x4_u(tokensOfLong(a, less, three), tokensOfLong(b, less, three));
    const last = i16x8.narrow_i32x4_u(tokensOfLong(c, less, three), tokensOfLong(d, less, three));
    v128.store(tokens + i, i8x16.narrow_i16x8_u(first, last));
    i += 16;
  }
  while (i < count) {
    const at = numbers + (i << 2);
    const d = rank<i32>(load<i32>(at), isFloat) - rank<i32>(load<i32>(base + (i << 2)), isFloat);
    const z = <u32>((d << 1) ^ (d >> 31));
    store<u32>(at, z);
    store<u8>(tokens + i, tokenOf(z));
    i += 1;
  }
}

function zOf32(u: v128, base: v128, isFloat: bool): v128 {
  const d = isFloat ? i32x4.sub(rank32(u), rank32(base)) : i32x4.sub(u, base);
  return v128.xor(i32x4.shl(d, 1), i32x4.shr_s(d, 31));
}

export function undiffer32(numbers: usize, base: usize, count: usize, isFloat: bool): void {
  let i: usize = 0;
  while (i + 4 <= count) {
    const at = numbers + (i << 2);
    const z = v128.load(at);
    const u = v128.load(base + (i << 2));
    const d = v128.xor(i32x4.shr_u(z, 1), i32x4.neg(v128.and(z, i32x4.splat(1))));
    v128.store(at, isFloat ? unrank32(i32x4.add(d, rank32(u))) : i32x4.add(d, u));
    i += 4;
  }
  while (i < count) {
    const at = numbers + (i << 2);
    const z = load<u32>(at);
    const d = <i32>(z >> 1) ^ -(<i32>(z & 1));
    store<i32>(at, unrank<i32>(d + rank<i32>(load<i32>(base + (i << 2)), isFloat), isFloat));
    i += 1;
  }
}

export function differ64(numbers: usize, base: usize, count: usize, isFloat: bool, tokens: usize): void {
  for (let i: usize = 0; i < count; i += 1) {
    const at = numbers + (i << 3);
    const d = rank<i64>(load<i64>(at), isFloat) - rank<i64>(load<i64>(base + (i << 3)), isFloat);
    const z = <u64>((d << 1) ^ (d >> 63));
    store<u64>(at, z);
    store<u8>(tokens + i, tokenOf(z));
  }
}

export function undiffer64(numbers: usize, base: usize, count: usize, isFloat: bool): void {
  for (let i: usize = 0; i < count; i += 1) {
    const at = numbers + (i << 3);
    const z = load<u64>(at);
    const d = <i64>(z >> 1) ^ -(<i64>(z & 1));
    store<i64>(at, unrank<i64>(d + rank<i64>(load<i64>(base + (i << 3)), isFloat), isFloat));
  }
}

/** Bits of z that its token does not tell. */
function restOf(token: u32): u32 {
  const quarter = token >> 2;
  return quarter - u32(quarter !== 0);
}

/** Bits that `count` tokens do not tell. */
export function restBits(tokens: usize, count: usize): u32 {
  let sums = i32x4.splat(0);
  let i: usize = 0;
  while (i + 16 <= count) {
    const rests = i8x16.sub_sat_u(i8x16.shr_u(v128.load(tokens + i), 2), i8x16.splat(1));
    sums = i32x4.add(sums, i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(rests)));
    i += 16;
  }
  let bits =
    i32x4.extract_lane(sums, 0) +
    i32x4.extract_lane(sums, 1) +
    i32x4.extract_lane(sums, 2) +
    i32x4.extract_lane(sums, 3);
  while (i < count) {
    bits += restOf(load<u8>(tokens + i));
    i += 1;
  }
  return bits;
}

/** Two to the power of each of 16 numbers below 16: its upper or its lower byte. */
function highPowers(): v128 {
  return i8x16(0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, -128);
}

function lowPowers(): v128 {
  return i8x16(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0);
}

/** Bits of z that each of 16 tokens does not tell. */
function restsOf(tokens: v128, one: v128): v128 {
  return i8x16.sub_sat_u(i8x16.shr_u(tokens, 2), one);
}

/** The sum of the bytes of a number, below 256. */
function sumOfBytes(four: u32): u32 {
  return (four * 0x0101_0101) >> 24;
}

/** What four numbers have left, of which pairs were put together, and how long: the second pair goes above the first. */
function joined(pairs: u64, rests: u32): u64 {
  return (pairs & 0xffff_ffff) | ((pairs >> 32) << (<u64>((rests & 255) + ((rests >> 8) & 255))));
}

/** Writes the bits of each z that its token does not tell, lowest first, from `to` on; the end of the last byte. */
export function writeRest16(z: usize, tokens: usize, count: usize, to: usize): usize {
  const zero = zeroOf(count);
  const high = v128.xor(zero, highPowers());
  const low = v128.xor(zero, lowPowers());
  const one8 = v128.xor(zero, i8x16.splat(1));
  const one16 = v128.xor(zero, i16x8.splat(1));
  const one32 = v128.xor(zero, i32x4.splat(1));
  let bits: u64 = 0;
  let held: u64 = 0;
  let i: usize = 0;
  while (i + 16 <= count) {
    const rests = restsOf(v128.load(tokens + i), one8);
    const lowBytes = i8x16.swizzle(low, rests);
    const highBytes = i8x16.swizzle(high, rests);
    for (let part: usize = 0; part < 2; part += 1) {
      const powers = part === 0 ? firstWords(lowBytes, highBytes) : lastWords(lowBytes, highBytes);
      const left = v128.and(v128.load(z + ((i + 8 * part) << 1)), i16x8.sub(powers, one16));
      // The first of each two, and the second times 2 to the power of how long the first is: 26 bits at most.
      const pairs = i32x4.dot_i16x8_s(left, v128.or(i32x4.shl(powers, 16), one32));
      const lengths = part === 0 ? i64x2.extract_lane(rests, 0) : i64x2.extract_lane(rests, 1);
      for (let half = 0; half < 2; half += 1) {
        // Four rests of up to 13 bits, and up to 7 that are held, go into one number.
        const four = <u32>(half === 0 ? lengths : lengths >> 32);
        bits |= joined(half === 0 ? i64x2.extract_lane(pairs, 0) : i64x2.extract_lane(pairs, 1), four) << held;
        held += <u64>sumOfBytes(four);
        store<u64>(to, bits);
        to += <usize>(held >> 3);
        bits >>= held & 56;
        held &= 7;
      }
    }
    i += 16;
  }
  while (i < count) {
    const rest = <u64>restOf(load<u8>(tokens + i));
    bits |= (<u64>load<u16>(z + (i << 1)) & (((<u64>1) << rest) - 1)) << held;
    held += rest;
    store<u64>(to, bits);
    to += <usize>(held >> 3);
    bits >>= held & 56;
    held &= 7;
    i += 1;
  }
  return to + usize(held !== 0);
}

export function writeRest32(z: usize, tokens: usize, count: usize, to: usize): usize {
  let bits: u64 = 0;
  let held: u64 = 0;
  for (let i: usize = 0; i < count; i += 1) {
    const rest = <u64>restOf(load<u8>(tokens + i));
    bits |= (<u64>load<u32>(z + (i << 2)) & (((<u64>1) << rest) - 1)) << held;
    held += rest;
    store<u64>(to, bits);
    to += <usize>(held >> 3);
    bits >>= held & 56;
    held &= 7;
  }
  return to + usize(held !== 0);
}

/** The same in two steps: up to 61 bits. */
export function writeRest64(z: usize, tokens: usize, count: usize, to: usize): usize {
  let bits: u64 = 0;
  let held: u64 = 0;
  for (let i: usize = 0; i < count; i += 1) {
    const rest = <u64>restOf(load<u8>(tokens + i));
    let value = load<u64>(z + (i << 3)) & (((<u64>1) << rest) - 1);
    let left = rest;
    for (let step = 0; step < 2; step += 1) {
      const part = min<u64>(left, 32);
      bits |= (value & (((<u64>1) << part) - 1)) << held;
      held += part;
      store<u64>(to, bits);
      to += <usize>(held >> 3);
      bits >>= held & 56;
      held &= 7;
      value >>= part;
      left -= part;
    }
  }
  return to + usize(held !== 0);
}

/**
 * Makes the z of `count` tokens with the bits at `from`, of which there are as many as restBits says. It looks at most 8
 * bytes beyond them. The tokens are those of numbers of this size.
 */
export function readRest16(tokens: usize, count: usize, from: usize, z: usize): void {
  const zero = zeroOf(count);
  const high = v128.xor(zero, highPowers());
  const low = v128.xor(zero, lowPowers());
  const one8 = v128.xor(zero, i8x16.splat(1));
  const one16 = v128.xor(zero, i16x8.splat(1));
  const three = v128.xor(zero, i8x16.splat(3));
  const four = v128.xor(zero, i8x16.splat(4));
  let bit: usize = 0;
  let i: usize = 0;
  while (i + 16 <= count) {
    const some = v128.load(tokens + i);
    const rests = restsOf(some, one8);
    const tops = v128.bitselect(some, v128.or(v128.and(some, three), four), i8x16.lt_u(some, four));
    const lowBytes = i8x16.swizzle(low, rests);
    const highBytes = i8x16.swizzle(high, rests);
    const firstPowers = firstWords(lowBytes, highBytes);
    const lastPowers = lastWords(lowBytes, highBytes);
    const at = z + (i << 1);
    const first = fourAfterFour(from, bit, <u32>i32x4.extract_lane(rests, 0), <u32>i32x4.extract_lane(rests, 1), zero);
    bit += sumOfBytes(<u32>i32x4.extract_lane(rests, 0)) + sumOfBytes(<u32>i32x4.extract_lane(rests, 1));
    const last = fourAfterFour(from, bit, <u32>i32x4.extract_lane(rests, 2), <u32>i32x4.extract_lane(rests, 3), zero);
    bit += sumOfBytes(<u32>i32x4.extract_lane(rests, 2)) + sumOfBytes(<u32>i32x4.extract_lane(rests, 3));
    const firstTops = i16x8.mul(i16x8.extend_low_i8x16_u(tops), firstPowers);
    const lastTops = i16x8.mul(i16x8.extend_high_i8x16_u(tops), lastPowers);
    v128.store(at, v128.or(firstTops, v128.and(first, i16x8.sub(firstPowers, one16))));
    v128.store(at, v128.or(lastTops, v128.and(last, i16x8.sub(lastPowers, one16))), 16);
    i += 16;
  }
  while (i < count) {
    const token = <u32>load<u8>(tokens + i);
    const rest = <u64>restOf(token);
    const bits = (load<u64>(from + (bit >> 3)) >> (<u64>bit & 7)) & (((<u64>1) << rest) - 1);
    bit += <usize>rest;
    store<u16>(z + (i << 1), <u16>(((<u64>topOf(token)) << rest) | bits));
    i += 1;
  }
}

/** The bits from where each of eight rests of up to 13 bits begins on, with others above them; their lengths are bytes. */
function fourAfterFour(from: usize, bit: usize, four: u32, others: u32, zero: v128): v128 {
  // Four have up to 52 bits, 57 are certain.
  let bits = load<u64>(from + (bit >> 3)) >> (<u64>bit & 7);
  let lanes = i16x8.replace_lane(zero, 0, <u16>bits);
  bits >>= <u64>four & 255;
  lanes = i16x8.replace_lane(lanes, 1, <u16>bits);
  bits >>= (<u64>four >> 8) & 255;
  lanes = i16x8.replace_lane(lanes, 2, <u16>bits);
  bits >>= (<u64>four >> 16) & 255;
  lanes = i16x8.replace_lane(lanes, 3, <u16>bits);
  bit += sumOfBytes(four);
  bits = load<u64>(from + (bit >> 3)) >> (<u64>bit & 7);
  lanes = i16x8.replace_lane(lanes, 4, <u16>bits);
  bits >>= <u64>others & 255;
  lanes = i16x8.replace_lane(lanes, 5, <u16>bits);
  bits >>= (<u64>others >> 8) & 255;
  lanes = i16x8.replace_lane(lanes, 6, <u16>bits);
  bits >>= (<u64>others >> 16) & 255;
  return i16x8.replace_lane(lanes, 7, <u16>bits);
}

export function readRest32(tokens: usize, count: usize, from: usize, z: usize): void {
  let bit: usize = 0;
  for (let i: usize = 0; i < count; i += 1) {
    const token = <u32>load<u8>(tokens + i);
    const rest = <u64>restOf(token);
    const bits = (load<u64>(from + (bit >> 3)) >> (<u64>bit & 7)) & (((<u64>1) << rest) - 1);
    bit += <usize>rest;
    store<u32>(z + (i << 2), <u32>(((<u64>topOf(token)) << rest) | bits));
  }
}

export function readRest64(tokens: usize, count: usize, from: usize, z: usize): void {
  let bit: usize = 0;
  for (let i: usize = 0; i < count; i += 1) {
    const token = <u32>load<u8>(tokens + i);
    const rest = restOf(token);
    const low = min<u32>(rest, 32);
    const high = rest - low;
    const first = bitsAt(from, bit, low);
    const second = bitsAt(from, bit + low, high);
    bit += rest;
    store<u64>(z + (i << 3), ((<u64>topOf(token)) << (<u64>rest)) | (second << (<u64>low)) | first);
  }
}

function bitsAt(from: usize, bit: usize, count: u32): u64 {
  return (load<u64>(from + (bit >> 3)) >> (<u64>bit & 7)) & (((<u64>1) << (<u64>count)) - 1);
}

/** What a token tells of its z: z itself below 4, else its upper three bits. */
function topOf(token: u32): u32 {
  return select<u32>(token, (token & 3) | 4, token < 4);
}

/**
 * `count` numbers of `bits` bits, a byte each, become their z. Floats of 8 bits are ranked as those above; of numbers with
 * fewer bits the upper ones are 0.
 */
export function differ8(numbers: usize, base: usize, count: usize, bits: u32, isFloat: bool): void {
  const up = 8 - bits;
  const mask = <u8>(((<u32>1) << bits) - 1);
  let i: usize = 0;
  while (i + 16 <= count) {
    const u = v128.load(numbers + i);
    const b = v128.load(base + i);
    const d = isFloat ? i8x16.sub(rank8(u), rank8(b)) : i8x16.shr_s(i8x16.shl(i8x16.sub(u, b), up), up);
    const z = v128.xor(i8x16.shl(d, 1), i8x16.shr_s(d, 7));
    v128.store(numbers + i, v128.and(z, i8x16.splat(mask)));
    i += 16;
  }
  while (i < count) {
    const u = load<i8>(numbers + i);
    const b = load<i8>(base + i);
    const d = isFloat
      ? <i8>(rank<i8>(u, true) - rank<i8>(b, true))
      : <i8>(<i8>((<i32>u - <i32>b) << (<i32>up)) >> <i8>up);
    store<u8>(numbers + i, <u8>((d << 1) ^ (d >> 7)) & mask);
    i += 1;
  }
}

function rank8(u: v128): v128 {
  return v128.xor(v128.and(u, i8x16.splat(0x7f)), i8x16.shr_s(u, 7));
}

export function undiffer8(numbers: usize, base: usize, count: usize, bits: u32, isFloat: bool): void {
  const mask = <u8>(((<u32>1) << bits) - 1);
  let i: usize = 0;
  while (i + 16 <= count) {
    const z = v128.load(numbers + i);
    const b = v128.load(base + i);
    const d = v128.xor(i8x16.shr_u(z, 1), i8x16.neg(v128.and(z, i8x16.splat(1))));
    let u: v128;
    if (isFloat) {
      const ord = i8x16.add(d, rank8(b));
      const sign = i8x16.shr_s(ord, 7);
      u = v128.or(v128.xor(ord, sign), v128.and(sign, i8x16.splat(-128)));
    } else {
      u = v128.and(i8x16.add(d, b), i8x16.splat(mask));
    }
    v128.store(numbers + i, u);
    i += 16;
  }
  while (i < count) {
    const z = load<u8>(numbers + i);
    const b = load<i8>(base + i);
    const d = <i8>(z >> 1) ^ -(<i8>(z & 1));
    const u = isFloat ? <u8>unrank<i8>(<i8>(d + rank<i8>(b, true)), true) : <u8>(d + b) & mask;
    store<u8>(numbers + i, u);
    i += 1;
  }
}

/**
 * The class of each of `count` numbers of `size` bytes (1, 2, 4, 8), 0 to 15: what its bits but the first tell once they
 * are shifted to the right, less `low`; no less than 0 and no more than 15.
 */
export function classesOf(numbers: usize, count: usize, size: u32, shift: u32, low: u32, classes: usize): void {
  let i: usize = 0;
  if (size === 2) {
    const lows = i16x8.splat(<i16>low);
    while (i + 16 <= count) {
      const at = numbers + (i << 1);
      const a = i16x8.shr_u(v128.and(v128.load(at), i16x8.splat(0x7fff)), shift);
      const b = i16x8.shr_u(v128.and(v128.load(at, 16), i16x8.splat(0x7fff)), shift);
      const both = i8x16.narrow_i16x8_u(
        i16x8.min_u(i16x8.sub_sat_u(a, lows), i16x8.splat(15)),
        i16x8.min_u(i16x8.sub_sat_u(b, lows), i16x8.splat(15)),
      );
      v128.store(classes + i, both);
      i += 16;
    }
  } else if (size === 4) {
    while (i + 8 <= count) {
      const at = numbers + (i << 2);
      const a = i32x4.shr_u(v128.and(v128.load(at), i32x4.splat(0x7fffffff)), shift);
      const b = i32x4.shr_u(v128.and(v128.load(at, 16), i32x4.splat(0x7fffffff)), shift);
      const both = i16x8.narrow_i32x4_u(classIn(a, low), classIn(b, low));
      store<u64>(classes + i, v128.extract_lane<u64>(i8x16.narrow_i16x8_u(both, both), 0));
      i += 8;
    }
  }
  while (i < count) {
    const at = numbers + i * size;
    let value: u64;
    if (size === 1) value = load<u8>(at) & 0x7f;
    else if (size === 2) value = load<u16>(at) & 0x7fff;
    else if (size === 4) value = load<u32>(at) & 0x7fffffff;
    else value = load<u64>(at) & 0x7fffffffffffffff;
    value >>= shift;
    store<u8>(classes + i, value > low ? min<u64>(value - low, 15) : 0);
    i += 1;
  }
}

function classIn(value: v128, low: u32): v128 {
  return i32x4.min_u(i32x4.sub(i32x4.max_u(value, i32x4.splat(low)), i32x4.splat(low)), i32x4.splat(15));
}

/** The upper four bits of `count` numbers of `bits` bits, a byte each. */
export function upperBits(numbers: usize, count: usize, bits: u32, classes: usize): void {
  const down = bits > 4 ? bits - 4 : 0;
  let i: usize = 0;
  while (i + 16 <= count) {
    v128.store(classes + i, v128.and(i8x16.shr_u(v128.load(numbers + i), down), i8x16.splat(15)));
    i += 16;
  }
  while (i < count) {
    store<u8>(classes + i, (load<u8>(numbers + i) >> <u8>down) & 15);
    i += 1;
  }
}
