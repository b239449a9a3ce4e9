/**
 * Contents of a pack whose blobs lie in buffers, 49 bytes each, until somebody asks for them as objects: a session may
 * hold a million of them, and a thread that packed hands them over as they are.
 */
import { toHex } from '../format/bytes.ts';
import { asBlobId, type BlobId, blobTypeNumber, blobTypeOf } from '../format/ids.ts';
import type { FooterBlob, FooterFrame } from '../format/pack-footer.ts';
import type { PackRow } from '../format/segment-rows.ts';
import type { BlobCopy } from './blob-copy.ts';
import type { PackContents } from './pack-contents.ts';

/** What a pack holds, as plain data for structured clone. */
export interface PackColumns {
  readonly row: PackRow;
  readonly frames: readonly FrameColumns[];
  /** Number of the first blob of each frame, and behind the last how many there are. */
  readonly firsts: Uint32Array;
  /** Of each blob, in the order of the frames: 32 bytes of id, number of its type, length, offset in its frame. */
  readonly ids: Uint8Array;
  readonly types: Uint8Array;
  readonly lengths: Uint32Array;
  readonly offsets: Uint32Array;
}

export interface CompactContents extends PackContents {
  readonly columns: PackColumns;
  /** How many blobs all frames have together. */
  readonly blobs: number;
  /** Their ids in the order of the frames, 32 bytes each. */
  readonly ids: Uint8Array;
  /** Blob number `blob` of the pack, where it lies. */
  copy(blob: number): BlobCopy;
  /** The ids of all blobs. */
  blobIds(): Generator<BlobId>;
}

/** The same contents, themselves if they are compact. The `blobs` of a frame are made each time that they are asked for. */
export function compactContents(contents: PackContents): CompactContents {
  return isCompact(contents) ? contents : contentsOfColumns(packColumns(contents));
}

function isCompact(contents: PackContents): contents is CompactContents {
  return 'columns' in contents;
}

type FrameColumns = Omit<FooterFrame, 'blobs'>;

function withoutBlobs(frame: FrameColumns): FrameColumns {
  const { offset, boxLength, plainLength, codec, depth, parameters, bases, boxEnd } = frame;
  return { offset, boxLength, plainLength, codec, depth, parameters, bases, boxEnd };
}

export function packColumns({ row, frames }: PackContents): PackColumns {
  const blobs = frames.reduce((count, frame) => count + frame.blobs.length, 0);
  const columns = {
    row,
    frames: frames.map(withoutBlobs),
    firsts: new Uint32Array(frames.length + 1),
    ids: new Uint8Array(blobs * 32),
    types: new Uint8Array(blobs),
    lengths: new Uint32Array(blobs),
    offsets: new Uint32Array(blobs),
  };
  const ids = Buffer.from(columns.ids.buffer);
  let at = 0;
  frames.forEach((frame, number) => {
    let offset = 0;
    for (const { id, type, length } of frame.blobs) {
      ids.write(id, at * 32, 'hex');
      columns.offsets[at] = offset;
      offset += length;
      columns.types[at] = blobTypeNumber(type);
      columns.lengths[at] = length;
      at += 1;
    }
    columns.firsts[number + 1] = at;
  });
  return columns;
}

export function contentsOfColumns(columns: PackColumns): CompactContents {
  const { row, firsts, ids, types, lengths, offsets } = columns;
  const blobs = types.length;
  const blobAt = (blob: number): FooterBlob => ({
    id: asBlobId(toHex(ids.subarray(blob * 32, blob * 32 + 32))),
    type: blobTypeOf(types[blob] ?? 0),
    length: lengths[blob] ?? 0,
  });
  const frames = columns.frames.map((frame, number): FooterFrame => {
    const first = firsts[number] ?? 0;
    const count = (firsts[number + 1] ?? 0) - first;
    return {
      ...frame,
      get blobs() {
        return Array.from({ length: count }, (_, index) => blobAt(first + index));
      },
    };
  });

  return {
    row,
    frames,
    columns,
    blobs,
    ids,
    copy(blob) {
      const number = frameOf(firsts, blob);
      const frame = frames[number];
      if (frame === undefined) throw new RangeError(`expected a blob below ${blobs}, got ${blob}`);
      return { ...blobAt(blob), pack: row, number, frame, offset: offsets[blob] ?? 0 };
    },
    *blobIds() {
      const hex = toHex(ids);
      for (let at = 0; at < hex.length; at += 64) yield asBlobId(hex.slice(at, at + 64));
    },
  };
}

/** The last frame whose first blob is not behind `blob`; every frame has one. */
function frameOf(firsts: Uint32Array, blob: number): number {
  let low = 0;
  let high = firsts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((firsts[middle] ?? 0) <= blob) low = middle;
    else high = middle - 1;
  }
  return low;
}
