/**
 * The rows of an index segment's records, packs and frames (docs/format.md, Index segments).
 *
 * Rows are read from and written to pages in place. What a decoder returns is within the limits and within its segment.
 */
import { MbkError } from '../errors.ts';
import { fromHex, toHex, viewOf } from './bytes.ts';
import {
  type ActorId,
  asActorId,
  asBlobId,
  asKeysetId,
  asPackId,
  type BlobId,
  type BlobType,
  blobTypeNumber,
  blobTypeOf,
  type KeysetId,
  type Lifetime,
  lifetimes,
  type PackId,
  type PackKind,
} from './ids.ts';
import type { RowCounts } from './index-segment.ts';
import { limits } from './limits.ts';

const headerBytes = 72;
const boxOverhead = 16;

/*
 * Record
 * offset size  meaning
 *      0   32  blob id
 *     32    4  frame row
 *     36    4  offset in the frame's plaintext
 *     40    4  length
 *     44    1  type
 *     45    3  zero
 */

export interface SegmentRecord {
  readonly id: BlobId;
  readonly frameRow: number;
  readonly offset: number;
  readonly length: number;
  readonly type: BlobType;
}

/** Writes a record at byte `at`; `id` are the blob id's bytes. */
export function encodeRecord(page: Uint8Array, at: number, id: Uint8Array, record: Omit<SegmentRecord, 'id'>): void {
  page.set(id, at);
  const view = viewOf(page);
  view.setUint32(at + 32, record.frameRow, true);
  view.setUint32(at + 36, record.offset, true);
  view.setUint32(at + 40, record.length, true);
  view.setUint32(at + 44, blobTypeNumber(record.type), true);
}

/** A record of the segment `what`, of the blob `id` if that is known; `value-invalid` when a field is out of its bounds. */
export function decodeRecord(
  page: Uint8Array,
  at: number,
  counts: RowCounts,
  what: string,
  id?: BlobId,
): SegmentRecord {
  const view = viewOf(page);
  const record: SegmentRecord = {
    id: id ?? asBlobId(toHex(page.subarray(at, at + 32))),
    frameRow: view.getUint32(at + 32, true),
    offset: view.getUint32(at + 36, true),
    length: view.getUint32(at + 40, true),
    type: blobTypeOf(view.getUint32(at + 44, true)),
  };
  if (record.frameRow >= counts.frames || record.offset + record.length > limits.frameBytes) {
    throw new MbkError('value-invalid', `${what}: the record of blob ${record.id} is out of bounds`, {
      details: { ...record },
    });
  }
  return record;
}

/*
 * Pack row
 * offset size  meaning
 *      0   32  pack id
 *     32   32  ephemeral key
 *     64   32  actor
 *     96   16  keyset id
 *    112    4  size of the pack
 *    116    1  kind: 0 data, 1 meta
 *    117    1  lifetime
 *    118    2  zero
 *    120    4  frames
 *    124    4  first frame row
 */

export interface PackRow {
  readonly id: PackId;
  /** X25519 public key of the pack's header: with it a frame is read without the header. */
  readonly ephemeral: Uint8Array;
  readonly actor: ActorId;
  readonly keyset: KeysetId;
  readonly size: number;
  readonly kind: PackKind;
  readonly lifetime: Lifetime;
  readonly frames: number;
}

/** A pack and where its frame rows begin; they lie one after the other in the order of their numbers in the pack. */
export interface SegmentPack {
  readonly row: PackRow;
  readonly firstFrame: number;
}

export function encodePackRow(page: Uint8Array, at: number, { row, firstFrame }: SegmentPack): void {
  page.set(fromHex(row.id), at);
  page.set(row.ephemeral, at + 32);
  page.set(fromHex(row.actor), at + 64);
  page.set(fromHex(row.keyset), at + 96);
  const view = viewOf(page);
  view.setUint32(at + 112, row.size, true);
  view.setUint8(at + 116, row.kind === 'data' ? 0 : 1);
  view.setUint8(at + 117, lifetimes.indexOf(row.lifetime));
  view.setUint32(at + 120, row.frames, true);
  view.setUint32(at + 124, firstFrame, true);
}

/** A pack row of the segment `what`; `value-invalid` when a field is out of its bounds. */
export function decodePackRow(page: Uint8Array, at: number, counts: RowCounts, what: string): SegmentPack {
  const view = viewOf(page);
  const id = asPackId(toHex(page.subarray(at, at + 32)));
  const size = view.getUint32(at + 112, true);
  const kind = view.getUint8(at + 116);
  const lifetime = lifetimes[view.getUint8(at + 117)];
  const frames = view.getUint32(at + 120, true);
  const firstFrame = view.getUint32(at + 124, true);
  const fits = size <= limits.packBytes && frames <= limits.packFrames && firstFrame + frames <= counts.frames;
  if (!fits || kind > 1 || lifetime === undefined) {
    throw new MbkError('value-invalid', `${what}: the row of pack ${id} is out of bounds`, { details: { pack: id } });
  }
  const row: PackRow = {
    id,
    ephemeral: page.slice(at + 32, at + 64),
    actor: asActorId(toHex(page.subarray(at + 64, at + 96))),
    keyset: asKeysetId(toHex(page.subarray(at + 96, at + 112))),
    size,
    kind: kind === 0 ? 'data' : 'meta',
    lifetime,
    frames,
  };
  return { row, firstFrame };
}

/*
 * Frame row
 * offset size  meaning
 *      0    4  pack row
 *      4    4  offset of the box in the pack
 *      8    4  length of the box
 *     12    4  length of the plaintext
 *     16    1  codec
 *     17    1  depth
 *     18    2  length of the codec parameters
 *     20    4  first byte of its parameters in their region
 *     24    4  first base
 *     28    2  bases
 *     30    2  zero
 */

/** A frame row; its bases and parameters are runs of regions of their own. */
export interface SegmentFrame {
  readonly packRow: number;
  readonly offset: number;
  readonly boxLength: number;
  readonly plainLength: number;
  readonly codec: number;
  readonly depth: number;
  readonly parameterBytes: number;
  readonly firstParameter: number;
  readonly firstBase: number;
  readonly bases: number;
}

export function encodeFrame(page: Uint8Array, at: number, frame: SegmentFrame): void {
  const view = viewOf(page);
  view.setUint32(at, frame.packRow, true);
  view.setUint32(at + 4, frame.offset, true);
  view.setUint32(at + 8, frame.boxLength, true);
  view.setUint32(at + 12, frame.plainLength, true);
  view.setUint8(at + 16, frame.codec);
  view.setUint8(at + 17, frame.depth);
  view.setUint16(at + 18, frame.parameterBytes, true);
  view.setUint32(at + 20, frame.firstParameter, true);
  view.setUint32(at + 24, frame.firstBase, true);
  view.setUint16(at + 28, frame.bases, true);
}

/** A frame row of the segment `what`; `value-invalid` when a field is out of its bounds. */
export function decodeFrame(page: Uint8Array, at: number, counts: RowCounts, what: string): SegmentFrame {
  const view = viewOf(page);
  const frame: SegmentFrame = {
    packRow: view.getUint32(at, true),
    offset: view.getUint32(at + 4, true),
    boxLength: view.getUint32(at + 8, true),
    plainLength: view.getUint32(at + 12, true),
    codec: view.getUint8(at + 16),
    depth: view.getUint8(at + 17),
    parameterBytes: view.getUint16(at + 18, true),
    firstParameter: view.getUint32(at + 20, true),
    firstBase: view.getUint32(at + 24, true),
    bases: view.getUint16(at + 28, true),
  };
  const sound =
    frame.packRow < counts.packs &&
    frame.offset >= headerBytes &&
    frame.boxLength >= boxOverhead &&
    frame.boxLength <= limits.frameBytes + boxOverhead &&
    frame.plainLength <= limits.frameBytes &&
    frame.depth <= limits.depth &&
    (frame.depth === 0) === (frame.bases === 0) &&
    frame.firstParameter + frame.parameterBytes <= counts.parameters &&
    frame.firstBase + frame.bases <= counts.bases;
  if (!sound) throw new MbkError('value-invalid', `${what}: a frame row is out of bounds`, { details: { ...frame } });
  return frame;
}
