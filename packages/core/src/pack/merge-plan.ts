/** Which packs a merge of index rows keeps, in which order, and where their frames come to lie. */
import { MbkError } from '../errors.ts';
import type { PackId } from '../format/ids.ts';
import { decodePackRow } from '../format/segment-rows.ts';
import { rowCursor } from './row-cursor.ts';
import type { SegmentRows } from './segment-source.ts';

export interface MergePlan {
  readonly sources: readonly PlannedSource[];
  /** In the order of the result. */
  readonly kept: readonly { readonly id: PackId }[];
  /** Every pack of every source in ascending order of ids, those of one source in the order of its rows. */
  order(): Iterable<PlannedPack>;
}

export interface PlannedSource {
  readonly rows: SegmentRows;
  readonly keepsAll: boolean;
  /** Where a frame row of this source comes to lie in the result; undefined when its pack is left out. */
  newFrameRow(frameRow: number): number | undefined;
}

export interface PlannedPack {
  /** Index of the source. */
  readonly source: number;
  readonly packRow: number;
  readonly frames: number;
  readonly keep: boolean;
}

interface PackInSource extends PlannedPack {
  readonly id: PackId;
}

/** Plans the merge of `sources` without the packs for which `drop` holds. Errors: `value-invalid`. */
export function planMerge(sources: readonly SegmentRows[], drop: (pack: PackId) => boolean): MergePlan {
  const packs = sources.flatMap(packsOf).sort((a, b) => (a.id === b.id ? a.source - b.source : a.id < b.id ? -1 : 1));
  const order = packs.map((pack, index) => ({ ...pack, keep: packs[index - 1]?.id !== pack.id && !drop(pack.id) }));
  const planned = sources.map((rows) => ({
    rows,
    first: new Float64Array(rows.counts.packs + 1),
    target: new Float64Array(rows.counts.packs),
  }));
  let frameRow = 0;
  for (const { source, packRow, frames, keep } of order) {
    const of = planned[source];
    if (of === undefined) continue;
    of.first[packRow + 1] = frames; // summed up below
    of.target[packRow] = keep ? frameRow : dropped;
    if (keep) frameRow += frames;
  }
  return {
    sources: planned.map(plannedSource),
    kept: order.filter((pack) => pack.keep),
    order: () => order,
  };
}

/** In the place of the first new frame row of a pack. */
const dropped = -1;

function packsOf(rows: SegmentRows, source: number): PackInSource[] {
  const cursor = rowCursor(rows, 'packs');
  const packs: PackInSource[] = [];
  let frameRow = 0;
  for (let row = cursor.next(); row !== undefined; row = cursor.next()) {
    const {
      row: { id, frames },
      firstFrame,
    } = decodePackRow(row, 0, rows.counts, 'index segment');
    const before = packs.at(-1);
    if (before !== undefined && before.id >= id)
      throw new MbkError('value-invalid', 'the packs of an index segment are not sorted');
    if (firstFrame !== frameRow)
      throw new MbkError('value-invalid', `the frames of pack ${id} begin at row ${firstFrame}, not at ${frameRow}`);
    frameRow += frames;
    packs.push({ id, source, packRow: packs.length, frames, keep: true });
  }
  return packs;
}

function plannedSource({
  rows,
  first,
  target,
}: {
  rows: SegmentRows;
  first: Float64Array;
  target: Float64Array;
}): PlannedSource {
  for (let row = 1; row < first.length; row += 1) first[row] = (first[row] ?? 0) + (first[row - 1] ?? 0);
  if (first[rows.counts.packs] !== rows.counts.frames) {
    throw new MbkError(
      'value-invalid',
      `an index segment has ${rows.counts.frames} frames, its packs have ${first[rows.counts.packs] ?? 0}`,
    );
  }
  return {
    rows,
    keepsAll: target.every((row) => row !== dropped),
    newFrameRow(frameRow) {
      if (frameRow >= rows.counts.frames)
        throw new MbkError('value-invalid', `a record names frame ${frameRow} of ${rows.counts.frames}`);
      // The last pack whose first frame is not behind this one.
      let low = 0;
      let high = target.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >>> 1;
        if ((first[middle] ?? 0) <= frameRow) low = middle;
        else high = middle - 1;
      }
      const start = target[low] ?? dropped;
      return start === dropped ? undefined : start + frameRow - (first[low] ?? 0);
    },
  };
}
