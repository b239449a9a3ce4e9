import type { BlobId, BlobType } from '../format/ids.ts';
import type { FrameRow } from '../format/pack-footer.ts';
import type { PackRow } from '../format/segment-rows.ts';

/** One place where a blob is stored: bytes `offset` to `offset + length` of the plaintext of a frame. */
export interface BlobCopy {
  readonly id: BlobId;
  readonly type: BlobType;
  readonly pack: PackRow;
  /** Number of the frame in its pack. */
  readonly number: number;
  readonly frame: FrameRow;
  readonly offset: number;
  readonly length: number;
}
