/** Blobs in memory, under their ids, as the packs keep them. */
import { sha256Hex } from '../../src/crypto/hash.ts';
import { MbkError } from '../../src/errors.ts';
import { asBlobId, type BlobId, type BlobType } from '../../src/format/ids.ts';
import type { ReadBlob, StoreBlob } from '../../src/snapshot/blobs.ts';

export interface BlobStore {
  readonly store: StoreBlob;
  readonly read: ReadBlob;
  readonly blobs: ReadonlyMap<BlobId, { readonly type: BlobType; readonly bytes: Uint8Array }>;
  /** Ids in the order in which they were read. */
  readonly reads: BlobId[];
  /** Puts a record in by hand; its id. */
  put(type: BlobType, value: unknown): BlobId;
}

export function blobStore(): BlobStore {
  const blobs = new Map<BlobId, { readonly type: BlobType; readonly bytes: Uint8Array }>();
  const reads: BlobId[] = [];
  const keep = (type: BlobType, bytes: Uint8Array): BlobId => {
    const id = asBlobId(sha256Hex(bytes));
    blobs.set(id, { type, bytes: bytes.slice() });
    return id;
  };
  return {
    blobs,
    reads,
    store: async (type, bytes) => ({ id: keep(type, bytes) }),
    read: async (id, type) => {
      reads.push(id);
      const blob = blobs.get(id);
      if (blob?.type !== type) throw new MbkError('blob-absent', `no ${type} blob ${id}`);
      return blob.bytes;
    },
    put: (type, value) => keep(type, Buffer.from(JSON.stringify(value))),
  };
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
