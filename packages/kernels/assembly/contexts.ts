/**
 * Range coding of symbols whose weights depend on a context (docs/format.md, Frames and codecs): rANS with a state of 31
 * bits that takes in 16 bits at a time, weights of 12 bits, and four lanes, of which lane k holds the k-th quarter of the
 * symbols, so that four chains of dependent steps run side by side.
 *
 * The context of a symbol is `map[known << 6 | state]`: `known` is a byte that stands beside the symbol, `state` one of 64
 * states, 0 at the start of a lane, that `next[state << 8 | symbol]` moves on.
 */

const weightBits: u32 = 12;
const weightSum: u32 = 4096;
/** States of a coder are from here on, and below this times 65,536. */
const least: u32 = 32_768;
/** Bytes of one table: 256 entries of 16 bytes, 4096 of 4. */
const encodeShift: u32 = 12;
const decodeShift: u32 = 14;
/** Symbols of each lane between two looks at where the lanes end: each may take two bytes beyond. */
const block: usize = 32;

/** The context of each of `count` symbols, in quarters as they are coded, to `contexts`. */
export function findContexts(
  next: usize,
  map: usize,
  known: usize,
  symbols: usize,
  count: usize,
  contexts: usize,
): void {
  const quarter = (count + 3) >> 2;
  const half = quarter << 1;
  const third = half + quarter;
  const last = count > third ? count - third : 0;
  const k1 = known + quarter;
  const k2 = known + half;
  const k3 = known + third;
  const s1 = symbols + quarter;
  const s2 = symbols + half;
  const s3 = symbols + third;
  const c1 = contexts + quarter;
  const c2 = contexts + half;
  const c3 = contexts + third;
  let a: usize = 0;
  let b: usize = 0;
  let c: usize = 0;
  let d: usize = 0;
  for (let i: usize = 0; i < last; i += 1) {
    store<u8>(contexts + i, load<u8>(map + ((<usize>load<u8>(known + i)) << 6) + a));
    store<u8>(c1 + i, load<u8>(map + ((<usize>load<u8>(k1 + i)) << 6) + b));
    store<u8>(c2 + i, load<u8>(map + ((<usize>load<u8>(k2 + i)) << 6) + c));
    store<u8>(c3 + i, load<u8>(map + ((<usize>load<u8>(k3 + i)) << 6) + d));
    a = load<u8>(next + (a << 8) + load<u8>(symbols + i));
    b = load<u8>(next + (b << 8) + load<u8>(s1 + i));
    c = load<u8>(next + (c << 8) + load<u8>(s2 + i));
    d = load<u8>(next + (d << 8) + load<u8>(s3 + i));
  }
  findRest(next, map, known, symbols, last, min(quarter, count), contexts, a);
  findRest(next, map, known, symbols, quarter + last, min(half, count), contexts, b);
  findRest(next, map, known, symbols, half + last, min(third, count), contexts, c);
}

function findRest(
  next: usize,
  map: usize,
  known: usize,
  symbols: usize,
  at: usize,
  end: usize,
  contexts: usize,
  state: usize,
): void {
  while (at < end) {
    store<u8>(contexts + at, load<u8>(map + ((<usize>load<u8>(known + at)) << 6) + state));
    state = load<u8>(next + (state << 8) + load<u8>(symbols + at));
    at += 1;
  }
}

/** Adds `count` symbols to 256 counters of 32 bits for each context, those of context 0 first. */
export function countContexts(counts: usize, contexts: usize, symbols: usize, count: usize): void {
  for (let i: usize = 0; i < count; i += 1) {
    const counter = counts + ((<usize>load<u8>(contexts + i)) << 10) + ((<usize>load<u8>(symbols + i)) << 2);
    store<u32>(counter, load<u32>(counter) + 1);
  }
}

/** Adds up the 256 counters of each of `contexts` contexts, to as many numbers of 32 bits. */
export function sumCounts(counts: usize, contexts: usize, sums: usize): void {
  const end = counts + (contexts << 10);
  while (counts < end) {
    let sum = i32x4.splat(0);
    for (let i: usize = 0; i < 1024; i += 16) sum = i32x4.add(sum, v128.load(counts + i));
    store<i32>(
      sums,
      i32x4.extract_lane(sum, 0) + i32x4.extract_lane(sum, 1) + i32x4.extract_lane(sum, 2) + i32x4.extract_lane(sum, 3),
    );
    sums += 4;
    counts += 1024;
  }
}

/** Replaces `count` bytes by what `table` has for each. */
export function translate(bytes: usize, count: usize, table: usize): void {
  let i: usize = 0;
  while (i + 8 <= count) {
    const eight = load<u64>(bytes + i);
    let other = <u64>load<u8>(table + <usize>(eight & 255));
    other |= (<u64>load<u8>(table + <usize>((eight >> 8) & 255))) << 8;
    other |= (<u64>load<u8>(table + <usize>((eight >> 16) & 255))) << 16;
    other |= (<u64>load<u8>(table + <usize>((eight >> 24) & 255))) << 24;
    other |= (<u64>load<u8>(table + <usize>((eight >> 32) & 255))) << 32;
    other |= (<u64>load<u8>(table + <usize>((eight >> 40) & 255))) << 40;
    other |= (<u64>load<u8>(table + <usize>((eight >> 48) & 255))) << 48;
    other |= (<u64>load<u8>(table + <usize>(eight >> 56))) << 56;
    store<u64>(bytes + i, other);
    i += 8;
  }
  while (i < count) {
    store<u8>(bytes + i, load<u8>(table + load<u8>(bytes + i)));
    i += 1;
  }
}

/** The sum of 256 weights of 16 bits. */
function sumOf(weights: usize): u32 {
  let sum: u32 = 0;
  for (let symbol: usize = 0; symbol < 256; symbol += 1) sum += load<u16>(weights + (symbol << 1));
  return sum;
}

/**
 * Makes the table of one context for encodeContexts of 256 weights of 16 bits, whose sum is 4096. An entry: the reciprocal
 * of the weight, what is added to the state, the state from which on 16 bits leave it first, 4096 less the weight (16
 * bits), the shift of the reciprocal (16 bits).
 */
export function makeContextEncodeTable(weights: usize, table: usize): void {
  let start: u32 = 0;
  for (let symbol: usize = 0; symbol < 256; symbol += 1) {
    const weight = <u32>load<u16>(weights + (symbol << 1));
    if (weight === 0) continue;
    const entry = table + (symbol << 4);
    const shift: u32 = weight < 2 ? 0 : 31 - clz(weight - 1);
    // For a weight of 1 the quotient would need 33 bits: it is taken one too small, which the addend makes up for.
    const reciprocal = weight < 2 ? 0xffffffff : <u32>((((<u64>1) << (<u64>shift + 32)) + weight - 1) / weight);
    store<u32>(entry, reciprocal);
    store<u32>(entry, weight < 2 ? start + weightSum - 1 : start, 4);
    store<u32>(entry, weight << 19, 8);
    store<u16>(entry, weightSum - weight, 12);
    store<u16>(entry, shift, 14);
    start += weight;
  }
}

/** The state after a symbol whose entry this is; what leaves it has left. */
function taken(x: u32, entry: usize): u32 {
  const quotient = <u32>((<u64>x * load<u32>(entry)) >> 32) >> load<u16>(entry, 14);
  return x + load<u32>(entry, 4) + quotient * load<u16>(entry, 12);
}

/** The entry of the symbol at `i` in its context. */
function entryOf(tables: usize, contexts: usize, symbols: usize, i: usize): usize {
  return tables + ((<usize>load<u8>(contexts + i)) << encodeShift) + ((<usize>load<u8>(symbols + i)) << 4);
}

/** Room of one lane: at most 12 bits a symbol, the state, and what is written before it is known to stay. */
function laneRoom(quarter: usize): usize {
  return ((quarter * 3 + 1) >> 1) + 8;
}

/**
 * Codes `count` symbols: four lanes, one after the other from `to` on, and their lengths as four numbers of 32 bits at
 * `sizes`; the end of the last lane. There must be room for 1.5 bytes a symbol and 64 at `to`, which is written all over.
 */
export function encodeContexts(
  tables: usize,
  contexts: usize,
  symbols: usize,
  count: usize,
  to: usize,
  sizes: usize,
): usize {
  const quarter = (count + 3) >> 2;
  const half = quarter << 1;
  const third = half + quarter;
  const last = count > third ? count - third : 0;
  const room = laneRoom(quarter);
  const endA = to + room;
  const endB = endA + room;
  const endC = endB + room;
  const endD = endC + room;
  let pA = endA;
  let pB = endB;
  let pC = endC;
  let pD = endD;
  let a = least;
  let b = least;
  let c = least;
  let d = least;
  for (let i = min(quarter, count); i > last; i -= 1) {
    const entry = entryOf(tables, contexts, symbols, i - 1);
    if (a >= load<u32>(entry, 8)) {
      pA -= 2;
      store<u16>(pA, a);
      a >>= 16;
    }
    a = taken(a, entry);
  }
  for (let i = min(half, count); i > quarter + last; i -= 1) {
    const entry = entryOf(tables, contexts, symbols, i - 1);
    if (b >= load<u32>(entry, 8)) {
      pB -= 2;
      store<u16>(pB, b);
      b >>= 16;
    }
    b = taken(b, entry);
  }
  for (let i = min(third, count); i > half + last; i -= 1) {
    const entry = entryOf(tables, contexts, symbols, i - 1);
    if (c >= load<u32>(entry, 8)) {
      pC -= 2;
      store<u16>(pC, c);
      c >>= 16;
    }
    c = taken(c, entry);
  }
  for (let i = last; i > 0;) {
    i -= 1;
    // What is written may stay or be written over; which is not known early enough for a branch.
    const eA = entryOf(tables, contexts, symbols, i);
    store<u16>(pA - 2, a);
    const outA: u32 = u32(a >= load<u32>(eA, 8));
    pA -= outA << 1;
    a = taken(a >> (outA << 4), eA);
    const eB = entryOf(tables, contexts + quarter, symbols + quarter, i);
    store<u16>(pB - 2, b);
    const outB: u32 = u32(b >= load<u32>(eB, 8));
    pB -= outB << 1;
    b = taken(b >> (outB << 4), eB);
    const eC = entryOf(tables, contexts + half, symbols + half, i);
    store<u16>(pC - 2, c);
    const outC: u32 = u32(c >= load<u32>(eC, 8));
    pC -= outC << 1;
    c = taken(c >> (outC << 4), eC);
    const eD = entryOf(tables, contexts + third, symbols + third, i);
    store<u16>(pD - 2, d);
    const outD: u32 = u32(d >= load<u32>(eD, 8));
    pD -= outD << 1;
    d = taken(d >> (outD << 4), eD);
  }
  let end = finished(to, pA, endA, a, sizes);
  end = finished(end, pB, endB, b, sizes + 4);
  end = finished(end, pC, endC, c, sizes + 8);
  return finished(end, pD, endD, d, sizes + 12);
}

/** Puts the state before what a lane holds and moves all of it to `to`; the end of it. */
function finished(to: usize, from: usize, end: usize, state: u32, size: usize): usize {
  store<u32>(from - 4, state);
  const length = end - from + 4;
  memory.copy(to, from - 4, length);
  store<u32>(size, length);
  return to + length;
}

/**
 * Makes the table of one context for decodeContexts of 256 weights of 16 bits: 4096 entries of 32 bits, the weight less
 * one in the top 12, then the place in the share of the symbol in 12, then the symbol. False unless the sum is 4096.
 */
export function makeContextDecodeTable(weights: usize, table: usize): bool {
  if (sumOf(weights) !== weightSum) return false;
  let to = table;
  for (let symbol: u32 = 0; symbol < 256; symbol += 1) {
    const weight = <u32>load<u16>(weights + (symbol << 1));
    const entry = ((weight - 1) << 20) | symbol;
    for (let place: u32 = 0; place < weight; place += 1) {
      store<u32>(to, entry | (place << 8));
      to += 4;
    }
  }
  return true;
}

function decodeEntry(tables: usize, map: usize, known: usize, state: usize, x: u32): u32 {
  const context = <usize>load<u8>(map + ((<usize>load<u8>(known)) << 6) + state);
  return load<u32>(tables + (context << decodeShift) + ((<usize>(x & (weightSum - 1))) << 2));
}

function left(x: u32, entry: u32): u32 {
  return ((entry >> 20) + 1) * (x >> weightBits) + ((entry >> 8) & (weightSum - 1));
}

/**
 * Reads `count` symbols to `to` from four lanes of these lengths, one after the other at `from`. Whether the lanes end
 * exactly where their symbols do. Whatever they hold, nothing outside the ranges is written, and it looks at most 64 bytes
 * beyond the lanes.
 */
export function decodeContexts(
  tables: usize,
  next: usize,
  map: usize,
  known: usize,
  from: usize,
  lengthA: usize,
  lengthB: usize,
  lengthC: usize,
  lengthD: usize,
  to: usize,
  count: usize,
): bool {
  if (lengthA < 4 || lengthB < 4 || lengthC < 4 || lengthD < 4) return false;
  const quarter = (count + 3) >> 2;
  const half = quarter << 1;
  const third = half + quarter;
  const last = count > third ? count - third : 0;
  const endA = from + lengthA;
  const endB = endA + lengthB;
  const endC = endB + lengthC;
  const endD = endC + lengthD;
  let a = load<u32>(from);
  let b = load<u32>(endA);
  let c = load<u32>(endB);
  let d = load<u32>(endC);
  if (!isState(a) || !isState(b) || !isState(c) || !isState(d)) return false;
  let pA = from + 4;
  let pB = endA + 4;
  let pC = endB + 4;
  let pD = endC + 4;
  let sA: usize = 0;
  let sB: usize = 0;
  let sC: usize = 0;
  let sD: usize = 0;
  let i: usize = 0;
  while (i < last) {
    const stop = min(i + block, last);
    while (i < stop) {
      const eA = decodeEntry(tables, map, known + i, sA, a);
      const eB = decodeEntry(tables, map, known + quarter + i, sB, b);
      const eC = decodeEntry(tables, map, known + half + i, sC, c);
      const eD = decodeEntry(tables, map, known + third + i, sD, d);
      store<u8>(to + i, eA);
      store<u8>(to + quarter + i, eB);
      store<u8>(to + half + i, eC);
      store<u8>(to + third + i, eD);
      sA = load<u8>(next + (sA << 8) + <usize>(eA & 255));
      sB = load<u8>(next + (sB << 8) + <usize>(eB & 255));
      sC = load<u8>(next + (sC << 8) + <usize>(eC & 255));
      sD = load<u8>(next + (sD << 8) + <usize>(eD & 255));
      a = left(a, eA);
      b = left(b, eB);
      c = left(c, eC);
      d = left(d, eD);
      const moreA = a < least;
      const moreB = b < least;
      const moreC = c < least;
      const moreD = d < least;
      a = select<u32>((a << 16) | load<u16>(pA), a, moreA);
      b = select<u32>((b << 16) | load<u16>(pB), b, moreB);
      c = select<u32>((c << 16) | load<u16>(pC), c, moreC);
      d = select<u32>((d << 16) | load<u16>(pD), d, moreD);
      pA += (<usize>moreA) << 1;
      pB += (<usize>moreB) << 1;
      pC += (<usize>moreC) << 1;
      pD += (<usize>moreD) << 1;
      i += 1;
    }
    if (pA > endA || pB > endB || pC > endC || pD > endD) return false;
  }
  return (
    decodeRest(tables, next, map, known, a, sA, pA, endA, to, last, min(quarter, count)) &&
    decodeRest(tables, next, map, known, b, sB, pB, endB, to, quarter + last, min(half, count)) &&
    decodeRest(tables, next, map, known, c, sC, pC, endC, to, half + last, min(third, count)) &&
    d === least &&
    pD === endD
  );
}

function isState(x: u32): bool {
  return x >= least && x < least << 16;
}

/** The end of a lane, symbol by symbol. */
function decodeRest(
  tables: usize,
  next: usize,
  map: usize,
  known: usize,
  x: u32,
  state: usize,
  from: usize,
  end: usize,
  to: usize,
  at: usize,
  stop: usize,
): bool {
  while (at < stop) {
    const entry = decodeEntry(tables, map, known + at, state, x);
    store<u8>(to + at, entry);
    state = load<u8>(next + (state << 8) + <usize>(entry & 255));
    x = left(x, entry);
    if (x < least) {
      if (from + 2 > end) return false;
      x = (x << 16) | load<u16>(from);
      from += 2;
    }
    at += 1;
  }
  return x === least && from === end;
}
