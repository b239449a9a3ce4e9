/** The index of the first byte of `bytes[start..end)` that is not zero; `end` when all are. */
export function endOfZeros(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] === 0) at += 1;
  return at;
}
