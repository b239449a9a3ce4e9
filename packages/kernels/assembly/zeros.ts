/** The end of the zeros that [start, end) begins with: the offset of its first byte that is not zero, or `end`. */
export function endOfZeros(start: usize, end: usize): usize {
  let at = start;
  while (at + 64 <= end) {
    const low = v128.or(v128.load(at), v128.load(at, 16));
    const high = v128.or(v128.load(at, 32), v128.load(at, 48));
    if (v128.any_true(v128.or(low, high))) break;
    at += 64;
  }
  while (at + 8 <= end && load<u64>(at) === 0) at += 8;
  while (at < end && load<u8>(at) === 0) at += 1;
  return at;
}
