/** Blobs that were opened and may be needed again: what is built upon one blob often lies next to what is built upon the next. */
import { releaseBytes } from '../crypto/release-bytes.ts';
import type { BlobId } from '../format/ids.ts';

export interface OpenedBlob {
  readonly id: BlobId;
  readonly bytes: Uint8Array;
}

export interface OpenedBlobs<Blob extends OpenedBlob = OpenedBlob> {
  get(id: BlobId): Blob | undefined;
  /** Takes over the memory of a blob. */
  add(blob: Blob): void;
  /** Gives back what was used longest ago, until no more than `most` bytes are left. Nothing of it is in use. */
  trim(most: number): void;
}

export function openedBlobs<Blob extends OpenedBlob = OpenedBlob>(): OpenedBlobs<Blob> {
  const blobs = new Map<BlobId, Blob>();
  let held = 0;
  return {
    get(id) {
      const blob = blobs.get(id);
      if (blob === undefined) return undefined;
      // The map is in the order of use.
      blobs.delete(id);
      blobs.set(id, blob);
      return blob;
    },
    add(blob) {
      if (blobs.has(blob.id)) return;
      blobs.set(blob.id, blob);
      held += blob.bytes.byteLength;
    },
    trim(most) {
      for (const [id, { bytes }] of blobs) {
        if (held <= most) return;
        held -= bytes.byteLength;
        blobs.delete(id);
        releaseBytes(bytes);
      }
    },
  };
}
