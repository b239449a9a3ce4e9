/**
 * A writing session: blobs in, packs and index segments out. A blob that is known is not stored again; what the session
 * relies on is remembered, so that the commit can check it (docs/format.md, The protocol).
 *
 * The order is law: a pack is stored before its rows count as known, rows before a segment names them, a segment before
 * the log does. `store` looks up and claims a blob in one step without waiting, so concurrent calls never store one
 * blob twice. After a failed put the session is over: every call throws that error.
 */
import type { Backend } from '../backend/backend.ts';
import type { Element } from '../chunker/piece.ts';
import type { Compression } from '../codec/compression.ts';
import { type Random, sha256Hex } from '../crypto/hash.ts';
import type { Keys, Keyset } from '../crypto/keyset.ts';
import {
  asBlobId,
  type BlobId,
  type BlobType,
  type Lifetime,
  type PackId,
  type PackKind,
  packKindOf,
  type SegmentId,
  type KeysetId,
} from '../format/ids.ts';
import { limits } from '../format/limits.ts';
import { buildSegment } from './build-segment.ts';
import { compactContents } from './compact-contents.ts';
import { framePacker, type Relate } from './frame-packer.ts';
import type { IndexSet, PackFilter, SegmentInfo } from './index-set.ts';
import type { PackContents } from './pack-contents.ts';
import { pagePool } from './pack-pages.ts';
import type { PackJournal } from './pack-journal.ts';
import type { FinishedPack } from './pack-writer.ts';
import { rowsOfPacks } from './segment-source.ts';
import { copiesIn, findWhole, type WholeCopy } from './whole-copy.ts';

export interface BlobWriterOptions {
  readonly backend: Backend;
  readonly keys: Keys;
  readonly random: Random;
  readonly index: IndexSet;
  /** Whether a blob in this pack counts as known: not condemned, deleted or lost, and all who vouch for it are trusted. */
  readonly isUsable: PackFilter;
  /** What is written is sealed with it; the shared keyset unless given. */
  readonly keyset?: Keyset | undefined;
  /** Of data blobs; `fast` unless given. */
  readonly compression?: Compression | undefined;
  readonly journal?: PackJournal | undefined;
  /** How many packs of one kind and lifetime are open at once; 2 unless given. */
  readonly openPacks?: 1 | 2 | undefined;
  readonly packBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface StoreOptions {
  /** SHA-256 of the bytes, when the caller has it already: it is believed. */
  readonly id?: BlobId | undefined;
  /** `long` unless given. */
  readonly lifetime?: Lifetime | undefined;
  /** What the bytes are said to be. */
  readonly element?: Element | undefined;
  /**
   * Called if the blob is to be stored, to pack it with what it is to others; then the bytes are in use until the promise
   * settles.
   */
  readonly relating?: ((pack: (relate: Relate | undefined) => Promise<void>) => Promise<void>) | undefined;
}

export interface Stored {
  readonly id: BlobId;
  /** Whether this call stored it; false when it was known. */
  readonly added: boolean;
}

export interface WriteStats {
  /** Blobs and plain bytes that were new. */
  newBlobs: number;
  newBytes: number;
  /** Blobs and plain bytes that were known. */
  knownBlobs: number;
  knownBytes: number;
  /** Packs that were put, and their bytes. */
  packs: number;
  storedBytes: number;
}

export interface BlobWriter {
  /**
   * Stores a blob of at most 16 MiB, unless it is known. The bytes are the caller's again when the call returns, before
   * the promise settles; that waits while a full pack is put. Errors: the backend's, `role-denied`, `self-test-failed`.
   */
  store(type: BlobType, bytes: Uint8Array, options?: StoreOptions): Promise<Stored>;
  /**
   * Whether a blob of that id must be stored, by the caller: true once, until `invalidate`, for a blob that is not known.
   * For packers elsewhere, which hand in what they packed with `putPack`.
   */
  claim(type: BlobType, id: BlobId, byteLength: number): boolean;
  /**
   * Copies of a data blob, and of what it is built upon, that a frame of this session may be built upon, which relies on
   * them then; `too-deep` when all are as deep as any may be, undefined when none is stored.
   */
  base(id: BlobId): WholeCopy | 'too-deep' | undefined;
  /** Puts a pack of claimed blobs; settles when it is stored and its blobs are known. Errors: those of `store`. */
  putPack(pack: FinishedPack): Promise<void>;
  /** Puts everything that was stored here so far. */
  flush(): Promise<void>;
  /**
   * Builds and puts an index segment of all pending packs (after `flush`: of everything), for the log to name;
   * undefined when there are none.
   */
  takeSegment(): Promise<SegmentInfo | undefined>;
  /** Says that the log names these segments now: the journal lets their packs go. */
  committed(segments: Iterable<SegmentId>): void;
  /** Makes packs that were deleted or lost meanwhile count for nothing: `store` of their blobs stores them again. */
  invalidate(packs: Iterable<PackId>): void;
  /** Makes the packs of segments that cannot be committed, as they were deleted, wait for another segment again. */
  untake(segments: Iterable<SegmentId>): void;
  /** Packs whose blobs this session counts on, those it put included: none may be deleted when it commits. */
  readonly reliedPacks: ReadonlySet<PackId>;
  /** Bytes, and blobs, of the packs that no segment names yet: reason to take one. */
  readonly pendingBytes: number;
  readonly pendingBlobs: number;
  readonly stats: Readonly<WriteStats>;
}

export function blobWriter(options: BlobWriterOptions): BlobWriter {
  const { backend, keys, random, index, journal, signal, keyset = keys.shared } = options;
  const pages = pagePool();
  const packer = framePacker({
    keys,
    keyset,
    random,
    compression: options.compression,
    openPacks: options.openPacks ?? 2,
    packBytes: options.packBytes,
    pages,
  });
  /** Blobs in frames and packs that are not stored yet. */
  const claimed: Readonly<Record<PackKind, Set<BlobId>>> = { data: new Set(), meta: new Set() };
  const relied = new Set<PackId>();
  const invalid = new Set<PackId>();
  const taken = new Map<SegmentId, readonly PackContents[]>();
  const puts = new Set<Promise<void>>();
  const stats: WriteStats = { newBlobs: 0, newBytes: 0, knownBlobs: 0, knownBytes: 0, packs: 0, storedBytes: 0 };
  let failure: { readonly error: unknown } | undefined;

  const isUsable: PackFilter = (pack, actor, namedBy) => !invalid.has(pack) && options.isUsable(pack, actor, namedBy);

  return {
    async store(type, bytes, { id: given, lifetime = 'long', element, relating } = {}) {
      throwIfFailed();
      const { byteLength } = bytes;
      if (byteLength > limits.blobBytes)
        throw new RangeError(`expected a blob of at most ${limits.blobBytes} bytes, got ${byteLength}`);
      const id = given ?? asBlobId(sha256Hex(bytes));
      if (!claim(packKindOf(type), id, byteLength)) return { id, added: false };
      const pack = (relate?: Relate): Promise<void> =>
        putOwn(failing(() => packer.add({ type, id, bytes, element, relate }, lifetime)));
      await (relating === undefined ? pack() : relating(pack));
      return { id, added: true };
    },

    claim(type, id, byteLength) {
      throwIfFailed();
      return claim(packKindOf(type), id, byteLength);
    },

    base(id) {
      throwIfFailed();
      const whole = findWhole(index, 'data', id, isUsable, (of) => of === keyset.id);
      if (whole === undefined) return undefined;
      if (whole.copy.frame.depth >= limits.depth) return 'too-deep';
      rely(whole);
      return whole;
    },

    async putPack(pack) {
      throwIfFailed();
      await putAll([pack]);
    },

    async flush() {
      throwIfFailed();
      await putOwn(failing(() => packer.flush()));
      await Promise.all(puts);
      throwIfFailed();
    },

    async takeSegment() {
      throwIfFailed();
      const pending = [...index.pending.values()].filter(({ row }) => !invalid.has(row.id));
      if (pending.length === 0) return undefined;
      const built = buildSegment([rowsOfPacks(pending)], { keys, keyset, random });
      await putEntry(built.key, built.parts);
      index.addSegment(built);
      taken.set(built.id, pending);
      return { id: built.id, blobs: built.blobs, bytes: built.byteLength };
    },

    committed(segments) {
      const done: PackId[] = [];
      for (const id of segments) {
        done.push(...(taken.get(id) ?? []).map(({ row }) => row.id));
        taken.delete(id);
      }
      journal?.remove(done);
    },

    invalidate(ids) {
      const gone = [...ids];
      for (const id of gone) {
        invalid.add(id);
        relied.delete(id);
      }
      index.removePending(gone);
    },

    untake(segments) {
      for (const id of segments) {
        index.removeSegment(id);
        for (const contents of taken.get(id) ?? []) if (!invalid.has(contents.row.id)) index.addPack(contents);
        taken.delete(id);
      }
    },

    reliedPacks: relied,
    get pendingBytes() {
      let bytes = 0;
      for (const { row } of index.pending.values()) bytes += row.size;
      return bytes;
    },
    get pendingBlobs() {
      let blobs = 0;
      for (const contents of index.pending.values()) blobs += contents.blobs;
      return blobs;
    },
    stats,
  };

  /** Content is shared between generations of one scope, never between scopes. */
  function isInScope(id: KeysetId): boolean {
    return keys.keysets.get(id)?.scope === keyset.scope;
  }

  function rely(whole: WholeCopy): void {
    for (const { pack } of copiesIn(whole)) relied.add(pack.id);
  }

  function isKnown(kind: PackKind, id: BlobId): boolean {
    if (claimed[kind].has(id)) return true;
    const whole = findWhole(index, kind, id, isUsable, isInScope);
    if (whole === undefined) return false;
    rely(whole);
    return true;
  }

  /** Whether the caller must store the blob: nobody did, and nobody is about to. */
  function claim(kind: PackKind, id: BlobId, byteLength: number): boolean {
    if (isKnown(kind, id)) {
      stats.knownBlobs += 1;
      stats.knownBytes += byteLength;
      return false;
    }
    claimed[kind].add(id);
    stats.newBlobs += 1;
    stats.newBytes += byteLength;
    return true;
  }

  /** Puts packs that were made here, whose pages are used again. */
  async function putOwn(finished: readonly FinishedPack[]): Promise<void> {
    await putAll(finished);
    for (const { parts } of finished) for (const { buffer } of parts) pages.give(new Uint8Array(buffer));
  }

  async function putAll(finished: readonly FinishedPack[]): Promise<void> {
    const mine = finished.map((pack) => {
      const put = putPack(pack);
      puts.add(put);
      return put.finally(() => puts.delete(put));
    });
    await Promise.all(mine);
  }

  async function putPack({ key, parts, contents }: FinishedPack): Promise<void> {
    await putEntry(key, parts);
    const compact = compactContents(contents);
    const { row } = compact;
    // Not before: whoever takes the pack up relies on it, so it must be on the disk, with its name.
    failing(() => journal?.append(row));
    stats.packs += 1;
    stats.storedBytes += row.size;
    relied.add(row.id);
    index.addPack(compact);
    for (const id of compact.blobIds()) claimed[row.kind].delete(id);
  }

  /** 'exists' is fine: the key is the SHA-256 of the bytes. */
  async function putEntry(key: string, parts: readonly Uint8Array[]): Promise<void> {
    try {
      await backend.put(key, parts, { signal });
    } catch (error) {
      failure ??= { error };
      throw error;
    }
  }

  /** A frame that was claimed and could not be sealed, or a pack that could not be noted, ends the session. */
  function failing<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      failure ??= { error };
      throw error;
    }
  }

  function throwIfFailed(): void {
    if (failure !== undefined) throw failure.error;
  }
}
