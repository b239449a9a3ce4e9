/** How this layer reads and stores blobs; the packs below it do the work. */
import type { BlobId, BlobType } from '../format/ids.ts';
import type { PieceAbout } from './chunk-sink.ts';

/**
 * Stores a blob, or finds that it is known, and gives its id.
 *
 * The bytes are the callee's until the promise settles; the caller may then write over them. So a callee copies them or
 * is done with them before.
 */
export type StoreBlob = (type: BlobType, bytes: Uint8Array, about?: PieceAbout) => Promise<{ readonly id: BlobId }>;

/** The bytes of a blob, checked against its id; 'blob-absent', 'entry-damaged' and what the backend throws. */
export type ReadBlob = (id: BlobId, type: BlobType) => Promise<Uint8Array>;
