/**
 * The rolling gear hash that finds where content says "cut here" (docs/format.md, Chunking).
 *
 * One step is h = 2h + table[byte] modulo 2^32, so h depends on the last 32 bytes alone. The table is keyed: without
 * the key nobody can tell from the sizes of chunks which file they come from. Plain TypeScript, and the oracle for any
 * faster twin.
 */
import { hkdf } from '../crypto/hash.ts';
import { viewOf } from '../format/bytes.ts';

/** 256 words of 32 bits, signed because that is how JavaScript adds them fastest. */
export type GearTable = Int32Array;

/** How many of the last bytes the hash depends on. */
export const gearWindow = 32;

/** The gear table of a keyset's `chunker` subkey. */
export function gearTable(chunkerKey: Uint8Array): GearTable {
  const view = viewOf(hkdf(chunkerKey, new Uint8Array(0), 'mbk/1 gear', 1024));
  return Int32Array.from({ length: 256 }, (_, i) => view.getInt32(i * 4, true));
}

/** A hash that goes on from call to call, 0 at first. */
export interface GearScanner {
  /** Sets the hash to 0. */
  reset(): void;
  /** Takes `bytes[start..end)`. */
  roll(bytes: Uint8Array, start: number, end: number): void;
  /** Takes bytes of `bytes[start..end)` up to one after which the hash is below 2^`bits`: the index behind it, or -1. */
  scan(bytes: Uint8Array, start: number, end: number, bits: number): number;
}

export function gearScanner(table: GearTable): GearScanner {
  let hash = 0;
  return {
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
