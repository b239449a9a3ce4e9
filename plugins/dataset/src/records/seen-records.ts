/** Which records were there before: a table of hashes that stops growing at a bound, and says so. */

import type { RecordHash } from './record-hash.ts';

export interface SeenRecords {
  /** Whether a record of this hash was there before; remembers it while there is room. */
  add(hash: RecordHash): boolean;
  /** Whether records went by that there was no room to remember. */
  readonly isFull: boolean;
  /** Different ones that are remembered. */
  readonly size: number;
}

/** Remembers at most `most` records, 1,500,000 unless given: 16 MiB. */
export function seenRecords(most = 1_500_000): SeenRecords {
  let slots = 1 << 12;
  let table = new Uint32Array(2 * slots);
  let size = 0;
  let isFull = false;

  /** Index of the hash, or of the free slot where it would go. (0, 0) stands for a free one. */
  const find = (into: Uint32Array, count: number, high: number, low: number): number => {
    let slot = high & (count - 1);
    for (;;) {
      const a = into[2 * slot];
      const b = into[2 * slot + 1];
      if ((a === high && b === low) || (a === 0 && b === 0)) return slot;
      slot = (slot + 1) & (count - 1);
    }
  };
  const grow = (): void => {
    const grown = new Uint32Array(4 * slots);
    for (let slot = 0; slot < slots; slot += 1) {
      const [high = 0, low = 0] = [table[2 * slot], table[2 * slot + 1]];
      if (high === 0 && low === 0) continue;
      const to = find(grown, 2 * slots, high, low);
      grown[2 * to] = high;
      grown[2 * to + 1] = low;
    }
    table = grown;
    slots *= 2;
  };
  return {
    add({ high, low: given }) {
      const low = high === 0 && given === 0 ? 1 : given;
      const slot = find(table, slots, high, low);
      if (table[2 * slot] === high && table[2 * slot + 1] === low) return true;
      if (size >= most) {
        isFull = true;
        return false;
      }
      table[2 * slot] = high;
      table[2 * slot + 1] = low;
      size += 1;
      if (size > 0.75 * slots) grow();
      return false;
    },
    get isFull() {
      return isFull;
    },
    get size() {
      return size;
    },
  };
}
