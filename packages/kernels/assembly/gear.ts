/**
 * The gear hash, h = 2h + table[byte] modulo 2^32.
 *
 * One stream, 16 steps a turn. Side by side on one core of an EPYC, in GB/s: 1 step a turn 1.2, 8 steps 1.7, 16 steps
 * 2.0, 32 steps 2.1. Several streams at once, each warmed up with the 32 bytes before it, gain nothing: a step is one
 * addition that waits for the step before and two loads and a branch that do not, so one stream keeps the core busy.
 * Beside 2.1 for one stream of 8 steps, two streams in registers took 1.8, four 1.7, four in the lanes of a vector 2.1
 * and eight in two vectors 1.6, and a cut in any of them costs the others a second look.
 */

/** Bytes that the hash depends on. */
const window: usize = 32;
const turn: usize = 16;

/** The hash after the last call of gearScan. */
let hash: u32 = 0;

function step(table: usize, h: u32, byte: u8): u32 {
  return (h << 1) + load<u32>(table + ((<usize>byte) << 2));
}

function found(h: u32, at: usize): i32 {
  hash = h;
  return <i32>at;
}

/** The offset behind the first byte of [start, end) after which the hash, `h` before it, is below 2^bits; or -1. */
export function gearScan(table: usize, h: u32, start: usize, end: usize, bits: u32): i32 {
  const bound: u32 = 1 << bits;
  let at = start;
  while (at + turn <= end) {
    h = step(table, h, load<u8>(at));
    if (h < bound) return found(h, at + 1);
    h = step(table, h, load<u8>(at, 1));
    if (h < bound) return found(h, at + 2);
    h = step(table, h, load<u8>(at, 2));
    if (h < bound) return found(h, at + 3);
    h = step(table, h, load<u8>(at, 3));
    if (h < bound) return found(h, at + 4);
    h = step(table, h, load<u8>(at, 4));
    if (h < bound) return found(h, at + 5);
    h = step(table, h, load<u8>(at, 5));
    if (h < bound) return found(h, at + 6);
    h = step(table, h, load<u8>(at, 6));
    if (h < bound) return found(h, at + 7);
    h = step(table, h, load<u8>(at, 7));
    if (h < bound) return found(h, at + 8);
    h = step(table, h, load<u8>(at, 8));
    if (h < bound) return found(h, at + 9);
    h = step(table, h, load<u8>(at, 9));
    if (h < bound) return found(h, at + 10);
    h = step(table, h, load<u8>(at, 10));
    if (h < bound) return found(h, at + 11);
    h = step(table, h, load<u8>(at, 11));
    if (h < bound) return found(h, at + 12);
    h = step(table, h, load<u8>(at, 12));
    if (h < bound) return found(h, at + 13);
    h = step(table, h, load<u8>(at, 13));
    if (h < bound) return found(h, at + 14);
    h = step(table, h, load<u8>(at, 14));
    if (h < bound) return found(h, at + 15);
    h = step(table, h, load<u8>(at, 15));
    if (h < bound) return found(h, at + 16);
    at += turn;
  }
  while (at < end) {
    h = step(table, h, load<u8>(at));
    at += 1;
    if (h < bound) return found(h, at);
  }
  hash = h;
  return -1;
}

/** The hash after [start, end), `h` before it; all but the last bytes have no part in it. */
export function gearRoll(table: usize, h: u32, start: usize, end: usize): u32 {
  let at = end - start > window ? end - window : start;
  while (at < end) {
    h = step(table, h, load<u8>(at));
    at += 1;
  }
  return h;
}

/** The hash where the last call of gearScan ended. */
export function gearHash(): u32 {
  return hash;
}
