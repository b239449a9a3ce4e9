/**
 * Brings what a piece may be built upon, and builds: in whichever thread stores the piece. One piece at a time has its
 * relatives in memory.
 */
import type { Element } from '../../chunker/piece.ts';
import { type Compression, defaultCompression } from '../../codec/compression.ts';
import { type BaseBlob, encodeRelated, type SourceBlobs } from '../../codec/encode-related.ts';
import { isMbkError } from '../../errors.ts';
import type { BlobId } from '../../format/ids.ts';
import { type BaseFrame, openBase } from '../../pack/base-frames.ts';
import { frameCache } from '../../pack/frame-cache.ts';
import type { Relate } from '../../pack/frame-packer.ts';
import { isDamage } from '../../pack/read-twice.ts';
import type { Wanted } from './wanted.ts';

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

/** The frames of blobs that may be built upon; undefined for those that cannot be had. */
export type FetchBases = (ids: readonly BlobId[]) => Promise<readonly (BaseFrame | undefined)[]>;

/** Of blobs that were read: neighbours among quantised tensors are made from the same ones. */
const cacheBytes = 20_971_520;
/** After so many tensors of a file in a row that no other made less of, none of it is tried by its shape or name. */
const mostMisses = 6;

export function relater(fetch: FetchBases, compression: Compression = defaultCompression): Relater {
  const cache = frameCache(cacheBytes);
  const depths = new Map<BlobId, number>();
  /** Of the file at hand: tensors of which a piece was tried in vain, and how many tensors in a row were. */
  const tries = { file: -1, hopeless: new Set<number>(), misses: 0 };
  let turn: Promise<unknown> = Promise.resolve();

  const load = async (ids: readonly BlobId[]): Promise<ReadonlyMap<BlobId, BaseBlob>> => {
    const missing = [...new Set(ids)].filter((id) => cache.get(id) === undefined || !depths.has(id));
    const frames = missing.length === 0 ? [] : await fetch(missing);
    const loaded = new Map<BlobId, BaseBlob>();
    for (const frame of frames) if (frame !== undefined) depths.set(frame.id, frame.frame.depth);
    const byId = new Map(frames.flatMap((frame) => (frame === undefined ? [] : [[frame.id, frame] as const])));
    for (const id of new Set(ids)) {
      const bytes = cache.get(id) ?? opened(byId.get(id));
      const depth = depths.get(id);
      if (bytes !== undefined && depth !== undefined) loaded.set(id, { id, bytes, depth });
    }
    return loaded;
  };

  /** Undefined for what is damaged: it is not built upon, and a verification tells of it. */
  const opened = (frame: BaseFrame | undefined): Uint8Array | undefined => {
    try {
      return frame && openBase(frame, cache);
    } catch (error) {
      if (isDamage(error) || isMbkError(error, 'codec-unknown')) return undefined;
      throw error;
    }
  };

  /** Sources first: where they serve, bases are not read. */
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
    }
    const isTried = tries.misses < mostMisses && !tries.hopeless.has(tensor);
    const sourceIds = wanted.sources.flatMap(({ blobs }) => blobs);
    const baseIds = isTried ? wanted.bases : [];
    if (sourceIds.length + baseIds.length === 0) return store(undefined);
    const loaded = await load([...sourceIds, ...(sourceIds.length === 0 ? baseIds : [])]);
    const sources = wanted.sources.flatMap(({ dtype, blobs, offset }): SourceBlobs[] => {
      const found = blobs.flatMap((id) => loaded.get(id) ?? []);
      return found.length === blobs.length ? [{ dtype, blobs: found, offset }] : [];
    });
    const bases = baseIds.flatMap((id) => loaded.get(id) ?? []);
    return store(() => {
      const related = encodeRelated(bytes, element, { bases, sources }, compression);
      if (related !== undefined) tries.misses = 0;
      else if (bases.length > 0 && tries.file === file) {
        tries.hopeless.add(tensor);
        tries.misses += 1;
      }
      return related;
    });
  };

  return {
    with<T>(bytes: Uint8Array, about: About, store: (relate: Relate | undefined) => Promise<T>): Promise<T> {
      const mine = turn.then(() => relateTo(bytes, about, store) as Promise<T>);
      turn = mine.catch(() => undefined); // its caller is told
      return mine;
    },
  };
}
