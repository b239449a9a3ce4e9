/**
 * Real sealed index segments of made-up rows, the same each time but for what sealing makes random. They name packs that
 * are nowhere: what is found in them is known, and cannot be read.
 */

import type { Random } from '../../packages/core/src/crypto/hash.ts';
import type { Keys } from '../../packages/core/src/crypto/keyset.ts';
import { viewOf } from '../../packages/core/src/format/bytes.ts';
import { asPackId } from '../../packages/core/src/format/ids.ts';
import { filterBlocks, rowBytes, rowsPerPage } from '../../packages/core/src/format/index-segment.ts';
import { encodeFrame, encodePackRow, encodeRecord, type PackRow } from '../../packages/core/src/format/segment-rows.ts';
import { addToFilter } from '../../packages/core/src/pack/block-filter.ts';
import type { SegmentInfo } from '../../packages/core/src/pack/index-set.ts';
import { segmentWriter } from '../../packages/core/src/pack/segment-writer.ts';

export interface SyntheticSegment {
  readonly info: SegmentInfo;
  readonly key: string;
  readonly parts: readonly Uint8Array[];
}

export interface SyntheticSegmentOptions {
  /** Number of blobs. */
  readonly blobs: number;
  readonly keys: Keys;
  readonly random: Random;
  /** Ids that are among them, by the row where they stand (`rowOf`). */
  readonly given?: ReadonlyMap<number, Uint8Array> | undefined;
}

/** Blobs of a segment that is as large as a merge makes it. */
export const largeBlobs = 500_000;
/** Plain bytes of each blob. */
export const blobBytes = 4096;

const blobsPerFrame = 16;
const framesPerPack = 2000;

/** Segment number `segment`: its actor is that of the keys. */
export function syntheticSegment(segment: number, options: SyntheticSegmentOptions): SyntheticSegment {
  const { blobs: count, given, keys, random } = options;
  const writer = segmentWriter({ keys, keyset: keys.shared, random });
  const frames = Math.ceil(count / blobsPerFrame);
  const packs = Math.ceil(frames / framesPerPack);
  const filter = new Uint8Array(filterBlocks(count) * rowBytes.filter);
  const perPage = rowsPerPage('records');
  const directory = new Uint8Array(Math.ceil(count / perPage) * rowBytes.directory);
  const record = new Uint8Array(rowBytes.records);
  const madeUp = new Uint8Array(32);
  for (let row = 0; row < count; row += 1) {
    writeId(madeUp, segment, row, count);
    const id = given?.get(row) ?? madeUp;
    const frameRow = madeUpWord(segment, row, 9) % frames;
    encodeRecord(record, 0, id, {
      frameRow,
      offset: blobBytes * (row % blobsPerFrame),
      length: blobBytes,
      type: 'data',
    });
    writer.write('records', record);
    addToFilter(viewOf(filter), viewOf(id));
    if (row % perPage === 0) directory.set(id.subarray(0, 16), (row / perPage) * rowBytes.directory);
  }
  writePacks();
  const bytes = new Uint8Array(rowBytes.frames);
  for (let row = 0; row < frames; row += 1) {
    const number = row % framesPerPack;
    encodeFrame(bytes, 0, {
      packRow: Math.floor(row / framesPerPack),
      offset: 72 + 20_000 * number,
      boxLength: 20_000,
      plainLength: blobsPerFrame * blobBytes,
      codec: 0,
      depth: 0,
      parameterBytes: 0,
      firstParameter: 0,
      firstBase: 0,
      bases: 0,
    });
    writer.write('frames', bytes);
  }
  writer.write('filter', filter);
  writer.write('directory', directory);
  const { id: name, key, parts, byteLength } = writer.close();
  return { info: { id: name, blobs: count, bytes: byteLength, actor: keys.actor.id }, key, parts };

  function writePacks(): void {
    const bytes = new Uint8Array(rowBytes.packs);
    for (let pack = 0; pack < packs; pack += 1) {
      const id = asPackId(`${pack.toString(16).padStart(8, '0')}${segment.toString(16).padStart(56, '0')}`);
      const inPack = Math.min(framesPerPack, frames - pack * framesPerPack);
      const row: PackRow = {
        id,
        ephemeral: new Uint8Array(32),
        actor: keys.actor.id,
        keyset: keys.shared.id,
        frames: inPack,
        size: 72 + 20_000 * framesPerPack + 4096,
        kind: 'data',
        lifetime: 'long',
      };
      encodePackRow(bytes, 0, { row, firstFrame: pack * framesPerPack });
      writer.write('packs', bytes);
    }
  }
}

/** Segment number in the upper bits, row in the lower ones: two 32-bit words that look random, the same each time. */
export function madeUpWord(segment: number, row: number, word: number): number {
  let h = Math.imul(row ^ Math.imul(segment + 1, 0x9e3779b1), 0x85ebca6b) ^ Math.imul(word + 1, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
  return (h ^ (h >>> 15)) >>> 0;
}

/** Id `row` of `count` sorted ids of a segment, into `id`. */
export function writeId(id: Uint8Array, segment: number, row: number, count: number): void {
  const view = viewOf(id);
  const step = 2 ** 32 / count;
  view.setUint32(0, Math.floor(row * step + (step * madeUpWord(segment, row, 0)) / 2 ** 32));
  for (let word = 1; word < 8; word += 1) view.setUint32(4 * word, madeUpWord(segment, row, word));
  // Among ids with equal first words the row decides.
  view.setUint32(4, ((row & 0xffff) << 16) | (madeUpWord(segment, row, 1) & 0xffff));
}

/** The row of a segment of `count` ids that one may stand in; undefined for the few that the rows beside it may be like. */
export function rowOf(id: Uint8Array, count: number): number | undefined {
  const first = viewOf(id).getUint32(0);
  const step = 2 ** 32 / count;
  const row = Math.floor(first / step);
  return first - 1 > row * step && first + 1 < (row + 1) * step ? row : undefined;
}
