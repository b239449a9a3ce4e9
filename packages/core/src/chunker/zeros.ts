/** Finding bytes that are all zero, at the speed of memcmp where they are, and after one look where they are not. */

const blockBytes = 65_536;
const zeros = new Uint8Array(blockBytes);

/** 64 KiB of zeros; never write to it. */
export const zeroBlock: Uint8Array = zeros;

/** Whether `bytes[start..end)` are all zero; true when there are none. */
export function isZero(bytes: Uint8Array, start: number, end: number): boolean {
  if (start >= end) return true;
  if (bytes[start] !== 0 || bytes[end - 1] !== 0) return false;
  for (let from = start; from < end; from += blockBytes) {
    const to = Math.min(end, from + blockBytes);
    if (Buffer.compare(bytes.subarray(from, to), zeros.subarray(0, to - from)) !== 0) return false;
  }
  return true;
}
