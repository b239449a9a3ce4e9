/**
 * The bytes of an index segment, from rows in the order of its regions (docs/format.md, Index segments): pages are
 * filled, sealed and hashed as the rows come.
 */
import { createHash } from 'node:crypto';
import { encodeHeader, entryKey, prepareKey, sealBox } from '../crypto/entry.ts';
import type { Random } from '../crypto/hash.ts';
import type { Keys, Keyset } from '../crypto/keyset.ts';
import { concatBytes } from '../format/bytes.ts';
import { asSegmentId, type SegmentId } from '../format/ids.ts';
import {
  encodeRoot,
  encodeSegmentTrailer,
  type Region,
  regions,
  rowBytes,
  rowsPerPage,
} from '../format/index-segment.ts';
import { indexKeyOf } from './pack-keys.ts';

export interface SegmentWriter {
  /** Appends whole rows to a region; regions come in their order. */
  write(region: Region, rows: Uint8Array): void;
  /** The finished segment. Nothing is called after it. */
  close(): FinishedSegment;
}

export interface FinishedSegment {
  readonly id: SegmentId;
  readonly key: string;
  /** The bytes of the entry are these one after the other. */
  readonly parts: readonly Uint8Array[];
  readonly byteLength: number;
}

/** Boxes are joined to parts of about this size, so that storing a segment takes few calls. */
const partBytes = 1024 * 1024;

export function segmentKey(id: SegmentId): string {
  return `index/${id}`;
}

export interface SegmentWriterOptions {
  readonly keys: Keys;
  readonly keyset: Keyset;
  readonly random: Random;
}

export function segmentWriter({ keys, keyset, random }: SegmentWriterOptions): SegmentWriter {
  const header = encodeHeader({ magic: 'mbkI', repository: keys.repository, keyset: keyset.id, salt: random(32) });
  const key = prepareKey(entryKey(indexKeyOf(keyset), header, 'mbk/1 index segment'));
  const counts: Record<Region, number> = {
    records: 0,
    packs: 0,
    frames: 0,
    bases: 0,
    parameters: 0,
    filter: 0,
    directory: 0,
  };
  const hasher = createHash('sha256');
  const parts: Uint8Array[] = [];
  const page = new Uint8Array(rowsPerPage('packs') * rowBytes.packs);
  let open: Uint8Array[] = [];
  let openBytes = 0;
  let byteLength = 0;
  let boxes = 0;
  let region: Region = regions[0];
  let used = 0;
  append(header);

  function append(bytes: Uint8Array): void {
    open.push(bytes);
    openBytes += bytes.byteLength;
    byteLength += bytes.byteLength;
    hasher.update(bytes);
    if (openBytes >= partBytes) join();
  }

  function join(): void {
    parts.push(concatBytes(open));
    open = [];
    openBytes = 0;
  }

  function sealPage(): void {
    if (used > 0) {
      append(sealBox(key, boxes, page.subarray(0, used)));
      boxes += 1;
      used = 0;
    }
  }

  return {
    write(next, rows) {
      if (next !== region) {
        if (regions.indexOf(next) < regions.indexOf(region)) throw new RangeError(`expected ${next} before ${region}`);
        sealPage();
        region = next;
      }
      const capacity = rowsPerPage(region) * rowBytes[region];
      for (let done = 0; done < rows.byteLength;) {
        const length = Math.min(rows.byteLength - done, capacity - used);
        page.set(length === rows.byteLength ? rows : rows.subarray(done, done + length), used);
        done += length;
        used += length;
        if (used === capacity) sealPage();
      }
      counts[region] += rows.byteLength / rowBytes[region];
    },
    close() {
      sealPage();
      append(sealBox(key, boxes, encodeRoot(counts)));
      append(encodeSegmentTrailer(boxes));
      join();
      const id = asSegmentId(hasher.digest('hex'));
      return { id, key: segmentKey(id), parts, byteLength };
    },
  };
}
