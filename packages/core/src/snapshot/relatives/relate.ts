/**
 * Brings what a piece may be built upon, and builds: in whichever thread stores the piece. One piece at a time has its
 * relatives in memory.
 */
import type { Element } from '../../chunker/piece.ts';
import { type Compression, defaultCompression } from '../../codec/compression.ts';
import type { RowOrder } from '../../codec/derive.ts';
import { partsDeriver } from '../../codec/derive-parts.ts';
import {
  type BaseBlob,
  derivedFrame,
  encodeFrom,
  encodeUpon,
  estimateUpon,
  type RelatedFrame,
  tooMuchUpon,
} from '../../codec/encode-related.ts';
import { isMbkError } from '../../errors.ts';
import type { BlobId } from '../../format/ids.ts';
import { parameters } from '../../format/limits.ts';
import type { Base } from '../../pack/base-frames.ts';
import { openBases } from '../../pack/open-bases.ts';
import type { Relate } from '../../pack/frame-packer.ts';
import { openedBlobs } from '../../pack/opened-blobs.ts';
import { pieceMemory } from '../../pack/piece-memory.ts';
import { isDamage } from '../../pack/read-twice.ts';
import { readPlace, type FilePlace } from './file-place.ts';
import type { Wanted, WantedOrder, WantedSource } from './wanted.ts';

export interface Relater {
  /**
   * Runs `store` with the way to build `bytes` upon what is wanted, if there is one. `bytes` are in use until it settles.
   * Rejects with what `store` and the reading of bases throw.
   */
  with<T>(bytes: Uint8Array, about: About, store: (relate: Relate | undefined) => Promise<T>): Promise<T>;
}

export interface About {
  readonly element: Element;
  readonly wanted: Wanted;
}

/** Says where a blob is that may be built upon, or that it is at the end of a chain; undefined for one that cannot be had. */
export type FindBase = (wanted: WantedBase) => Promise<FoundBase | 'too-deep' | undefined>;

export interface WantedBase {
  readonly id: BlobId;
  /** Whether only its frame will do, since it was not found in a file. */
  readonly isStored: boolean;
}

/** `depth` is that of the copy that is built upon. */
export type FoundBase = { readonly depth: number } & ({ readonly frame: Base } | { readonly place: FilePlace });

/** Of blobs that were read: what a piece of a quantised tensor is made from ends in the blob that the next one begins in. */
const cacheBytes: number = parameters.pieceBytes;
/** Pieces whose memory is kept: as many as are in memory at a time, mostly. */
const mostSpare = 2;
/** After so many tensors of a file in a row that no other made less of, none of it is tried by its shape or name. */
const mostMisses = 6;
/** A base that makes this of what a piece makes alone is kin: what is less likely is not read to be held against it. */
const kinMakes = 7 / 8;

export function relater(find: FindBase, compression: Compression = defaultCompression): Relater {
  const memory = pieceMemory(mostSpare);
  const blobs = openedBlobs<BaseBlob>(memory);
  /**
   * Of the file at hand: tensors of which a piece was tried in vain, and how many tensors in a row were; tensors whose rows
   * are in no order that is known; and the order that was found last.
   */
  const tries: {
    file: number;
    readonly hopeless: Set<number>;
    misses: number;
    readonly unordered: Set<number>;
    order?: RowOrder;
  } = { file: -1, hopeless: new Set(), misses: 0, unordered: new Set() };
  let turn: Promise<unknown> = Promise.resolve();

  /** What is kept of others makes room first, unless one of these is among them. Leaves out what cannot be had. */
  const load = async (ids: readonly BlobId[]): Promise<ReadonlyMap<BlobId, BaseBlob>> => {
    if (!ids.some((id) => blobs.get(id) !== undefined)) blobs.trim(0);
    // One after the other: what is read and not yet opened takes as much memory again.
    for (const id of new Set(ids)) await loadOne(id);
    return new Map(ids.flatMap((id) => blobs.get(id) ?? []).map((blob) => [blob.id, blob]));
  };

  /** Undefined for what cannot be had. */
  const loadOne = async (id: BlobId): Promise<BaseBlob | 'too-deep' | undefined> => {
    const known = blobs.get(id);
    if (known !== undefined) return known;
    for (const isStored of [false, true]) {
      const found = await find({ id, isStored });
      if (typeof found !== 'object') return found;
      const bytes = 'place' in found ? fromPlace(found.place, id) : opened(found.frame);
      if (bytes === undefined) continue;
      const blob = { id, bytes, depth: found.depth };
      blobs.add(blob);
      return blob;
    }
    return undefined;
  };

  const fromPlace = (place: FilePlace, id: BlobId): Uint8Array | undefined => {
    const into = memory.take(place.length);
    const bytes = readPlace(place, id, into);
    if (bytes === undefined) memory.give(into);
    return bytes;
  };

  /** Undefined for what is damaged: it is not built upon, and a verification tells of it. */
  const opened = (base: Base): Uint8Array | undefined => {
    try {
      return openBases([base], { known: (id) => blobs.get(id)?.bytes, memory })[0];
    } catch (error) {
      if (isDamage(error) || isMbkError(error, 'codec-unknown')) return undefined;
      throw error;
    }
  };

  /** Sources first: where one serves, bases are not read. */
  const relateTo = async (
    bytes: Uint8Array,
    { element, wanted }: About,
    store: (relate: Relate | undefined) => Promise<unknown>,
  ): Promise<unknown> => {
    const { file, tensor } = wanted;
    if (tries.file !== file) {
      tries.file = file;
      tries.hopeless.clear();
      tries.misses = 0;
      tries.unordered.clear();
    }
    const derived = await derivedFrom(bytes, element, wanted);
    if (derived !== undefined) return store(() => derived);
    const isTried = tries.misses < mostMisses && !tries.hopeless.has(tensor);
    const nearest = isTried ? await nearestOf(bytes, element, wanted.bases) : undefined;
    if (nearest === undefined) return store(undefined);
    const { base, tooMuch } = nearest;
    return store(() => {
      const related = base && encodeUpon(bytes, element, base, tooMuch);
      if (related !== undefined) tries.misses = 0;
      else if (tries.file === file) {
        tries.hopeless.add(tensor);
        tries.misses += 1;
      }
      return related;
    });
  };

  /**
   * The one of these that makes least of a piece, or the first that is kin, if any makes less than is too much. Undefined
   * when none of them can be had. One that is too deep ends the search: what is stored alone in its place begins a new
   * chain. One is in memory beside the best.
   */
  const nearestOf = async (
    bytes: Uint8Array,
    element: Element,
    ids: readonly BlobId[],
  ): Promise<{ readonly base: BaseBlob | undefined; readonly tooMuch: number } | undefined> => {
    let tooMuch: number | undefined;
    let best: BaseBlob | undefined;
    let least = Infinity;
    for (const id of ids) {
      if (blobs.get(id) === undefined) blobs.keepOnly(best?.id);
      const base = await loadOne(id);
      if (base === 'too-deep') break;
      const made = base && estimateUpon(bytes, element, base);
      if (made === undefined) continue;
      tooMuch ??= tooMuchUpon(bytes, element, compression);
      if (made >= Math.min(least, tooMuch)) continue;
      least = made;
      best = base;
      if (made < tooMuch * kinMakes) break;
    }
    return tooMuch === undefined ? undefined : { base: best, tooMuch };
  };

  /** How a piece was made of any of its sources, in their order if that will do. Where no order will, its tensor is in none. */
  const derivedFrom = async (
    bytes: Uint8Array,
    element: Element,
    { sources, tensor }: Wanted,
  ): Promise<RelatedFrame | undefined> => {
    for (const source of sources) {
      // Of its own type in the same order it would be the same bytes, which are stored once anyway.
      const frame = source.dtype === element.dtype ? undefined : await deriveBy(bytes, element, source);
      if (frame !== undefined) return frame;
    }
    if (sources.length === 0 || tries.unordered.has(tensor)) return undefined;
    for (const source of sources) {
      const frame = await deriveOrdered(bytes, element, source);
      if (frame !== undefined) return frame;
    }
    tries.unordered.add(tensor);
    return undefined;
  };

  /** How a piece was made of a source: base by base as long as nothing differs, else with all of them in memory. */
  const deriveBy = async (
    bytes: Uint8Array,
    element: Element,
    { dtype, blobs: ids, offset }: WantedSource,
  ): Promise<RelatedFrame | undefined> => {
    const deriver = partsDeriver(bytes, element, { dtype, offset });
    let depth = 0;
    for (const id of ids) {
      const base = (await load([id])).get(id);
      if (base === undefined) return undefined;
      depth = Math.max(depth, base.depth);
      if (!deriver.push(base.bytes)) break;
    }
    const encoded = deriver.finish();
    if (encoded !== undefined) return derivedFrame(encoded, ids, depth);
    const blobs = await loadAll(ids);
    return blobs && encodeFrom(bytes, element, { dtype, blobs, offset });
  };

  /** How a piece was made of the rows of a source in another order, that which was found last being tried first. */
  const deriveOrdered = async (
    bytes: Uint8Array,
    element: Element,
    { dtype, orders }: WantedSource,
  ): Promise<RelatedFrame | undefined> => {
    const isLast = ({ order: { kind, rows } }: WantedOrder): boolean =>
      rows === tries.order?.rows && kind === tries.order.kind;
    for (const { blobs: ids, offset, order } of [...orders.filter(isLast), ...orders.filter((one) => !isLast(one))]) {
      const blobs = await loadAll(ids);
      const frame = blobs && encodeFrom(bytes, element, { dtype, blobs, offset, order });
      if (frame === undefined) continue;
      tries.order = order;
      return frame;
    }
    return undefined;
  };

  /** Undefined where some of them cannot be had. */
  const loadAll = async (ids: readonly BlobId[]): Promise<readonly BaseBlob[] | undefined> => {
    const loaded = await load(ids);
    const all = ids.flatMap((id) => loaded.get(id) ?? []);
    return all.length === ids.length ? all : undefined;
  };

  return {
    with<T>(bytes: Uint8Array, about: About, store: (relate: Relate | undefined) => Promise<T>): Promise<T> {
      const mine = turn
        .then(() => relateTo(bytes, about, store) as Promise<T>)
        .finally(() => {
          // The next piece of a tensor that was made from nothing has bases of its own.
          blobs.trim(about.wanted.sources.length > 0 ? cacheBytes : 0);
        });
      turn = mine.catch(() => undefined); // its caller is told
      return mine;
    },
  };
}
