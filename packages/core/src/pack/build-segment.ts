/**
 * A new index segment from any number of sorted sources, by one streaming merge (docs/format.md, Index segments).
 *
 * In memory are the sealed result, its filter and a few numbers a pack; rows are never held together. A pack that is in
 * two sources is taken from the first; dropped packs leave no trace, so a merge can never bring back what is gone.
 */
import type { Random } from '../crypto/hash.ts';
import type { Keys, Keyset } from '../crypto/keyset.ts';
import { MbkError } from '../errors.ts';
import { viewOf } from '../format/bytes.ts';
import type { PackId } from '../format/ids.ts';
import { filterBlocks, rowBytes, rowsPerPage } from '../format/index-segment.ts';
import { decodeFrame, decodePackRow, encodeFrame, encodePackRow } from '../format/segment-rows.ts';
import { addToFilter } from './block-filter.ts';
import { type MergePlan, planMerge, type PlannedSource } from './merge-plan.ts';
import { type RowCursor, rowCursor } from './row-cursor.ts';
import { compareRecords, type SegmentRows } from './segment-source.ts';
import { type FinishedSegment, type SegmentWriter, segmentWriter } from './segment-writer.ts';

export interface BuildOptions {
  readonly keys: Keys;
  readonly keyset: Keyset;
  readonly random: Random;
  /** Packs whose rows are left out; none unless given. */
  readonly drop?: ((pack: PackId) => boolean) | undefined;
}

export interface BuiltSegment extends FinishedSegment {
  /** Number of records. */
  readonly blobs: number;
  readonly packs: readonly PackId[];
}

/** Merges the sources. Errors: `value-invalid` when the rows of a source contradict each other, and its read errors. */
export function buildSegment(
  sources: readonly SegmentRows[],
  { keys, keyset, random, drop }: BuildOptions,
): BuiltSegment {
  const plan = planMerge(sources, drop ?? (() => false));
  const writer = segmentWriter({ keys, keyset, random });
  const { filter, directory, blobs } = writeRecords(writer, plan);
  writePacks(writer, plan);
  const extras = writeFrames(writer, plan);
  copyExtras(writer, plan, 'bases', extras.bases);
  copyExtras(writer, plan, 'parameters', extras.parameters);
  writer.write('filter', filter);
  writer.write('directory', directory);
  return { ...writer.close(), blobs, packs: plan.kept.map(({ id }) => id) };
}

/** Merges the records of kept packs, with their new frame rows. */
function writeRecords(
  writer: SegmentWriter,
  plan: MergePlan,
): { filter: Uint8Array; directory: Uint8Array; blobs: number } {
  const count = countRecords(plan);
  const filter = new Uint8Array(filterBlocks(count) * rowBytes.filter);
  const perPage = rowsPerPage('records');
  const directory = new Uint8Array(Math.ceil(count / perPage) * rowBytes.directory);
  const streams = plan.sources.map(keptRecords).filter((stream) => stream.current !== undefined);
  const filterView = viewOf(filter);
  const last = new Uint8Array(rowBytes.records);
  const lastView = viewOf(last);
  for (let row = 0; row < count; row += 1) {
    const stream = firstOf(streams);
    const record = stream?.current;
    if (stream === undefined || record === undefined) throw new RangeError(`expected ${count} records, got ${row}`);
    if (row > 0 && compareRecords(last, record) > 0)
      throw new MbkError('value-invalid', 'an index segment is not sorted');
    last.set(record);
    writer.write('records', record);
    addToFilter(filterView, lastView);
    if (row % perPage === 0)
      directory.set(record.subarray(0, rowBytes.directory), (row / perPage) * rowBytes.directory);
    stream.advance();
    if (stream.current === undefined) streams.splice(streams.indexOf(stream), 1);
  }
  return { filter, directory, blobs: count };
}

interface RecordStream {
  current: Uint8Array | undefined;
  advance(): void;
}

function firstOf(streams: readonly RecordStream[]): RecordStream | undefined {
  let first = streams[0];
  for (const stream of streams) {
    if (
      stream !== first &&
      first?.current !== undefined &&
      stream.current !== undefined &&
      compareRecords(stream.current, first.current) < 0
    ) {
      first = stream;
    }
  }
  return first;
}

/** The records of a source that stay, their frame rows already those of the result: ties are ordered by them. */
function keptRecords(source: PlannedSource): RecordStream {
  const cursor = rowCursor(source.rows, 'records');
  const buffer = new Uint8Array(rowBytes.records);
  const view = viewOf(buffer);
  const stream: RecordStream = {
    current: undefined,
    advance() {
      for (let row = cursor.next(); row !== undefined; row = cursor.next()) {
        buffer.set(row);
        const frameRow = source.newFrameRow(view.getUint32(32, true));
        if (frameRow === undefined) continue;
        view.setUint32(32, frameRow, true);
        stream.current = buffer;
        return;
      }
      stream.current = undefined;
    },
  };
  stream.advance();
  return stream;
}

function countRecords(plan: MergePlan): number {
  let count = 0;
  for (const source of plan.sources) {
    if (source.keepsAll) {
      count += source.rows.counts.records;
      continue;
    }
    const cursor = rowCursor(source.rows, 'records');
    for (let row = cursor.next(); row !== undefined; row = cursor.next()) {
      if (source.newFrameRow(viewOf(row).getUint32(32, true)) !== undefined) count += 1;
    }
  }
  return count;
}

function writePacks(writer: SegmentWriter, plan: MergePlan): void {
  const cursors = plan.sources.map((source) => rowCursor(source.rows, 'packs'));
  const bytes = new Uint8Array(rowBytes.packs);
  let firstFrame = 0;
  for (const { source, keep } of plan.order()) {
    const counts = plan.sources[source]?.rows.counts;
    cursors[source]?.take(1, (packRow) => {
      if (!keep || counts === undefined) return;
      const { row } = decodePackRow(packRow, 0, counts, 'index segment');
      encodePackRow(bytes, 0, { row, firstFrame });
      writer.write('packs', bytes);
      firstFrame += row.frames;
    });
  }
}

/** How many bases and parameter bytes the packs of each source have. */
interface ExtraCounts {
  readonly bases: readonly Uint32Array[];
  readonly parameters: readonly Uint32Array[];
}

function writeFrames(writer: SegmentWriter, plan: MergePlan): ExtraCounts {
  const cursors = plan.sources.map((source) => rowCursor(source.rows, 'frames'));
  const perPack = (): Uint32Array[] => plan.sources.map((source) => new Uint32Array(source.rows.counts.packs));
  const extras = { bases: perPack(), parameters: perPack() };
  const basesRead = plan.sources.map(() => 0);
  const parametersRead = plan.sources.map(() => 0);
  const row = new Uint8Array(rowBytes.frames);
  let newPackRow = 0;
  let firstBase = 0;
  let firstParameter = 0;
  for (const { source, packRow, frames, keep } of plan.order()) {
    const rows = plan.sources[source]?.rows;
    const bases = extras.bases[source];
    const parameters = extras.parameters[source];
    if (rows === undefined || bases === undefined || parameters === undefined) continue;
    for (let number = 0; number < frames; number += 1) {
      const bytes = cursors[source]?.next();
      const frame = bytes === undefined ? undefined : decodeFrame(bytes, 0, rows.counts, 'index segment');
      if (
        frame === undefined ||
        frame.packRow !== packRow ||
        (frame.bases > 0 && frame.firstBase !== basesRead[source]) ||
        (frame.parameterBytes > 0 && frame.firstParameter !== parametersRead[source])
      ) {
        throw new MbkError('value-invalid', `frame ${number} of a pack is not where an index segment must have it`);
      }
      bases[packRow] = (bases[packRow] ?? 0) + frame.bases;
      parameters[packRow] = (parameters[packRow] ?? 0) + frame.parameterBytes;
      basesRead[source] = (basesRead[source] ?? 0) + frame.bases;
      parametersRead[source] = (parametersRead[source] ?? 0) + frame.parameterBytes;
      if (!keep) continue;
      encodeFrame(row, 0, { ...frame, packRow: newPackRow, firstBase, firstParameter });
      firstBase += frame.bases;
      firstParameter += frame.parameterBytes;
      writer.write('frames', row);
    }
    if (keep) newPackRow += 1;
  }
  return extras;
}

function copyExtras(
  writer: SegmentWriter,
  plan: MergePlan,
  region: 'bases' | 'parameters',
  counts: readonly Uint32Array[],
): void {
  const cursors: readonly RowCursor[] = plan.sources.map((source) => rowCursor(source.rows, region));
  plan.sources.forEach(({ rows }, index) => {
    let needed = 0;
    for (const count of counts[index] ?? []) needed += count;
    if (needed !== rows.counts[region])
      throw new MbkError('value-invalid', `an index segment holds other ${region} than its frames name`);
  });
  for (const { source, packRow, keep } of plan.order()) {
    cursors[source]?.take(counts[source]?.[packRow] ?? 0, (rows) => {
      if (keep) writer.write(region, rows);
    });
  }
}
