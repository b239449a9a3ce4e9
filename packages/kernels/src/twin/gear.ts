/** The rolling gear hash in plain TypeScript (docs/format.md, Chunking), and the oracle for its faster twin. */
import type { GearScanner, GearTable } from '../kernels.ts';

/** A scanner whose hash another one can go on from. */
export interface ResumableScanner extends GearScanner {
  /** The hash of what was taken, as a number of 32 bits, signed or not. */
  hash: number;
}

/** A scanner of its own hash. `RangeError` when the table has not 256 words. */
export function gearScanner(table: GearTable): ResumableScanner {
  if (table.length !== 256) throw new RangeError(`expected a gear table of 256 words, got ${table.length}`);
  let hash = 0;
  return {
    get hash() {
      return hash;
    },

    set hash(value) {
      hash = value;
    },

    reset() {
      hash = 0;
    },

    roll(bytes, start, end) {
      let h = hash;
      for (let i = start; i < end; i += 1) {
        // A byte is always an index of the table; | 0 makes the sum one modulo 2^32.
        h = ((h << 1) + (table[bytes[i] as number] as number)) | 0;
      }
      hash = h;
    },

    scan(bytes, start, end, bits) {
      let h = hash;
      for (let i = start; i < end; i += 1) {
        h = ((h << 1) + (table[bytes[i] as number] as number)) | 0;
        if (h >>> bits === 0) {
          hash = h;
          return i + 1;
        }
      }
      hash = h;
      return -1;
    },
  };
}
