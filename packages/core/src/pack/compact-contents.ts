/**
 * Contents of a pack whose blobs lie in buffers, 45 bytes each, until somebody asks for them as objects: a session may
 * hold a million of them.
 */
import { fromHex, toHex } from '../format/bytes.ts';
import { asBlobId, blobTypeNumber, blobTypeOf } from '../format/ids.ts';
import type { FooterBlob, FooterFrame } from '../format/pack-footer.ts';
import type { BlobCopy } from './blob-copy.ts';
import type { PackContents } from './pack-contents.ts';

export interface CompactContents extends PackContents {
  /** How many blobs all frames have together. */
  readonly blobs: number;
  /** Their ids in the order of the frames, 32 bytes each. */
  readonly ids: Uint8Array;
  /** Blob number `blob` of the pack, where it lies. */
  copy(blob: number): BlobCopy;
}

/** The same contents. The `blobs` of a frame are made each time that they are asked for. */
export function compactContents({ row, frames }: PackContents): CompactContents {
  const blobs = frames.reduce((count, frame) => count + frame.blobs.length, 0);
  const ids = new Uint8Array(blobs * 32);
  const types = new Uint8Array(blobs);
  const lengths = new Uint32Array(blobs);
  /** In the plaintext of the frame. */
  const offsets = new Uint32Array(blobs);
  /** Number of the first blob of each frame, and behind the last. */
  const firsts = new Uint32Array(frames.length + 1);
  let at = 0;
  frames.forEach((frame, number) => {
    let offset = 0;
    for (const { id, type, length } of frame.blobs) {
      ids.set(fromHex(id), at * 32);
      offsets[at] = offset;
      offset += length;
      types[at] = blobTypeNumber(type);
      lengths[at] = length;
      at += 1;
    }
    firsts[number + 1] = at;
  });

  const blobAt = (blob: number): FooterBlob => ({
    id: asBlobId(toHex(ids.subarray(blob * 32, blob * 32 + 32))),
    type: blobTypeOf(types[blob] ?? 0),
    length: lengths[blob] ?? 0,
  });
  const compactFrames = frames.map((frame, number): FooterFrame => {
    const { offset, boxLength, plainLength, codec, depth, parameters, bases, boxEnd } = frame;
    const first = firsts[number] ?? 0;
    const count = frame.blobs.length;
    return {
      offset,
      boxLength,
      plainLength,
      codec,
      depth,
      parameters,
      bases,
      boxEnd,
      get blobs() {
        return Array.from({ length: count }, (_, index) => blobAt(first + index));
      },
    };
  });

  return {
    row,
    frames: compactFrames,
    blobs,
    ids,
    copy(blob) {
      const number = frameOf(firsts, blob);
      const frame = compactFrames[number];
      if (frame === undefined) throw new RangeError(`expected a blob below ${blobs}, got ${blob}`);
      return { ...blobAt(blob), pack: row, number, frame, offset: offsets[blob] ?? 0 };
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
