/**
 * Packs that are stored and in no index segment yet: their blobs by id, in memory, for the time of one session.
 *
 * A blob takes about 60 bytes, not the objects that describe it: its id, type and length lie in one buffer of its pack,
 * and a table of numbers finds it there.
 */
import type { BlobId, PackId, PackKind } from '../format/ids.ts';
import type { BlobCopy } from './blob-copy.ts';
import { compactContents, type CompactContents } from './compact-contents.ts';
import { idTable, type IdTable } from './id-table.ts';
import type { PackContents } from './pack-contents.ts';

export interface PendingPacks {
  readonly packs: ReadonlyMap<PackId, CompactContents>;
  copies(kind: PackKind, id: BlobId): readonly BlobCopy[];
  add(contents: PackContents): void;
  remove(packs: Iterable<PackId>): void;
}

interface KindOfPacks {
  /** By the numbers that the table knows them by. */
  packs: CompactContents[];
  table: IdTable;
}

export function pendingPacks(): PendingPacks {
  const packs = new Map<PackId, CompactContents>();
  const kinds: Record<PackKind, KindOfPacks> = {
    data: { packs: [], table: idTable() },
    meta: { packs: [], table: idTable() },
  };

  const addTo = (kind: KindOfPacks, contents: CompactContents): void => {
    const number = kind.packs.length;
    kind.packs.push(contents);
    for (let blob = 0; blob < contents.blobs; blob += 1) kind.table.add(contents.ids, blob, number);
  };

  return {
    packs,
    copies(kind, id) {
      const { packs: ofKind, table } = kinds[kind];
      const found = table.size === 0 ? [] : table.find(id);
      return found.length === 0 ? none : found.flatMap(([pack, blob]) => ofKind[pack]?.copy(blob) ?? []);
    },
    add(contents) {
      if (packs.has(contents.row.id)) return;
      const compact = compactContents(contents);
      packs.set(contents.row.id, compact);
      addTo(kinds[contents.row.kind], compact);
    },
    remove(ids) {
      const gone = [...ids].filter((id) => packs.delete(id));
      if (gone.length === 0) return;
      // Mostly all go at once: a table of what is left is made anew, which is less work than holes in the old one.
      for (const kind of ['data', 'meta'] as const) kinds[kind] = { packs: [], table: idTable() };
      for (const contents of packs.values()) addTo(kinds[contents.row.kind], contents);
    },
  };
}

const none: readonly BlobCopy[] = [];

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
