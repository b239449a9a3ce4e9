/** A quick hash of a record, to tell equal ones. It is no checksum: who wants to can make two records collide. */

export interface RecordHash {
  readonly high: number;
  readonly low: number;
}

/** Two numbers of 32 bits of the bytes from `start` to `end`. */
export function hashRecord(bytes: Uint8Array, start = 0, end: number = bytes.length): RecordHash {
  let high = 0x9e3779b9 ^ (end - start);
  let low = 0x85ebca6b;
  // Four bytes at a time; what is missing of the last ones are zeros, which the length tells from bytes.
  for (let at = start; at < end; at += 4) {
    const left = end - at;
    const word =
      (bytes[at] ?? 0) |
      (left > 1 ? (bytes[at + 1] ?? 0) << 8 : 0) |
      (left > 2 ? (bytes[at + 2] ?? 0) << 16 : 0) |
      (left > 3 ? (bytes[at + 3] ?? 0) << 24 : 0);
    high = Math.imul(high ^ word, 0x01000193);
    high ^= high >>> 15;
    low = Math.imul(low ^ word, 0x5bd1e995);
    low ^= low >>> 13;
  }
  high = Math.imul(high ^ (high >>> 16), 0x85ebca6b) ^ Math.imul(low ^ (low >>> 13), 0xc2b2ae35);
  low = Math.imul(low ^ (low >>> 16), 0x85ebca6b) ^ Math.imul(high ^ (high >>> 13), 0xc2b2ae35);
  return { high: high >>> 0, low: low >>> 0 };
}
