/**
 * What is stored where: the live index segments, as the log's fold names them, and the packs of this session that no
 * segment names yet. Lookups block and never wait, so "unknown" and the claim that follows it are one step.
 */
import type { Backend } from '../backend/backend.ts';
import type { Keys } from '../crypto/keyset.ts';
import { isMbkError, MbkError } from '../errors.ts';
import { concatBytes } from '../format/bytes.ts';
import type { ActorId, BlobId, PackId, PackKind, SegmentId } from '../format/ids.ts';
import type { PackRow } from '../format/segment-rows.ts';
import type { BlobCopy } from './blob-copy.ts';
import type { BuiltSegment } from './build-segment.ts';
import { type ByteSource, memorySource } from './byte-source.ts';
import type { CompactContents } from './compact-contents.ts';
import { cachedGet, fetchCopy, type EntryCache } from './entry-cache.ts';
import type { PackContents } from './pack-contents.ts';
import { pageCache } from './page-cache.ts';
import { pendingPacks } from './pending-packs.ts';
import { isDamage } from './read-twice.ts';
import { blobProbe, openSegment, segmentProof, type Segment } from './segment.ts';
import { segmentKey } from './segment-writer.ts';

/** A segment as the log names it. */
export interface SegmentInfo {
  readonly id: SegmentId;
  /** Number of its records. */
  readonly blobs: number;
  readonly bytes: number;
  /** Who named it in the log; undefined as long as the log does not, and this session built it. */
  readonly actor?: ActorId | undefined;
}

/**
 * Decides about a pack by its id, by who signed it, and by who named the segment that says so: a signer in a segment is
 * as good as the word of that actor. `namedBy` is undefined where the footer itself was read or written here.
 */
export type PackFilter = (pack: PackId, actor: ActorId, namedBy: ActorId | undefined) => boolean;

export interface IndexSet {
  readonly segments: readonly Segment[];
  /** Stored packs that are in no segment, in the order in which they came. */
  readonly pending: ReadonlyMap<PackId, CompactContents>;

  /** All copies of a blob in packs of that kind: those for which `prefers` holds first, then shallowest first. */
  lookup(kind: PackKind, id: BlobId, prefers?: PackFilter): BlobCopy[];
  /** Some copy in a pack for which `isUsable` holds and that `accepts` takes: the question that deduplication asks. */
  find(kind: PackKind, id: BlobId, isUsable: PackFilter, accepts?: (copy: BlobCopy) => boolean): BlobCopy | undefined;
  /** The row of a pack in any segment, or pending. */
  pack(id: PackId): PackRow | undefined;
  /** Every pack once, in no order. Holds the ids of all packs. */
  packs(): Generator<PackRow>;

  /** Makes the blobs of a stored pack known. */
  addPack(contents: PackContents): void;
  /** Forgets pending packs. */
  removePending(packs: Iterable<PackId>): void;
  /** Takes a segment that was just stored in the place of its pending packs, until the log names or drops it. */
  addSegment(built: BuiltSegment): void;
  /** Forgets a segment of `addSegment` that no fold has named. */
  removeSegment(id: SegmentId): void;
  /**
   * Makes `live` the segments of this set, beside those of `addSegment` that no fold has named yet; on an error the
   * set stays as it was. Errors: `entry-absent`, `entry-damaged`, `value-invalid`, `role-denied`, the backend's.
   */
  setLive(live: readonly SegmentInfo[], options?: SetLiveOptions): Promise<void>;
  /** Closes the files. Nothing is called after it. */
  close(): void;
}

export interface SetLiveOptions {
  /** Told of each segment that is damaged or absent, which is then left out; such an error is thrown without it. */
  readonly onDamaged?: ((segment: SegmentInfo, error: MbkError) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface IndexSetOptions {
  readonly backend: Backend;
  readonly keys: Keys;
  /** Without a cache, segments are held in memory whole. */
  readonly cache?: EntryCache | undefined;
  /** Bound of the opened pages in memory; 8 MiB unless given. */
  readonly pageCacheBytes?: number | undefined;
}

const defaultPageCacheBytes = 8 * 1024 * 1024;
/** Smaller segments are read into memory at once: one call in place of one a page. */
const wholeBytes = 256 * 1024;
/** How many segments are fetched at a time. */
const fetches = 8;

/** An empty set; `setLive` fills it. */
export function indexSet({ backend, keys, cache, pageCacheBytes = defaultPageCacheBytes }: IndexSetOptions): IndexSet {
  const pages = pageCache(pageCacheBytes);
  const pending = pendingPacks();
  /** Newest first: what was stored last is asked for most. */
  let segments: Segment[] = [];
  const unnamed = new Set<SegmentId>();
  const namedBy = new Map<SegmentId, ActorId | undefined>();

  return {
    get segments() {
      return segments;
    },
    pending: pending.packs,

    lookup(kind, id, prefers) {
      const found = [...pending.copies(kind, id)];
      const ofPending = found.length;
      /** Who named the segment of each that came from one. */
      const by: (ActorId | undefined)[] = [];
      const probe = blobProbe(id);
      for (const segment of segments) {
        for (const copy of segment.copies(kind, id, probe)) {
          found.push(copy);
          by.push(namedBy.get(segment.id));
        }
      }
      if (found.length <= 1) return found; // as good as always
      const ranked = found.map((copy, at): RankedCopy => {
        const { id: pack, actor } = copy.pack;
        const isPreferred =
          prefers === undefined || prefers(pack, actor, at < ofPending ? undefined : by[at - ofPending]);
        return { copy, rank: isPreferred ? 0 : 1 };
      });
      return withoutRepeats(ranked.sort((a, b) => a.rank - b.rank || a.copy.frame.depth - b.copy.frame.depth));
    },

    find(kind, id, isUsable, accepts) {
      for (const copy of pending.copies(kind, id)) {
        if (isUsable(copy.pack.id, copy.pack.actor, undefined) && accepts?.(copy) !== false) return copy;
      }
      if (segments.length === 0) return undefined;
      const probe = blobProbe(id);
      for (const segment of segments) {
        for (const copy of segment.copies(kind, id, probe)) {
          if (isUsable(copy.pack.id, copy.pack.actor, namedBy.get(segment.id)) && accepts?.(copy) !== false)
            return copy;
        }
      }
      return undefined;
    },

    pack(id) {
      const waiting = pending.packs.get(id);
      if (waiting !== undefined) return waiting.row;
      for (const segment of segments) {
        const row = segment.pack(id);
        if (row !== undefined) return row;
      }
      return undefined;
    },

    *packs() {
      const seen = new Set<PackId>();
      for (const { row } of pending.packs.values()) {
        seen.add(row.id);
        yield row;
      }
      for (const segment of segments) {
        for (const row of segment.packs()) {
          if (seen.has(row.id)) continue;
          seen.add(row.id);
          yield row;
        }
      }
    },

    addPack: (contents) => pending.add(contents),
    removePending: (packs) => pending.remove(packs),

    addSegment(built) {
      if (!segments.some(({ id }) => id === built.id)) {
        const copy = cache?.put(built.key, built.parts) === true ? openCopyOf(built.id) : undefined;
        const segment =
          copy ?? openSegment({ id: built.id, source: memorySource(concatBytes(built.parts)), keys, pages });
        segments = [segment, ...segments];
        unnamed.add(built.id);
      }
      pending.remove(built.packs);
    },

    removeSegment(id) {
      if (!unnamed.delete(id)) return;
      for (const segment of segments) if (segment.id === id) segment.close();
      segments = segments.filter((segment) => segment.id !== id);
    },

    async setLive(live, { onDamaged, signal } = {}) {
      const here = new Map(segments.map((segment) => [segment.id, segment]));
      const missing = live.filter(({ id }) => !here.has(id));
      const opened: Segment[] = [];
      try {
        for (let at = 0; at < missing.length; at += fetches) {
          const results = await Promise.allSettled(
            missing.slice(at, at + fetches).map((info) => openLive(info, onDamaged, signal)),
          );
          for (const result of results)
            if (result.status === 'fulfilled' && result.value !== undefined) opened.push(result.value);
          for (const result of results) if (result.status === 'rejected') throw result.reason;
        }
      } catch (error) {
        for (const segment of opened) segment.close();
        throw error;
      }
      // Read again: others may have added segments while this waited.
      const named = new Set(live.map(({ id }) => id));
      const stays = ({ id }: Segment): boolean => named.has(id) || unnamed.has(id);
      for (const id of named) unnamed.delete(id);
      for (const { id, actor } of live) namedBy.set(id, actor);
      for (const id of namedBy.keys()) if (!named.has(id)) namedBy.delete(id);
      for (const segment of segments) if (!stays(segment)) segment.close();
      const kept = segments.filter(stays);
      const keptIds = new Set(kept.map(({ id }) => id));
      segments = [...opened.filter(({ id }) => !keptIds.has(id)).reverse(), ...kept];
      cache?.keepOnly('index', new Set(segments.map(({ id }) => segmentKey(id))));
    },

    close() {
      for (const segment of segments) segment.close();
      segments = [];
    },
  };

  async function openLive(
    info: SegmentInfo,
    onDamaged: SetLiveOptions['onDamaged'],
    signal: AbortSignal | undefined,
  ): Promise<Segment | undefined> {
    try {
      return openCopyOf(info.id) ?? (await fetchSegment(info, signal));
    } catch (error) {
      if (onDamaged === undefined || !(isDamage(error) || isMbkError(error, 'entry-absent')) || !isMbkError(error))
        throw error;
      onDamaged(info, error);
      return undefined;
    }
  }

  /** From the local copy; undefined where there is none that can be opened. */
  function openCopyOf(id: SegmentId, isChecked = false): Segment | undefined {
    const key = segmentKey(id);
    const copy = cache?.open(key, { proofOf: (source) => segmentProof(id, source, keys), isChecked });
    if (copy === undefined) return undefined;
    const source = small(copy);
    try {
      return openSegment({ id, source, keys, pages, onDamage: (error) => throwCopyDamaged(id, error) });
    } catch (error) {
      source.close();
      if (!isDamage(error) && !isMbkError(error, 'local-state-failed')) throw error;
      cache?.remove(key);
      return undefined;
    }
  }

  /** A copy that went bad after it was checked, which only its page tells: the next command fetches it again. */
  function throwCopyDamaged(id: SegmentId, cause: MbkError): void {
    cache?.remove(segmentKey(id));
    throw new MbkError('local-state-failed', `the local copy of index segment ${id.slice(0, 8)} was damaged`, {
      details: { segment: id },
      remedy: 'Run the command again: the copy was removed and is fetched anew.',
      cause,
    });
  }

  async function fetchSegment({ id, bytes }: SegmentInfo, signal: AbortSignal | undefined): Promise<Segment> {
    const key = segmentKey(id);
    if (cache !== undefined && (await fetchCopy(backend, cache, key, { size: bytes, signal }))) {
      const copy = openCopyOf(id, true);
      if (copy !== undefined) return copy;
    }
    const fetched = await cachedGet(backend, cache, key, { size: bytes, signal });
    return openSegment({ id, source: small(memorySource(fetched)), keys, pages });
  }
}

/** A source as it is, or its bytes when they are few. */
function small(source: ByteSource): ByteSource {
  if (source.byteLength > wholeBytes) return source;
  const bytes = source.read(0, source.byteLength);
  source.close();
  return memorySource(bytes);
}

interface RankedCopy {
  readonly copy: BlobCopy;
  readonly rank: number;
}

/** A pack may be in two segments, adopted twice; its copies count once, unless one segment says else than the other. */
function withoutRepeats(copies: readonly RankedCopy[]): BlobCopy[] {
  const byPlace = new Map<string, BlobCopy>();
  for (const { copy } of copies) {
    const { pack, number, offset, length, frame } = copy;
    const place = [pack.id, number, offset, length, frame.offset, frame.boxLength, frame.plainLength, frame.codec].join(
      ' ',
    );
    if (!byPlace.has(place)) byPlace.set(place, copy);
  }
  return [...byPlace.values()];
}
