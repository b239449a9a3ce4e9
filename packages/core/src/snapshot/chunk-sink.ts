/**
 * Takes the pieces of a file in order, has their blobs stored, and hands on the chunks in that order as their ids come
 * (docs/format.md, Chunking).
 *
 * Parts of the skeleton are gathered into blobs of 4 MiB. What stands behind them in the list waits until the blob has
 * an id: at most the chunks between two skeleton blobs, about 100 bytes for each 4 MiB of the file.
 */
import type { Element } from '../chunker/piece.ts';
import type { Chunk } from '../format/chunk-list.ts';
import type { BlobId } from '../format/ids.ts';
import { parameters } from '../format/limits.ts';
import type { Wanted } from './relatives/wanted.ts';

const { pieceBytes } = parameters;

/** Stores a data blob, of which this is known; the bytes are its own until it settles. Any number may be under way at once. */
export type StorePiece = (bytes: Uint8Array, about?: PieceAbout) => Promise<BlobId>;

/** What is known of a piece of a tensor. */
export interface PieceAbout {
  readonly element: Element;
  /** What it may be built upon, as soon as that is known. */
  readonly wanted?: Promise<Wanted | undefined> | undefined;
}

export interface ChunkSink {
  /** Each takes the next bytes of the file; those of a blob are in use until what it gives settles. */
  blob(bytes: Uint8Array, about?: PieceAbout): Promise<unknown>;
  zeros(length: number): void;
  /** At most `pieceBytes`, and not beyond a multiple of `pieceBytes` of the skeleton; they stay the caller's. */
  skeleton(bytes: Uint8Array): void;
  /** Settles when not too much is under way; rejects as soon as a store or the taker of chunks did. */
  keepUp(): Promise<void>;
  /** Stores what is left; settles when all chunks were handed on. */
  finish(): Promise<void>;
}

/** Chunks that may wait for their ids, so that a file of any length takes little memory. */
const mostWaiting = 1024;

/** The sink of one file; `onChunk` gets one chunk after the other. */
export function chunkSink(store: StorePiece, onChunk: (chunk: Chunk) => Promise<void> | void): ChunkSink {
  let failure: { readonly error: unknown } | undefined;
  let waiting = 0;
  let last: Promise<void> = Promise.resolve();
  /** The skeleton blob that is being gathered, and its bytes so far. */
  let skeleton: { readonly bytes: Uint8Array; readonly blob: PromiseWithResolvers<SkeletonBlob> } | undefined;
  let skeletonBytes = 0;

  const add = (chunk: Promise<Chunk>): void => {
    waiting += 1;
    const before = last;
    last = (async () => {
      try {
        const [ready] = await Promise.all([chunk, before]);
        if (failure === undefined) await onChunk(ready);
      } catch (error) {
        failure ??= { error };
      }
      waiting -= 1;
    })();
  };

  const storeSkeleton = (): void => {
    if (skeleton === undefined) return;
    const { bytes, blob } = skeleton;
    const length = skeletonBytes;
    skeleton = undefined;
    skeletonBytes = 0;
    blob.resolve(store(bytes.subarray(0, length)).then((id) => ({ id, length })));
  };

  const throwIfFailed = (): void => {
    if (failure !== undefined) throw failure.error;
  };

  return {
    blob(bytes, about) {
      const { length } = bytes;
      const stored = store(bytes, about);
      add(stored.then((id) => ({ kind: 'blob', id, length })));
      return stored;
    },

    zeros: (length) => add(Promise.resolve({ kind: 'zero', length })),

    skeleton(bytes) {
      skeleton ??= { bytes: new Uint8Array(pieceBytes), blob: Promise.withResolvers() };
      skeleton.bytes.set(bytes, skeletonBytes);
      const place = { offset: skeletonBytes, length: bytes.length };
      add(skeleton.blob.promise.then((blob) => sliceOf(blob, place)));
      skeletonBytes += bytes.length;
      if (skeletonBytes === pieceBytes) storeSkeleton();
    },

    async keepUp() {
      throwIfFailed();
      // Slices wait for their blob, which comes with later bytes: only what is beyond it can be waited for.
      if (waiting > mostWaiting && skeleton === undefined) await last;
      throwIfFailed();
    },

    async finish() {
      storeSkeleton();
      await last;
      throwIfFailed();
    },
  };
}

interface SkeletonBlob {
  readonly id: BlobId;
  readonly length: number;
}

function sliceOf(blob: SkeletonBlob, { offset, length }: { readonly offset: number; readonly length: number }): Chunk {
  return length === blob.length
    ? { kind: 'blob', id: blob.id, length }
    : { kind: 'slice', id: blob.id, offset, length };
}
