/** Opens what frames are built upon, for one frame after the other on one thread, and keeps the last of it. */
import type { BlobId } from '../format/ids.ts';
import { parameters } from '../format/limits.ts';
import type { Base } from './base-frames.ts';
import { openBases, type OpenBasesOptions } from './open-bases.ts';
import { openedBlobs } from './opened-blobs.ts';
import { newMemory, type PieceMemory } from './piece-memory.ts';

export interface BaseOpener {
  /**
   * Runs `work` with the blobs that `bases` speak of, in their order, which hold until it returns. Errors: those of
   * `openBases` and of `work`.
   */
  use<T>(
    bases: readonly Base[] | undefined,
    work: (blobs: readonly Uint8Array[]) => T,
    options?: Pick<OpenBasesOptions, 'isChecked'>,
  ): T;
  /** Takes over the memory of a blob that was checked, which other frames are built upon. */
  add(id: BlobId, bytes: Uint8Array): void;
}

/** `pieces` are those of tensors that are kept, for what is built upon them next; what is opened lies in `memory`. */
export function baseOpener(pieces: number, memory: PieceMemory = newMemory): BaseOpener {
  const kept = pieces * parameters.pieceBytes;
  const blobs = openedBlobs(memory);
  /** Whether what is kept was checked against its ids. */
  let areChecked = true;
  const turnTo = (isChecked: boolean): void => {
    if (areChecked !== isChecked) blobs.trim(0);
    areChecked = isChecked;
  };
  return {
    use(bases = [], work, { isChecked = true } = {}) {
      if (bases.length === 0) return work([]);
      turnTo(isChecked);
      const opened = openBases(bases, { known: (id) => blobs.get(id)?.bytes, isChecked, memory });
      bases.forEach(({ id }, at) => {
        const bytes = opened[at];
        if (bytes !== undefined) blobs.add({ id, bytes });
      });
      try {
        return work(opened);
      } finally {
        blobs.trim(kept);
      }
    },
    add(id, bytes) {
      turnTo(true);
      blobs.add({ id, bytes });
      blobs.trim(kept);
    },
  };
}
