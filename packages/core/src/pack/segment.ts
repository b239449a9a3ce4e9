/**
 * An open index segment: blob id → copies, by filter, directory and one or two pages (docs/format.md, Index segments).
 *
 * Resident are the filter and the directory, about 2 bytes a blob, in shared memory: another thread opens the same
 * segment with them and reads nothing for it. Pages come from the source through a cache that all segments share. Nothing is believed before it authenticated, and no size before it fits the bytes that are there.
 */
import { createHmac } from 'node:crypto';
import { boxOverhead, decodeHeader, entryKey, headerBytes, openBox, prepareKey } from '../crypto/entry.ts';
import type { Keys } from '../crypto/keyset.ts';
import { isMbkError, MbkError } from '../errors.ts';
import { compareBytes, concatBytes, fromHex, toHex, viewOf } from '../format/bytes.ts';
import {
  asBlobId,
  type BlobId,
  type KeysetId,
  type PackId,
  type PackKind,
  packKindOf,
  type SegmentId,
} from '../format/ids.ts';
import {
  decodeRoot,
  decodeSegmentTrailer,
  type Region,
  rootBytes,
  rowBytes,
  type RowCounts,
  rowsPerPage,
  largestBoxBytes,
  segmentGeometry,
  segmentTrailerBytes,
} from '../format/index-segment.ts';
import {
  decodeFrame,
  decodePackRow,
  decodeRecord,
  type PackRow,
  type SegmentFrame,
  type SegmentPack,
} from '../format/segment-rows.ts';
import type { BlobCopy } from './blob-copy.ts';
import { filterMayHold, filterProbe, type FilterProbe } from './block-filter.ts';
import type { ByteSource } from './byte-source.ts';
import type { FrameRow } from '../format/pack-footer.ts';
import type { PageCache } from './page-cache.ts';
import { indexKeyOf, keysetOf } from './pack-keys.ts';
import type { SegmentRows } from './segment-source.ts';

export interface Segment extends SegmentRows {
  readonly id: SegmentId;
  /** What it is sealed with. */
  readonly keyset: KeysetId;
  readonly byteLength: number;
  /** For `openSegment` of the same segment in another thread. */
  readonly resident: ResidentPart;
  /** All copies of a blob in packs of that kind, in no order; empty when there is none. `probe` is that of the id. */
  copies(kind: PackKind, id: BlobId, probe?: BlobProbe): readonly BlobCopy[];
  /** The row of a pack, undefined when it is not in this segment. */
  pack(id: PackId): PackRow | undefined;
  /** All packs in the order of their ids; pages are read past the cache. */
  packs(): Generator<PackRow>;
  /** All copies of all blobs in the order of their ids. */
  allCopies(): Generator<BlobCopy>;
  /** Closes the source. */
  close(): void;
}

/** What an open segment holds in memory, opened and checked: a message to another thread shares it and copies nothing. */
export interface ResidentPart {
  readonly filter: Uint8Array<SharedArrayBuffer>;
  readonly directory: Uint8Array<SharedArrayBuffer>;
}

/** A blob id as segments are asked for it, worked out once for all of them. */
export interface BlobProbe {
  readonly id: Uint8Array;
  readonly filter: FilterProbe;
}

export function blobProbe(id: BlobId): BlobProbe {
  const bytes = Buffer.from(id, 'hex'); // an id is hex: that need not be found out again
  return { id: bytes, filter: filterProbe(bytes) };
}

export interface OpenSegmentOptions {
  readonly id: SegmentId;
  readonly source: ByteSource;
  readonly keys: Keys;
  readonly pages: PageCache;
  /** Of the same segment, opened in another thread: it is not read again. */
  readonly resident?: ResidentPart | undefined;
  /** Told of a page that does not authenticate, read twice; what it throws is thrown in place of `entry-damaged`. */
  readonly onDamage?: ((error: MbkError) => void) | undefined;
}

/** Decoded rows a segment remembers: hits cluster in few packs and frames, and a large repository has many segments. */
const rememberedPacks = 64;
const rememberedFrames = 256;
/** Frames with longer parameters and more bases are read each time. */
const rememberedExtras = 256;

/** A frame as all copies in it have it. */
interface FoundFrame {
  readonly pack: PackRow;
  readonly number: number;
  readonly frame: FrameRow;
}

/** Opens a segment. Errors: `entry-damaged`, `value-invalid`, `format-unsupported`, `role-denied`. */
export function openSegment({ id, source, keys, pages, resident, onDamage }: OpenSegmentOptions): Segment {
  const what = `index segment ${id}`;
  const { byteLength } = source;
  const leastLength = headerBytes + rootBytes + boxOverhead + segmentTrailerBytes;
  if (byteLength < leastLength)
    throw new MbkError('entry-damaged', `${what} has ${byteLength} bytes, fewer than an empty one`);
  const header = decodeHeader(source.read(0, headerBytes), what);
  if (header.magic !== 'mbkI' || header.repository !== keys.repository) {
    throw new MbkError('entry-damaged', `${what} is not an index segment of this repository`);
  }
  const key = prepareKey(entryKey(indexKeyOf(keysetOf(keys, header.keyset)), header.bytes, 'mbk/1 index segment'));

  const boxes = decodeSegmentTrailer(source.read(byteLength - segmentTrailerBytes, segmentTrailerBytes), what);
  const rootOffset = byteLength - segmentTrailerBytes - boxOverhead - rootBytes;
  const root = openBox(key, boxes, source.read(rootOffset, rootBytes + boxOverhead), `the root of ${what}`);
  const counts: RowCounts = decodeRoot(root, what);
  const geometry = segmentGeometry(counts);
  if (geometry.byteLength !== byteLength || geometry.boxes !== boxes) {
    throw new MbkError(
      'entry-damaged',
      `${what} has ${byteLength} bytes in ${boxes} boxes, its root needs ${geometry.byteLength} in ${geometry.boxes}`,
    );
  }

  /** Where pages are read to, before they are opened to memory of their own. */
  const sealed = new Uint8Array(largestBoxBytes);
  const firstPage = pages.reserve(boxes);
  const loadPage = (region: Region, index: number): Uint8Array => {
    const { box, offset, boxLength } = geometry.place(region, index);
    const open = (): Uint8Array =>
      openBox(key, box, source.read(offset, boxLength, sealed), `page ${index} of the ${region} of ${what}`);
    try {
      return open();
    } catch (error) {
      if (onDamage === undefined || !isMbkError(error, 'entry-damaged')) throw error;
    }
    try {
      return open();
    } catch (error) {
      if (isMbkError(error, 'entry-damaged')) onDamage(error);
      throw error;
    }
  };
  const page = (region: Region, index: number): Uint8Array =>
    pages.get(firstPage + geometry.place(region, index).box, () => loadPage(region, index));
  const pageAt = (region: Region, row: number): { bytes: Uint8Array; at: number } => {
    const perPage = rowsPerPage(region);
    return { bytes: page(region, Math.floor(row / perPage)), at: (row % perPage) * rowBytes[region] };
  };

  const loaded = { filter: residentRegion('filter'), directory: residentRegion('directory') };
  const filter = viewOf(loaded.filter);
  const { directory } = loaded;
  const packRows = new Map<number, SegmentPack>();
  const frameRows = new Map<number, FoundFrame>();

  return {
    id,
    keyset: header.keyset,
    byteLength,
    counts,
    resident: loaded,
    copies,
    pack: findPack,
    packs,
    allCopies,
    pages: regionPages,
    close: () => source.close(),
  };

  function residentRegion(region: 'filter' | 'directory'): Uint8Array<SharedArrayBuffer> {
    const length = counts[region] * rowBytes[region];
    const given = resident?.[region];
    if (given !== undefined) {
      if (given.byteLength === length) return given;
      throw new RangeError(`expected a ${region} of ${length} bytes, got ${given.byteLength}`);
    }
    const bytes = new Uint8Array(new SharedArrayBuffer(length));
    let offset = 0;
    for (const one of regionPages(region)) {
      bytes.set(one, offset);
      offset += one.byteLength;
    }
    return bytes;
  }

  function* regionPages(region: Region): Generator<Uint8Array> {
    for (let index = 0; index < geometry.pages(region); index += 1) yield loadPage(region, index);
  }

  function copies(kind: PackKind, blob: BlobId, { id, filter: probe } = blobProbe(blob)): readonly BlobCopy[] {
    if (counts.records === 0 || !filterMayHold(filter, probe)) return none;
    let found: BlobCopy[] | undefined;
    const pageCount = geometry.pages('records');
    for (let index = Math.max(0, firstPageFrom(id, pageCount) - 1); index < pageCount; index += 1) {
      // Copies of one blob may run over pages; the directory says where they cannot go on.
      if (compareAt(directory, index * rowBytes.directory, id, rowBytes.directory) > 0) break;
      let records = page('records', index);
      let at = firstRecordFrom(records, id) * rowBytes.records;
      while (at < records.byteLength && compareAt(records, at, id, idBytes) === 0) {
        const copy = copyAt(records, at, blob);
        if (packKindOf(copy.type) === kind) (found ??= []).push(copy);
        at += rowBytes.records;
        records = page('records', index); // a blob may have more copies than the cache has pages
      }
      if (at < records.byteLength) break;
    }
    return found ?? none;
  }

  /** The first record page whose first id does not sort before `id`, as far as the directory tells. */
  function firstPageFrom(id: Uint8Array, pageCount: number): number {
    const size = rowBytes.directory;
    return firstIndex(pageCount, (index) => compareAt(directory, index * size, id, size) >= 0);
  }

  function firstRecordFrom(records: Uint8Array, id: Uint8Array): number {
    const size = rowBytes.records;
    return firstIndex(records.byteLength / size, (row) => compareAt(records, row * size, id, idBytes) >= 0);
  }

  function copyAt(records: Uint8Array, at: number, blob?: BlobId): BlobCopy {
    const { id, type, offset, length, frameRow } = decodeRecord(records, at, counts, what, blob);
    const { pack, number, frame } = frameAt(frameRow);
    if (number < 0 || offset + length > frame.plainLength || packKindOf(type) !== pack.kind) {
      throw new MbkError('value-invalid', `${what}: the rows of blob ${id} contradict each other`, {
        details: { id, frameRow, offset, length, type },
      });
    }
    return { id, type, pack, number, frame, offset, length };
  }

  /** A frame, and its number in its pack: below 0 where the rows of the two contradict each other. */
  function frameAt(row: number): FoundFrame {
    const known = frameRows.get(row);
    if (known !== undefined) return known;
    const { bytes, at } = pageAt('frames', row);
    const frame = decodeFrame(bytes, at, counts, what);
    const { row: pack, firstFrame } = packAt(frame.packRow);
    const number = row - firstFrame;
    const isSound = number < pack.frames && frame.offset + frame.boxLength <= pack.size;
    const { offset, boxLength, plainLength, codec, depth } = frame;
    const found = {
      pack,
      number: isSound ? number : -1,
      frame: { offset, boxLength, plainLength, codec, depth, ...extrasOf(frame) },
    };
    if (frame.bases * rowBytes.bases + frame.parameterBytes > rememberedExtras) return found;
    if (frameRows.size >= rememberedFrames) frameRows.clear();
    frameRows.set(row, found);
    return found;
  }

  function packAt(row: number): SegmentPack {
    const known = packRows.get(row);
    if (known !== undefined) return known;
    const { bytes, at } = pageAt('packs', row);
    const pack = decodePackRow(bytes, at, counts, what);
    if (packRows.size >= rememberedPacks) packRows.clear();
    packRows.set(row, pack);
    return pack;
  }

  function findPack(pack: PackId): PackRow | undefined {
    const bytes = fromHex(pack);
    const row = firstIndex(counts.packs, (index) => {
      const { bytes: rows, at } = pageAt('packs', index);
      return compareBytes(rows.subarray(at, at + 32), bytes) >= 0;
    });
    if (row === counts.packs) return undefined;
    const { row: found } = packAt(row);
    return found.id === pack ? found : undefined;
  }

  function* packs(): Generator<PackRow> {
    for (const rows of regionPages('packs')) {
      for (let at = 0; at < rows.byteLength; at += rowBytes.packs) yield decodePackRow(rows, at, counts, what).row;
    }
  }

  function* allCopies(): Generator<BlobCopy> {
    for (const records of regionPages('records')) {
      for (let at = 0; at < records.byteLength; at += rowBytes.records) yield copyAt(records, at);
    }
  }

  /** Bases and parameters of a frame, which lie in regions of their own. */
  function extrasOf(frame: SegmentFrame): { readonly bases: readonly BlobId[]; readonly parameters: Uint8Array } {
    const ids = readRows('bases', frame.firstBase, frame.bases);
    const bases = Array.from({ length: frame.bases }, (_, base) =>
      asBlobId(toHex(ids.subarray(base * rowBytes.bases, (base + 1) * rowBytes.bases))),
    );
    return { bases, parameters: readRows('parameters', frame.firstParameter, frame.parameterBytes) };
  }

  /** A copy of `count` rows of a region from `first` on, over as many pages as they lie on. */
  function readRows(region: Region, first: number, count: number): Uint8Array {
    const rows = new Uint8Array(count * rowBytes[region]);
    for (let done = 0; done < rows.byteLength;) {
      const { bytes, at } = pageAt(region, first + done / rowBytes[region]);
      const part = bytes.subarray(at, at + rows.byteLength - done);
      rows.set(part, done);
      done += part.byteLength;
    }
    return rows;
  }
}

/**
 * What only holders of the repository's keys can make of a segment `id` with this header, root and length: kept beside a
 * copy whose SHA-256 was checked, it is why that need not be done again (docs/decisions/0010). Undefined if the source is no segment that these
 * keys open.
 */
export function segmentProof(id: SegmentId, source: ByteSource, keys: Keys): Uint8Array | undefined {
  const { byteLength } = source;
  const tailBytes = rootBytes + boxOverhead + segmentTrailerBytes;
  if (byteLength < headerBytes + tailBytes) return undefined;
  try {
    const header = decodeHeader(source.read(0, headerBytes), 'a local copy');
    const keyset = keys.keysets.get(header.keyset);
    if (header.magic !== 'mbkI' || header.repository !== keys.repository || keyset === undefined) return undefined;
    const key = entryKey(indexKeyOf(keyset), header.bytes, 'mbk-cache/1 checked copy');
    const length = new Uint8Array(8);
    viewOf(length).setBigUint64(0, BigInt(byteLength), true);
    const message = concatBytes([fromHex(id), length, source.read(byteLength - tailBytes, tailBytes)]);
    return new Uint8Array(createHmac('sha256', key).update(message).digest());
  } catch (error) {
    if (isMbkError(error)) return undefined;
    throw error;
  }
}

const idBytes = 32;
const none: readonly BlobCopy[] = [];

/**
 * Negative, zero or positive as the `length` bytes of `rows` at `at` sort before, with or after the first of `id`. Ids
 * differ in their first bytes, so that making views to compare would take longer than comparing.
 */
function compareAt(rows: Uint8Array, at: number, id: Uint8Array, length: number): number {
  for (let byte = 0; byte < length; byte += 1) {
    const order = (rows[at + byte] ?? 0) - (id[byte] ?? 0);
    if (order !== 0) return order;
  }
  return 0;
}

/** The first index below `count` for which `holds`, which stays true from there on; `count` when there is none. */
function firstIndex(count: number, holds: (index: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
