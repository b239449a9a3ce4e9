/**
 * Finds ids that lie in buffers: an open-addressing table of numbers, about 16 bytes an id, the ids themselves stay
 * where they are. Ids are hashes, so their first bytes are as good a hash as any.
 */
import { compareBytes, fromHex } from '../format/bytes.ts';
import type { BlobId } from '../format/ids.ts';

export interface IdTable {
  /** How many were added. */
  readonly size: number;
  /** Adds id number `index` of `ids`, 32 bytes each, which stays as it is; `owner` comes back with it. */
  add(ids: Uint8Array, index: number, owner: number): void;
  /** Owner and index of every time the id was added, in that order. */
  find(id: BlobId): [owner: number, index: number][];
}

export function idTable(): IdTable {
  /** By owner. */
  const buffers: Uint8Array[] = [];
  /** 1 + number of the place of what hashes here or before; 0 where nothing does. At most half is taken. */
  let slots = new Uint32Array(64);
  /** Owner and index, one after the other. */
  let places = new Uint32Array(64);
  let size = 0;

  const prefixOf = (place: number): number => {
    const ids = buffers[places[place * 2] ?? 0];
    const at = (places[place * 2 + 1] ?? 0) * 32;
    if (ids === undefined) return 0;
    return (((ids[at] ?? 0) << 24) | ((ids[at + 1] ?? 0) << 16) | ((ids[at + 2] ?? 0) << 8) | (ids[at + 3] ?? 0)) >>> 0;
  };

  const insert = (place: number): void => {
    let slot = prefixOf(place) & (slots.length - 1);
    while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1);
    slots[slot] = place + 1;
  };

  const grow = (): void => {
    if (places.length === size * 2) {
      const larger = new Uint32Array(places.length * 2);
      larger.set(places);
      places = larger;
    }
    if (slots.length === size * 2) {
      slots = new Uint32Array(slots.length * 2);
      for (let place = 0; place < size; place += 1) insert(place);
    }
  };

  return {
    get size() {
      return size;
    },
    add(ids, index, owner) {
      grow();
      buffers[owner] = ids;
      places[size * 2] = owner;
      places[size * 2 + 1] = index;
      insert(size);
      size += 1;
    },
    find(id) {
      const found: [number, number][] = [];
      const prefix = Number.parseInt(id.slice(0, 8), 16);
      let bytes: Uint8Array | undefined;
      for (let slot = prefix & (slots.length - 1); ; slot = (slot + 1) & (slots.length - 1)) {
        const place = (slots[slot] ?? 0) - 1;
        if (place < 0) return found;
        if (prefixOf(place) !== prefix) continue;
        bytes ??= fromHex(id);
        const owner = places[place * 2] ?? 0;
        const index = places[place * 2 + 1] ?? 0;
        if (compareBytes(buffers[owner]?.subarray(index * 32, index * 32 + 32) ?? empty, bytes) === 0) {
          found.push([owner, index]);
        }
      }
    },
  };
}

const empty = new Uint8Array(0);
