/** A set of whole numbers below 2^31, one bit each: a million rows take 125 KB. */

export interface IdSet {
  /** RangeError for a number that is out of range. */
  add(id: number): void;
  has(id: number): boolean;
}

/** All ids are below it. */
export const idBound: number = 2 ** 31;

export function idSet(): IdSet {
  let bits = new Uint8Array(1024);
  return {
    add(id) {
      if (!Number.isInteger(id) || id < 0 || id >= idBound)
        throw new RangeError(`expected an id below ${idBound}, got ${id}`);
      const at = Math.floor(id / 8);
      if (at >= bits.length) {
        const larger = new Uint8Array(Math.max(at + 1, bits.length * 2));
        larger.set(bits);
        bits = larger;
      }
      bits[at] = (bits[at] ?? 0) | (1 << (id & 7));
    },
    has: (id) => ((bits[Math.floor(id / 8)] ?? 0) & (1 << (id & 7))) !== 0,
  };
}
