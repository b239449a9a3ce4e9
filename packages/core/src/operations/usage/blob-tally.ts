/**
 * Which blobs were met by which group last: an open-addressing table of 128 bits of each id and a stamp, 20 bytes a place
 * and at most three of four places taken.
 *
 * Groups are met one after the other, so the last group that met a blob says whether the current one, and the one above
 * it, has counted it already: one table serves all of them.
 */
import type { BlobId } from '../../format/ids.ts';

export interface BlobTally {
  readonly size: number;
  /** The stamp that the blob was given last, 0 before the first; gives it `stamp`, above 0 and below 2^32. */
  meet(id: BlobId, stamp: number): number;
  /** The stamp that the blob was given last, 0 before the first. */
  last(id: BlobId): number;
}

const words = 5;

export function blobTally(): BlobTally {
  let places = 1024;
  let table = new Uint32Array(places * words);
  let size = 0;

  const grow = (): void => {
    const old = table;
    places *= 2;
    table = new Uint32Array(places * words);
    for (let at = 0; at < old.length; at += words) {
      if (old[at + 4] === 0) continue;
      let place = ((old[at] ?? 0) & (places - 1)) * words;
      while (table[place + 4] !== 0) place = place + words === table.length ? 0 : place + words;
      table.set(old.subarray(at, at + words), place);
    }
  };

  /** Of the id that was looked for last. */
  const wanted = new Uint32Array(4);

  /** Where the blob is, or would be. */
  const placeOf = (id: BlobId): number => {
    const a = Number.parseInt(id.slice(0, 8), 16);
    const b = Number.parseInt(id.slice(8, 16), 16);
    const c = Number.parseInt(id.slice(16, 24), 16);
    const d = Number.parseInt(id.slice(24, 32), 16);
    wanted[0] = a;
    wanted[1] = b;
    wanted[2] = c;
    wanted[3] = d;
    let place = (a & (places - 1)) * words;
    while (
      table[place + 4] !== 0 &&
      !(table[place] === a && table[place + 1] === b && table[place + 2] === c && table[place + 3] === d)
    )
      place = place + words === table.length ? 0 : place + words;
    return place;
  };

  return {
    get size() {
      return size;
    },
    meet(id, stamp) {
      if (size * 4 >= places * 3) grow();
      const place = placeOf(id);
      const before = table[place + 4] ?? 0;
      if (before === 0) {
        table.set(wanted, place);
        size += 1;
      }
      table[place + 4] = stamp;
      return before;
    },
    last: (id) => table[placeOf(id) + 4] ?? 0,
  };
}
