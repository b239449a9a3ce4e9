/**
 * Where the rows of a new index segment come from: an open segment, or packs that no segment names yet.
 *
 * Rows are in the segment's own form and order (docs/format.md, Index segments), so that a merge moves bytes.
 */
import { fromHex, viewOf } from '../format/bytes.ts';
import type { FooterFrame } from '../format/pack-footer.ts';
import { type Region, rowBytes, type RowCounts } from '../format/index-segment.ts';
import { encodeFrame, encodePackRow } from '../format/segment-rows.ts';
import { compactContents, type CompactContents } from './compact-contents.ts';
import type { PackContents } from './pack-contents.ts';

export interface SegmentRows {
  readonly counts: RowCounts;
  /** The rows of a region in order, any number of whole rows at a time; each call starts anew. */
  pages(region: Region): Iterable<Uint8Array>;
}

/** The rows of some packs, each named once. */
export function rowsOfPacks(packs: Iterable<PackContents>): SegmentRows {
  const sorted = [...packs].map(compactContents).sort((a, b) => (a.row.id < b.row.id ? -1 : 1));
  const counts = { records: 0, packs: sorted.length, frames: 0, bases: 0, parameters: 0, filter: 0, directory: 0 };
  for (const { blobs } of sorted) counts.records += blobs;
  for (const frame of framesOf(sorted)) {
    counts.frames += 1;
    counts.bases += frame.bases.length;
    counts.parameters += frame.parameters.byteLength;
  }
  const makers: Partial<Record<Region, () => Uint8Array>> = {
    records: () => recordRows(sorted, counts.records),
    packs: () => packRows(sorted),
    frames: () => frameRows(sorted, counts.frames),
    bases: () =>
      Buffer.concat(
        framesOf(sorted)
          .flatMap((frame) => frame.bases.map(fromHex))
          .toArray(),
      ),
    parameters: () =>
      Buffer.concat(
        framesOf(sorted)
          .map((frame) => frame.parameters)
          .toArray(),
      ),
  };
  return {
    counts,
    *pages(region) {
      const bytes = makers[region]?.();
      if (bytes !== undefined && bytes.byteLength > 0) yield bytes;
    },
  };
}

function* framesOf(packs: readonly PackContents[]): Generator<FooterFrame> {
  for (const { frames } of packs) yield* frames;
}

function recordRows(packs: readonly CompactContents[], count: number): Uint8Array {
  const size = rowBytes.records;
  const unsorted = new Uint8Array(count * size);
  const view = viewOf(unsorted);
  let at = 0;
  let firstFrame = 0;
  for (const { columns, blobs } of packs) {
    const { ids, types, lengths, offsets, firsts } = columns;
    let frame = 0;
    for (let blob = 0; blob < blobs; blob += 1) {
      while ((firsts[frame + 1] ?? blobs) <= blob) frame += 1;
      unsorted.set(ids.subarray(blob * 32, blob * 32 + 32), at);
      view.setUint32(at + 32, firstFrame + frame, true);
      view.setUint32(at + 36, offsets[blob] ?? 0, true);
      view.setUint32(at + 40, lengths[blob] ?? 0, true);
      view.setUint32(at + 44, types[blob] ?? 0, true);
      at += size;
    }
    firstFrame += columns.frames.length;
  }
  const rows = new Uint8Array(count * size);
  orderOf(unsorted, count).forEach((row, index) => rows.set(recordAt(unsorted, row), index * size));
  return rows;
}

function recordAt(records: Uint8Array, row: number): Uint8Array {
  return records.subarray(row * rowBytes.records, (row + 1) * rowBytes.records);
}

/**
 * The rows of `records` in their order. Each is sorted as one number, the first bits of its id and its row: numbers need
 * no call to be compared, which takes a twentieth of the time.
 */
function orderOf(records: Uint8Array, count: number): Uint32Array {
  const view = viewOf(records);
  const rowBits = Math.max(1, Math.ceil(Math.log2(count)));
  const rowsBound = 2 ** rowBits;
  const idStep = 2 ** Math.max(0, rowBits - 5); // 48 bits of the id, of which 53 - rowBits are taken
  const keys = Float64Array.from({ length: count }, (_, row) => {
    const at = row * rowBytes.records;
    return Math.floor((view.getUint32(at) * 65_536 + view.getUint16(at + 4)) / idStep) * rowsBound + row;
  }).sort();
  const order = Uint32Array.from(keys, (key) => key % rowsBound);
  const idBitsAt = (index: number): number => Math.floor((keys[index] ?? 0) / rowsBound);
  for (let start = 0; start < count;) {
    let end = start + 1;
    while (end < count && idBitsAt(end) === idBitsAt(start)) end += 1;
    // Ids that begin alike, or one blob in two packs.
    if (end - start > 1)
      order.subarray(start, end).sort((a, b) => compareRecords(recordAt(records, a), recordAt(records, b)));
    start = end;
  }
  return order;
}

/** Order of records: id, type, frame row. */
export function compareRecords(a: Uint8Array, b: Uint8Array): number {
  for (let at = 0; at < 32; at += 1) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  const typeOrder = (a[44] ?? 0) - (b[44] ?? 0);
  return typeOrder === 0 ? frameRowOf(a) - frameRowOf(b) : typeOrder;
}

function frameRowOf(record: Uint8Array): number {
  return viewOf(record).getUint32(32, true);
}

function packRows(packs: readonly PackContents[]): Uint8Array {
  const rows = new Uint8Array(packs.length * rowBytes.packs);
  let firstFrame = 0;
  packs.forEach(({ row, frames }, index) => {
    encodePackRow(rows, index * rowBytes.packs, { row, firstFrame });
    firstFrame += frames.length;
  });
  return rows;
}

function frameRows(packs: readonly PackContents[], count: number): Uint8Array {
  const rows = new Uint8Array(count * rowBytes.frames);
  let at = 0;
  let firstBase = 0;
  let firstParameter = 0;
  packs.forEach(({ frames }, packRow) => {
    for (const frame of frames) {
      const { offset, boxLength, plainLength, codec, depth, parameters, bases } = frame;
      encodeFrame(rows, at, {
        offset,
        boxLength,
        plainLength,
        codec,
        depth,
        packRow,
        firstBase,
        bases: bases.length,
        firstParameter,
        parameterBytes: parameters.byteLength,
      });
      firstBase += bases.length;
      firstParameter += parameters.byteLength;
      at += rowBytes.frames;
    }
  });
  return rows;
}
