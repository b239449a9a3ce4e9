/** What content takes and what is saved on it, by what saved it: sums that add up to the plain bytes, always. */
import { codecName } from '../../codec/codec-name.ts';

/** Sizes in bytes. `raw` is `stored`, `absent` and all of `saved` together. */
export interface SavedSizes {
  /** Plain bytes of files, each in every capture that has it. */
  readonly raw: number;
  /** What the first of every blob takes in packs: its part of its frame. */
  readonly stored: number;
  readonly saved: Saved;
  /** Plain bytes of blobs that no index segment names. */
  readonly absent: number;
}

export interface Saved {
  /** What was there before: in another capture, another file, or the same one. */
  readonly dedup: number;
  /** Runs of zeros, which are not stored. */
  readonly zeros: number;
  /** Below zero by what sealing adds. */
  readonly raw: number;
  readonly zstd: number;
  readonly tensor: number;
  readonly delta: number;
  readonly derive: number;
  /** By codecs that this program does not know. */
  readonly other: number;
}

export interface SavedSums {
  /** Plain bytes of a file, in so many captures. */
  addFile(bytes: number, captures: number): void;
  addZeros(bytes: number): void;
  addAbsent(bytes: number): void;
  /** A blob that was not met before: its plain bytes, and those that it takes. */
  addBlob(codec: number, plain: number, stored: number): void;
  add(sums: SavedSums): void;
  sizes(): SavedSizes;
  readonly values: Float64Array;
}

const ways = ['raw', 'zstd', 'tensor', 'tensor-delta', 'derive'] as const;
const other = ways.length;
/** Places of the sums: then plain bytes of each way, then stored ones. */
const at = { raw: 0, zeros: 1, absent: 2, plain: 3, stored: 4 + ways.length } as const;
const length = at.stored + ways.length + 1;

export function savedSums(): SavedSums {
  const values = new Float64Array(length);
  const add = (place: number, bytes: number): void => void (values[place] = (values[place] ?? 0) + bytes);
  const of = (place: number): number => values[place] ?? 0;
  const savedBy = (way: number): number => of(at.plain + way) - Math.round(of(at.stored + way));
  return {
    values,
    addFile: (bytes, captures) => add(at.raw, bytes * captures),
    addZeros: (bytes) => add(at.zeros, bytes),
    addAbsent: (bytes) => add(at.absent, bytes),
    addBlob(codec, plain, stored) {
      const name = codecName(codec);
      const way = ways.findIndex((one) => one === name);
      add(at.plain + (way === -1 ? other : way), plain);
      add(at.stored + (way === -1 ? other : way), stored);
    },
    add: (sums) => sums.values.forEach((value, place) => add(place, value)),
    sizes() {
      let plain = 0;
      let stored = 0;
      for (let way = 0; way <= other; way += 1) {
        plain += of(at.plain + way);
        stored += Math.round(of(at.stored + way));
      }
      const [raw = 0, zstd = 0, tensor = 0, delta = 0, derive = 0] = ways.map((_, way) => savedBy(way));
      const dedup = of(at.raw) - of(at.zeros) - of(at.absent) - plain;
      return {
        raw: of(at.raw),
        stored,
        saved: { dedup, zeros: of(at.zeros), raw, zstd, tensor, delta, derive, other: savedBy(other) },
        absent: of(at.absent),
      };
    },
  };
}
