/** Packs that are stored and in no index segment yet: their blobs by id, in memory, for the time of one session. */
import type { BlobId, PackId, PackKind } from '../format/ids.ts';
import type { BlobCopy } from './blob-copy.ts';
import type { PackContents } from './pack-contents.ts';

export interface PendingPacks {
  readonly packs: ReadonlyMap<PackId, PackContents>;
  copies(kind: PackKind, id: BlobId): readonly BlobCopy[];
  add(contents: PackContents): void;
  remove(packs: Iterable<PackId>): void;
}

export function pendingPacks(): PendingPacks {
  const packs = new Map<PackId, PackContents>();
  const blobs: Readonly<Record<PackKind, Map<BlobId, BlobCopy[]>>> = { data: new Map(), meta: new Map() };

  return {
    packs,
    copies: (kind, id) => blobs[kind].get(id) ?? [],
    add(contents) {
      if (packs.has(contents.row.id)) return;
      packs.set(contents.row.id, contents);
      for (const copy of copiesOf(contents)) {
        const known = blobs[contents.row.kind].get(copy.id);
        if (known === undefined) blobs[contents.row.kind].set(copy.id, [copy]);
        else known.push(copy);
      }
    },
    remove(ids) {
      for (const id of ids) {
        const contents = packs.get(id);
        if (contents === undefined) continue;
        packs.delete(id);
        const byId = blobs[contents.row.kind];
        for (const frame of contents.frames) {
          for (const blob of frame.blobs) {
            const left = (byId.get(blob.id) ?? []).filter((copy) => copy.pack.id !== id);
            if (left.length === 0) byId.delete(blob.id);
            else byId.set(blob.id, left);
          }
        }
      }
    },
  };
}

/** Every blob of a pack, where it lies. */
export function* copiesOf({ row, frames }: PackContents): Generator<BlobCopy> {
  for (const [number, frame] of frames.entries()) {
    let offset = 0;
    for (const { id, type, length } of frame.blobs) {
      yield { id, type, pack: row, number, frame, offset, length };
      offset += length;
    }
  }
}
