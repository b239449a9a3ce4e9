/**
 * The regions of an index segment: where their pages lie, the root and the trailer (docs/format.md, Index segments).
 * Their rows are in `segment-rows.ts`.
 */
import { MbkError } from '../errors.ts';
import { viewOf } from './bytes.ts';

/** In the order in which they lie in a segment. */
export const regions = ['records', 'packs', 'frames', 'bases', 'parameters', 'filter', 'directory'] as const;
export type Region = (typeof regions)[number];
export type RowCounts = Readonly<Record<Region, number>>;

export const rowBytes: Readonly<Record<Region, number>> = {
  records: 48,
  packs: 128,
  frames: 32,
  bases: 32,
  parameters: 1,
  filter: 32,
  directory: 16,
};

/** Most plaintext that a box holds. No row is split, so a page of records is 16 bytes shorter. */
const pageBytes = 16_384;
const boxOverhead = 16;
const headerBytes = 72;

/** The longest box. */
export const largestBoxBytes: number = pageBytes + boxOverhead;
export const segmentTrailerBytes = 16;
export const rootBytes = 64;

export function rowsPerPage(region: Region): number {
  return Math.floor(pageBytes / rowBytes[region]);
}

/** Where a page's box lies. */
export interface PagePlace {
  /** Number of the box: its nonce. */
  readonly box: number;
  readonly offset: number;
  readonly boxLength: number;
}

export interface SegmentGeometry {
  /** Without the root. */
  readonly boxes: number;
  readonly rootOffset: number;
  readonly byteLength: number;
  pages(region: Region): number;
  /** Place of page `index` of a region; RangeError when the region has no such page. */
  place(region: Region, index: number): PagePlace;
}

/** Where everything lies in a segment with these numbers of rows. */
export function segmentGeometry(counts: RowCounts): SegmentGeometry {
  const starts = {} as Record<Region, { readonly box: number; readonly offset: number; readonly pages: number }>;
  let box = 0;
  let offset = headerBytes;
  for (const region of regions) {
    const pages = Math.ceil(counts[region] / rowsPerPage(region));
    starts[region] = { box, offset, pages };
    box += pages;
    offset += counts[region] * rowBytes[region] + pages * boxOverhead;
  }
  return {
    boxes: box,
    rootOffset: offset,
    byteLength: offset + rootBytes + boxOverhead + segmentTrailerBytes,
    pages: (region) => starts[region].pages,
    place(region, index) {
      const start = starts[region];
      if (!(index >= 0 && index < start.pages))
        throw new RangeError(`expected a page of ${region} below ${start.pages}, got ${index}`);
      const rows = Math.min(rowsPerPage(region), counts[region] - index * rowsPerPage(region));
      return {
        box: start.box + index,
        offset: start.offset + index * (rowsPerPage(region) * rowBytes[region] + boxOverhead),
        boxLength: rows * rowBytes[region] + boxOverhead,
      };
    },
  };
}

/*
 * Root                                          Trailer
 * offset size  meaning                          offset size  meaning
 *      0    4  version, 1                            0    4  number of boxes without the root
 *      4 7·4   rows of each region, in order         4    8  zero
 *     32   32  zero                                 12    4  mbki
 */

export function encodeRoot(counts: RowCounts): Uint8Array {
  const bytes = new Uint8Array(rootBytes);
  const view = viewOf(bytes);
  view.setUint32(0, 1, true);
  regions.forEach((region, index) => {
    if (counts[region] > 0xffff_ffff)
      throw new RangeError(`expected at most 2^32-1 rows of ${region}, got ${counts[region]}`);
    view.setUint32(4 + 4 * index, counts[region], true);
  });
  return bytes;
}

/** The row counts of a root; `value-invalid` when they cannot be those of one segment. */
export function decodeRoot(bytes: Uint8Array, what: string): RowCounts {
  const view = viewOf(bytes);
  if (
    bytes.byteLength !== rootBytes ||
    view.getUint32(0, true) !== 1 ||
    bytes.subarray(32).some((byte) => byte !== 0)
  ) {
    throw new MbkError('value-invalid', `root of ${what}: expected ${rootBytes} bytes of version 1`);
  }
  const counts = {} as Record<Region, number>;
  regions.forEach((region, index) => {
    counts[region] = view.getUint32(4 + 4 * index, true);
  });
  if (
    counts.filter !== filterBlocks(counts.records) ||
    counts.directory !== Math.ceil(counts.records / rowsPerPage('records'))
  ) {
    throw new MbkError('value-invalid', `root of ${what}: filter and directory do not fit ${counts.records} records`);
  }
  return counts;
}

/** How many filter blocks a segment of so many records has: two bytes a record. */
export function filterBlocks(records: number): number {
  return Math.max(1, Math.ceil((2 * records) / rowBytes.filter));
}

export function encodeSegmentTrailer(boxes: number): Uint8Array {
  const bytes = new Uint8Array(segmentTrailerBytes);
  viewOf(bytes).setUint32(0, boxes, true);
  bytes.set(trailerMagic, 12);
  return bytes;
}

/** Number of boxes from the last 16 bytes; `entry-damaged` when they are no trailer. */
export function decodeSegmentTrailer(bytes: Uint8Array, what: string): number {
  const view = viewOf(bytes);
  const sound =
    bytes.byteLength === segmentTrailerBytes &&
    view.getBigUint64(4, true) === 0n &&
    trailerMagic.every((byte, index) => bytes[12 + index] === byte);
  if (!sound) throw new MbkError('entry-damaged', `${what} does not end as an index segment does`);
  return view.getUint32(0, true);
}

/** `mbki` */
const trailerMagic = Uint8Array.of(0x6d, 0x62, 0x6b, 0x69);
