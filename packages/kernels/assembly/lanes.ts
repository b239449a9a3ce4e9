/**
 * Canonical Huffman codes of at most 11 bits in four lanes (docs/format.md, Frames and codecs): lane k holds the k-th
 * quarter of the symbols, so that four chains of dependent steps run side by side. The first bit of a code is the lowest
 * of what is left of a lane; unused bits of its last byte are 0.
 */

/** Longest code. */
const longest: u32 = 11;
/** Entries of a decode table: what the next 11 bits may be. */
const entries: u32 = 2048;

/** Bytes of one table of counters. */
const countersBytes: usize = 1024;

function countIn(table: usize, byte: u64): void {
  const counter = table + ((<usize>byte & 255) << 2);
  store<u32>(counter, load<u32>(counter) + 1);
}

/** Counts the bytes of the four quarters of `count` bytes at `from` into four tables of 256 counters of 32 bits. */
export function laneCounts(tables: usize, from: usize, count: usize): void {
  const quarter = (count + 3) >> 2;
  memory.fill(tables, 0, 4 * countersBytes);
  const t1 = tables + countersBytes;
  const t2 = t1 + countersBytes;
  const t3 = t2 + countersBytes;
  const from1 = from + quarter;
  const from2 = from1 + quarter;
  const from3 = from2 + quarter;
  const last = count > 3 * quarter ? count - 3 * quarter : 0;
  let i: usize = 0;
  while (i + 4 <= last) {
    const a = <u64>load<u32>(from + i);
    const b = <u64>load<u32>(from1 + i);
    const c = <u64>load<u32>(from2 + i);
    const d = <u64>load<u32>(from3 + i);
    countIn(tables, a);
    countIn(t1, b);
    countIn(t2, c);
    countIn(t3, d);
    countIn(tables, a >> 8);
    countIn(t1, b >> 8);
    countIn(t2, c >> 8);
    countIn(t3, d >> 8);
    countIn(tables, a >> 16);
    countIn(t1, b >> 16);
    countIn(t2, c >> 16);
    countIn(t3, d >> 16);
    countIn(tables, a >> 24);
    countIn(t1, b >> 24);
    countIn(t2, c >> 24);
    countIn(t3, d >> 24);
    i += 4;
  }
  countRest(tables, from + i, min(from1, from + count));
  countRest(t1, from1 + i, min(from2, from + count));
  countRest(t2, from2 + i, min(from3, from + count));
  countRest(t3, from3 + i, from + count);
}

function countRest(table: usize, at: usize, end: usize): void {
  while (at < end) {
    countIn(table, load<u8>(at));
    at += 1;
  }
}

/**
 * Makes the table for encodeLanes, 256 numbers of 64 bits at `table`, of 256 code lengths of one byte at `lengths`: the
 * code in the top bits, first bit lowest, and its length in the lowest byte. Lengths are those of a complete code.
 */
export function makeEncodeTable(lengths: usize, table: usize): void {
  let code: u32 = 0;
  for (let length: u32 = 1; length <= longest; length += 1) {
    for (let symbol: usize = 0; symbol < 256; symbol += 1) {
      if (load<u8>(lengths + symbol) !== length) continue;
      store<u64>(table + (symbol << 3), (reversed(code, length) << (64 - length)) | length);
      code += 1;
    }
    code <<= 1;
  }
}

/** The lowest `length` bits of `code` in the opposite order. */
function reversed(code: u32, length: u32): u64 {
  let turned: u32 = 0;
  for (let i: u32 = 0; i < length; i += 1) turned |= ((code >> i) & 1) << (length - 1 - i);
  return turned;
}

/**
 * Writes the codes of the symbols of two lanes, [a, endA) and [b, endB), to the ranges [to, end) of each, which have the
 * length that their codes take: it never writes outside.
 */
export function encodeLanes(
  table: usize,
  a: usize,
  endA: usize,
  toA: usize,
  stopA: usize,
  b: usize,
  endB: usize,
  toB: usize,
  stopB: usize,
): void {
  let bitsA: u64 = 0;
  let heldA: u32 = 0;
  let bitsB: u64 = 0;
  let heldB: u32 = 0;
  while (true) {
    let turns = min(encodeTurns(a, endA, toA, stopA), encodeTurns(b, endB, toB, stopB));
    if (turns === 0) break;
    while (turns > 0) {
      // New bits come in at the top; the length in the low byte of an entry is shifted out before it could be stored.
      let code = load<u64>(table + ((<usize>load<u8>(a)) << 3));
      bitsA = (bitsA >> code) | code;
      heldA += <u32>code;
      code = load<u64>(table + ((<usize>load<u8>(b)) << 3));
      bitsB = (bitsB >> code) | code;
      heldB += <u32>code;
      code = load<u64>(table + ((<usize>load<u8>(a, 1)) << 3));
      bitsA = (bitsA >> code) | code;
      heldA += <u32>code;
      code = load<u64>(table + ((<usize>load<u8>(b, 1)) << 3));
      bitsB = (bitsB >> code) | code;
      heldB += <u32>code;
      code = load<u64>(table + ((<usize>load<u8>(a, 2)) << 3));
      bitsA = (bitsA >> code) | code;
      heldA += <u32>code;
      code = load<u64>(table + ((<usize>load<u8>(b, 2)) << 3));
      bitsB = (bitsB >> code) | code;
      heldB += <u32>code;
      code = load<u64>(table + ((<usize>load<u8>(a, 3)) << 3));
      bitsA = (bitsA >> code) | code;
      heldA += <u32>code;
      code = load<u64>(table + ((<usize>load<u8>(b, 3)) << 3));
      bitsB = (bitsB >> code) | code;
      heldB += <u32>code;
      store<u64>(toA, bitsA >> <u64>(64 - heldA));
      store<u64>(toB, bitsB >> <u64>(64 - heldB));
      toA += heldA >> 3;
      toB += heldB >> 3;
      heldA &= 7;
      heldB &= 7;
      a += 4;
      b += 4;
      turns -= 1;
    }
  }
  encodeRest(table, a, endA, toA, stopA, bitsA, heldA);
  encodeRest(table, b, endB, toB, stopB, bitsB, heldB);
}

/** Turns that a lane can take: each takes 4 symbols, writes 8 bytes and goes on by 6 at most. */
function encodeTurns(at: usize, end: usize, to: usize, stop: usize): usize {
  if (to + 8 > stop) return 0;
  return min((stop - to - 8) / 6 + 1, (end - at) >> 2);
}

function encodeRest(table: usize, at: usize, end: usize, to: usize, stop: usize, bits: u64, held: u32): void {
  while (at < end) {
    const code = load<u64>(table + ((<usize>load<u8>(at)) << 3));
    bits = (bits >> code) | code;
    held += <u32>code;
    at += 1;
    if (held < 8) continue;
    if (to >= stop) return;
    let whole = bits >> <u64>(64 - held);
    while (held >= 8 && to < stop) {
      store<u8>(to, whole);
      whole >>= 8;
      held -= 8;
      to += 1;
    }
  }
  if (held > 0 && to < stop) store<u8>(to, bits >> <u64>(64 - held));
}

/**
 * Makes the tables for decodeLanes, at `table`: 2048 entries of 8 bytes (up to four symbols, then the bits that they
 * take together, then how many they are), and behind them 2048 of two (bits, and the symbol). False unless the 256
 * lengths of one byte at `lengths` are those of a complete code of at most 11 bits.
 */
export function makeDecodeTable(lengths: usize, table: usize): bool {
  const single = table + ((<usize>entries) << 3);
  let room: i32 = entries;
  for (let symbol: usize = 0; symbol < 256; symbol += 1) {
    const length = <u32>load<u8>(lengths + symbol);
    if (length > longest) return false;
    if (length > 0) room -= <i32>(entries >> length);
    if (room < 0) return false;
  }
  if (room !== 0) return false;
  let code: u32 = 0;
  for (let length: u32 = 1; length <= longest; length += 1) {
    for (let symbol: usize = 0; symbol < 256; symbol += 1) {
      if (load<u8>(lengths + symbol) !== length) continue;
      const entry = <u16>(length | ((<u32>symbol) << 8));
      for (let at = <u32>reversed(code, length); at < entries; at += 1 << length) {
        store<u16>(single + ((<usize>at) << 1), entry);
      }
      code += 1;
    }
    code <<= 1;
  }
  for (let at: u32 = 0; at < entries; at += 1) {
    let symbols: u32 = 0;
    let used: u32 = 0;
    let found: u32 = 0;
    while (found < 4) {
      const entry = <u32>load<u16>(single + ((<usize>at >> used) << 1));
      if (used + (entry & 255) > longest) break;
      symbols |= (entry >> 8) << (found << 3);
      used += entry & 255;
      found += 1;
    }
    store<u32>(table + ((<usize>at) << 3), symbols);
    store<u32>(table + ((<usize>at) << 3), used | (found << 8), 4);
  }
  return true;
}

/** Lookups between two refills of a lane: 5 x 11 bits of the 57 that are certain. */
const lookups: u32 = 5;

/** Turns that a lane can take: each reads 8 bytes where it stands, goes on by 7 at most, and writes `room` at most. */
function turnsOf(at: usize, end: usize, to: usize, stop: usize, room: usize): usize {
  if (at + 8 > end) return 0;
  return min((end - at - 8) / 7 + 1, (stop - to) / room);
}

/**
 * Reads `count` symbols to `to` from four lanes of these lengths, one after the other at `from`. Whether the lanes end
 * exactly where their symbols do, unused bits being 0. Whatever they hold, nothing outside the ranges is read or written.
 */
export function decodeLanes(
  table: usize,
  from: usize,
  length0: usize,
  length1: usize,
  length2: usize,
  length3: usize,
  to: usize,
  count: usize,
  isShort: bool,
): bool {
  const quarter = (count + 3) >> 2;
  const stop = to + count;
  const from1 = from + length0;
  const from2 = from1 + length1;
  const from3 = from2 + length2;
  const end = from3 + length3;
  const to1 = min(to + quarter, stop);
  const to2 = min(to1 + quarter, stop);
  const to3 = min(to2 + quarter, stop);
  const single = table + ((<usize>entries) << 3);
  /** Bits of each lane that are done. */
  let p0: usize = 0;
  let p1: usize = 0;
  let p2: usize = 0;
  let p3: usize = 0;
  let o0 = to;
  let o1 = to1;
  let o2 = to2;
  let o3 = to3;
  const room: usize = isShort ? 20 : lookups;
  // A one above the bits that are left: how far it was shifted down is how many were used.
  const top: u64 = 1 << 63;
  while (true) {
    let turns = min(
      min(turnsOf(from + (p0 >> 3), from1, o0, to1, room), turnsOf(from1 + (p1 >> 3), from2, o1, to2, room)),
      min(turnsOf(from2 + (p2 >> 3), from3, o2, to3, room), turnsOf(from3 + (p3 >> 3), end, o3, stop, room)),
    );
    if (turns === 0) break;
    let b: u64;
    let e: usize;
    let m: u32;
    if (isShort) {
      while (turns > 0) {
        b = (load<u64>(from + (p0 >> 3)) >> (p0 & 7)) | top;
        e = table + ((<usize>b & 2047) << 3);
        store<u32>(o0, load<u32>(e));
        m = load<u32>(e, 4);
        b >>= <u64>m;
        o0 += m >> 8;
        e = table + ((<usize>b & 2047) << 3);
        store<u32>(o0, load<u32>(e));
        m = load<u32>(e, 4);
        b >>= <u64>m;
        o0 += m >> 8;
        e = table + ((<usize>b & 2047) << 3);
        store<u32>(o0, load<u32>(e));
        m = load<u32>(e, 4);
        b >>= <u64>m;
        o0 += m >> 8;
        e = table + ((<usize>b & 2047) << 3);
        store<u32>(o0, load<u32>(e));
        m = load<u32>(e, 4);
        b >>= <u64>m;
        o0 += m >> 8;
        e = table + ((<usize>b & 2047) << 3);
        store<u32>(o0, load<u32>(e));
        m = load<u32>(e, 4);
        b >>= <u64>m;
        o0 += m >> 8;
        p0 += <usize>clz(b);
        b = (load<u64>(from1 + (p1 >> 3)) >> (p1 & 7)) | top;
        e = table + ((<usize>b & 2047) << 3);
        store<u32>(o1, load<u32>(e));
        m = load<u32>(e, 4);
        b >>= <u64>m;
        o1 += m >> 8;
        e = table + ((<usize>b & 2047) << 3);
        store<u32>(o1, load<u32>(e));
        m = load<u32>(e, 4);
        b >>= <u64>m;
        o1 += m >> 8;
        e = table + ((<usize>b & 2047) << 3);
        store<u32>(o1, load<u32>(e));
        m = load<u32>(e, 4);
        b >>= <u64>m;
        o1 += m >> 8;
        e = table + ((<usize>b & 2047) << 3);
        store<u32>(o1, load<u32>(e));
        m = load<u32>(e, 4);
        b >>= <u64>m;
        o1 += m >> 8;
        e = table + ((<usize>b & 2047) << 3);
        store<u32>(o1, load<u32>(e));
        m = load<u32>(e, 4);
        b >>= <u64>m;
        o1 += m >> 8;
        p1 += <usize>clz(b);
        b = (load<u64>(from2 + (p2 >> 3)) >> (p2 & 7)) | top;
        e = table + ((<usize>b & 2047) << 3);
        store<u32>(o2, load<u32>(e));
        m = load<u32>(e, 4);
        b >>= <u64>m;
        o2 += m >> 8;
        e = table + ((<usize>b & 2047) << 3);
        store<u32>(o2, load<u32>(e));
        m = load<u32>(e, 4);
        b >>= <u64>m;
        o2 += m >> 8;
        e = table + ((<usize>b & 2047) << 3);
        store<u32>(o2, load<u32>(e));
        m = load<u32>(e, 4);
        b >>= <u64>m;
        o2 += m >> 8;
        e = table + ((<usize>b & 2047) << 3);
        store<u32>(o2, load<u32>(e));
        m = load<u32>(e, 4);
        b >>= <u64>m;
        o2 += m >> 8;
        e = table + ((<usize>b & 2047) << 3);
        store<u32>(o2, load<u32>(e));
        m = load<u32>(e, 4);
        b >>= <u64>m;
        o2 += m >> 8;
        p2 += <usize>clz(b);
        b = (load<u64>(from3 + (p3 >> 3)) >> (p3 & 7)) | top;
        e = table + ((<usize>b & 2047) << 3);
        store<u32>(o3, load<u32>(e));
        m = load<u32>(e, 4);
        b >>= <u64>m;
        o3 += m >> 8;
        e = table + ((<usize>b & 2047) << 3);
        store<u32>(o3, load<u32>(e));
        m = load<u32>(e, 4);
        b >>= <u64>m;
        o3 += m >> 8;
        e = table + ((<usize>b & 2047) << 3);
        store<u32>(o3, load<u32>(e));
        m = load<u32>(e, 4);
        b >>= <u64>m;
        o3 += m >> 8;
        e = table + ((<usize>b & 2047) << 3);
        store<u32>(o3, load<u32>(e));
        m = load<u32>(e, 4);
        b >>= <u64>m;
        o3 += m >> 8;
        e = table + ((<usize>b & 2047) << 3);
        store<u32>(o3, load<u32>(e));
        m = load<u32>(e, 4);
        b >>= <u64>m;
        o3 += m >> 8;
        p3 += <usize>clz(b);
        turns -= 1;
      }
    } else {
      while (turns > 0) {
        b = (load<u64>(from + (p0 >> 3)) >> (p0 & 7)) | top;
        m = <u32>load<u16>(single + ((<usize>b & 2047) << 1));
        b >>= <u64>m;
        store<u8>(o0, m >> 8);
        m = <u32>load<u16>(single + ((<usize>b & 2047) << 1));
        b >>= <u64>m;
        store<u8>(o0, m >> 8, 1);
        m = <u32>load<u16>(single + ((<usize>b & 2047) << 1));
        b >>= <u64>m;
        store<u8>(o0, m >> 8, 2);
        m = <u32>load<u16>(single + ((<usize>b & 2047) << 1));
        b >>= <u64>m;
        store<u8>(o0, m >> 8, 3);
        m = <u32>load<u16>(single + ((<usize>b & 2047) << 1));
        b >>= <u64>m;
        store<u8>(o0, m >> 8, 4);
        o0 += lookups;
        p0 += <usize>clz(b);
        b = (load<u64>(from1 + (p1 >> 3)) >> (p1 & 7)) | top;
        m = <u32>load<u16>(single + ((<usize>b & 2047) << 1));
        b >>= <u64>m;
        store<u8>(o1, m >> 8);
        m = <u32>load<u16>(single + ((<usize>b & 2047) << 1));
        b >>= <u64>m;
        store<u8>(o1, m >> 8, 1);
        m = <u32>load<u16>(single + ((<usize>b & 2047) << 1));
        b >>= <u64>m;
        store<u8>(o1, m >> 8, 2);
        m = <u32>load<u16>(single + ((<usize>b & 2047) << 1));
        b >>= <u64>m;
        store<u8>(o1, m >> 8, 3);
        m = <u32>load<u16>(single + ((<usize>b & 2047) << 1));
        b >>= <u64>m;
        store<u8>(o1, m >> 8, 4);
        o1 += lookups;
        p1 += <usize>clz(b);
        b = (load<u64>(from2 + (p2 >> 3)) >> (p2 & 7)) | top;
        m = <u32>load<u16>(single + ((<usize>b & 2047) << 1));
        b >>= <u64>m;
        store<u8>(o2, m >> 8);
        m = <u32>load<u16>(single + ((<usize>b & 2047) << 1));
        b >>= <u64>m;
        store<u8>(o2, m >> 8, 1);
        m = <u32>load<u16>(single + ((<usize>b & 2047) << 1));
        b >>= <u64>m;
        store<u8>(o2, m >> 8, 2);
        m = <u32>load<u16>(single + ((<usize>b & 2047) << 1));
        b >>= <u64>m;
        store<u8>(o2, m >> 8, 3);
        m = <u32>load<u16>(single + ((<usize>b & 2047) << 1));
        b >>= <u64>m;
        store<u8>(o2, m >> 8, 4);
        o2 += lookups;
        p2 += <usize>clz(b);
        b = (load<u64>(from3 + (p3 >> 3)) >> (p3 & 7)) | top;
        m = <u32>load<u16>(single + ((<usize>b & 2047) << 1));
        b >>= <u64>m;
        store<u8>(o3, m >> 8);
        m = <u32>load<u16>(single + ((<usize>b & 2047) << 1));
        b >>= <u64>m;
        store<u8>(o3, m >> 8, 1);
        m = <u32>load<u16>(single + ((<usize>b & 2047) << 1));
        b >>= <u64>m;
        store<u8>(o3, m >> 8, 2);
        m = <u32>load<u16>(single + ((<usize>b & 2047) << 1));
        b >>= <u64>m;
        store<u8>(o3, m >> 8, 3);
        m = <u32>load<u16>(single + ((<usize>b & 2047) << 1));
        b >>= <u64>m;
        store<u8>(o3, m >> 8, 4);
        o3 += lookups;
        p3 += <usize>clz(b);
        turns -= 1;
      }
    }
  }
  return (
    decodeRest(single, from, length0, p0, o0, to1) &&
    decodeRest(single, from1, length1, p1, o1, to2) &&
    decodeRest(single, from2, length2, p2, o2, to3) &&
    decodeRest(single, from3, length3, p3, o3, stop)
  );
}

/** The end of a lane, symbol by symbol. */
function decodeRest(single: usize, from: usize, length: usize, position: usize, to: usize, stop: usize): bool {
  const bits = length << 3;
  while (to < stop) {
    if (position >= bits) return false;
    const at = from + (position >> 3);
    let next: u32 = load<u8>(at);
    if (at + 1 < from + length) next |= (<u32>load<u8>(at, 1)) << 8;
    if (at + 2 < from + length) next |= (<u32>load<u8>(at, 2)) << 16;
    const entry = <u32>load<u16>(single + ((<usize>((next >> (position & 7)) & 2047)) << 1));
    position += entry & 255;
    store<u8>(to, entry >> 8);
    to += 1;
  }
  if (position > bits || bits - position > 7) return false;
  return position === bits || load<u8>(from + length - 1) >> <u8>(position & 7) === 0;
}
