/**
 * Takes the pieces of a file in order, stores their blobs and writes the chunk list (docs/format.md, Chunking).
 *
 * Parts of the skeleton are gathered into blobs of 4 MiB. What stands behind them in the list waits until the blob has
 * an id: at most the chunks between two skeleton blobs, about 100 bytes for each 4 MiB of the file.
 */
import type { Chunk } from '../format/chunk-list.ts';
import type { BlobId } from '../format/ids.ts';
import { parameters } from '../format/limits.ts';
import type { StoreBlob } from './blobs.ts';
import { chunkListBuilder } from './chunk-list-builder.ts';

const { pieceBytes } = parameters;

export interface ChunkSink {
  /** Each takes the next bytes of the file, which stay the caller's. */
  blob(bytes: Uint8Array): Promise<void>;
  zeros(length: number): Promise<void>;
  /** At most `pieceBytes`, and not beyond a multiple of `pieceBytes` of the skeleton. */
  skeleton(bytes: Uint8Array): Promise<void>;
  /** Stores what is left; the id of the chunk list. */
  finish(): Promise<BlobId>;
}

/** The sink of one file; `gather` gives a buffer of `pieceBytes` that is its own, when it has a skeleton. */
export function chunkSink(store: StoreBlob, gather: () => Uint8Array): ChunkSink {
  const list = chunkListBuilder(store);
  /** From the first slice of the unfinished skeleton blob on. */
  let waiting: (Chunk | WaitingSlice)[] = [];
  let skeleton: Uint8Array | undefined;
  let skeletonBytes = 0;

  const add = async (chunk: Chunk): Promise<void> => {
    if (waiting.length === 0) await list.add(chunk);
    else waiting.push(chunk);
  };

  const storeSkeleton = async (): Promise<void> => {
    if (skeleton === undefined || skeletonBytes === 0) return;
    const blobBytes = skeletonBytes;
    const { id } = await store('data', skeleton.subarray(0, blobBytes));
    skeletonBytes = 0;
    const chunks = waiting;
    waiting = [];
    for (const chunk of chunks) await list.add(chunk.kind === 'waiting' ? sliceOf(id, blobBytes, chunk) : chunk);
  };

  return {
    async blob(bytes) {
      const { length } = bytes;
      await add({ kind: 'blob', id: (await store('data', bytes)).id, length });
    },

    zeros: (length) => add({ kind: 'zero', length }),

    async skeleton(bytes) {
      skeleton ??= gather();
      skeleton.set(bytes, skeletonBytes);
      waiting.push({ kind: 'waiting', offset: skeletonBytes, length: bytes.length });
      skeletonBytes += bytes.length;
      if (skeletonBytes === pieceBytes) await storeSkeleton();
    },

    async finish() {
      await storeSkeleton();
      return (await list.finish()).id;
    },
  };
}

/** A slice of the skeleton blob that is being gathered. */
interface WaitingSlice {
  readonly kind: 'waiting';
  readonly offset: number;
  readonly length: number;
}

function sliceOf(id: BlobId, blobBytes: number, { offset, length }: WaitingSlice): Chunk {
  return length === blobBytes ? { kind: 'blob', id, length } : { kind: 'slice', id, offset, length };
}
