/**
 * Numbers as what is left of them when they are foretold from those `distance` before (docs/format.md, The tensor codec):
 * from the last one (order 1), on the line through the last two (order 2) or on the parabola through three (order 3). Floats
 * count as their rank among all floats, as in differences.ts. Exact for every bit pattern, for all is modulo 2^bits.
 */

function rankOf<T extends number>(u: T, isFloat: bool): T {
  const bits: T = <T>(sizeof<T>() * 8 - 1);
  return isFloat ? <T>((u & ~((<T>1) << bits)) ^ (u >> bits)) : u;
}

function unrankOf<T extends number>(ord: T, isFloat: bool): T {
  const bits: T = <T>(sizeof<T>() * 8 - 1);
  const sign: T = ord >> bits;
  return isFloat ? <T>((ord ^ sign) | (sign & ((<T>1) << bits))) : ord;
}

function foretold<T extends number>(at: usize, bytes: usize, order: u32, isFloat: bool): T {
  const a = rankOf<T>(load<T>(at - bytes), isFloat);
  if (order === 1) return a;
  const b = rankOf<T>(load<T>(at - 2 * bytes), isFloat);
  if (order === 2) return <T>(a + a - b);
  const c = rankOf<T>(load<T>(at - 3 * bytes), isFloat);
  return <T>(<T>(<T>3 * <T>(a - b)) + c);
}

function differ<T extends number>(
  from: usize,
  count: usize,
  distance: usize,
  order: u32,
  isFloat: bool,
  z: usize,
  tokens: usize,
): void {
  const bits: T = <T>(sizeof<T>() * 8 - 1);
  const bytes = distance * sizeof<T>();
  const mask: u64 = ((<u64>1) << (sizeof<T>() * 8 - 1)) * 2 - 1;
  for (let i: usize = 0; i < count; i += 1) {
    const at = from + i * sizeof<T>();
    const d = <T>(rankOf<T>(load<T>(at), isFloat) - foretold<T>(at, bytes, order, isFloat));
    const folded = <T>((d << (<T>1)) ^ (d >> bits));
    store<T>(z + i * sizeof<T>(), folded);
    const value = <u64>folded & mask;
    const length = 64 - <u32>clz(value);
    store<u8>(tokens + i, value < 4 ? <u32>value : ((length - 2) << 2) | <u32>((value >> (length - 3)) & 3));
  }
}

function sum<T extends number>(numbers: usize, count: usize, distance: usize, order: u32, isFloat: bool): void {
  const bits: T = <T>(sizeof<T>() * 8 - 1);
  const bytes = distance * sizeof<T>();
  for (let i: usize = 0; i < count; i += 1) {
    const at = numbers + i * sizeof<T>();
    const z = load<T>(at);
    const half = <T>((z >> <T>1) & ~((<T>1) << bits));
    const d = <T>(half ^ <T>(<T>0 - <T>(z & <T>1)));
    store<T>(at, unrankOf<T>(<T>(d + foretold<T>(at, bytes, order, isFloat)), isFloat));
  }
}

/**
 * Of `count` numbers of `size` bytes (2 or 4) at `from`, before which `order` times `distance` more lie, the z of what is
 * left, to `z`, and the token of each, to `tokens` (differences.ts).
 */
export function differRows(
  from: usize,
  count: usize,
  size: u32,
  distance: usize,
  order: u32,
  isFloat: bool,
  z: usize,
  tokens: usize,
): void {
  if (size === 2) differ<i16>(from, count, distance, order, isFloat, z, tokens);
  else differ<i32>(from, count, distance, order, isFloat, z, tokens);
}

/** `count` z at `numbers` become the numbers again, of which those before lie before. */
export function sumRows(numbers: usize, count: usize, size: u32, distance: usize, order: u32, isFloat: bool): void {
  if (size === 2) sum<i16>(numbers, count, distance, order, isFloat);
  else sum<i32>(numbers, count, distance, order, isFloat);
}
