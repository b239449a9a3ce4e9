/** Blobs that were opened and may be needed again: what is built upon one blob often lies next to what is built upon the next. */
import type { BlobId } from '../format/ids.ts';
import type { PieceMemory } from './piece-memory.ts';

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
  /** Gives back all but this one. Nothing else of it is in use. */
  keepOnly(id: BlobId | undefined): void;
}

/** What is given back goes to `memory`. */
export function openedBlobs<Blob extends OpenedBlob = OpenedBlob>(memory: PieceMemory): OpenedBlobs<Blob> {
  const blobs = new Map<BlobId, Blob>();
  let held = 0;
  const release = ({ id, bytes }: Blob): void => {
    held -= bytes.byteLength;
    blobs.delete(id);
    memory.give(bytes);
  };
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
      for (const blob of blobs.values()) {
        if (held <= most) return;
        release(blob);
      }
    },
    keepOnly(id) {
      for (const blob of blobs.values()) if (blob.id !== id) release(blob);
    },
  };
}
