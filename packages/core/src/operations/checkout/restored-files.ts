/**
 * Files that a checkout has restored, for others that are built upon their blobs: reading them there is sooner done than
 * decoding them once more. What is read there proves itself by the SHA-256 of the file that is made of it.
 */
import fs from 'node:fs';
import { isMbkError } from '../../errors.ts';
import type { ByteString } from '../../format/byte-name.ts';
import type { BlobId } from '../../format/ids.ts';
import type { BlobPlace, PlaceOf } from '../../pack/base-frames.ts';
import type { ReadBlob } from '../../snapshot/blobs.ts';
import { readChunks } from '../../snapshot/chunk-list-reader.ts';
import type { TargetFolder } from '../../snapshot/target-folder.ts';
import type { Waiting } from './waiting-file.ts';

export interface RestoredFiles {
  /** Takes a file that is finished, if it can be read: it need not be by its mode. */
  add(one: Waiting): Promise<void>;
  readonly placeOf: PlaceOf;
  /** Forgets all files, when nobody reads any of them any more. */
  clear(): void;
}

/** Blobs that are remembered, about 150 bytes each: pieces of 256 GiB. */
const mostBlobs = 65_536;

export function restoredFiles(
  target: TargetFolder,
  readBlob: ReadBlob,
  signal: AbortSignal | undefined,
): RestoredFiles {
  const places = new Map<BlobId, BlobPlace & { readonly length: number }>();
  const opened: number[] = [];
  return {
    async add({ path, entry }) {
      const fd = places.size < mostBlobs ? openIn(target, path) : undefined;
      if (fd === undefined) return;
      opened.push(fd);
      for await (const chunk of readChunks(readBlob, entry, { signal })) {
        if (places.size >= mostBlobs) return;
        if (chunk.kind === 'blob') places.set(chunk.id, { fd, position: chunk.position, length: chunk.length });
      }
    },
    placeOf(id, length) {
      const place = places.get(id);
      return place?.length === length ? place : undefined;
    },
    clear() {
      places.clear();
      for (const fd of opened.splice(0)) fs.closeSync(fd);
    },
  };
}

function openIn(target: TargetFolder, path: ByteString): number | undefined {
  try {
    return target.open(path);
  } catch (error) {
    if (isMbkError(error, 'target-failed')) return undefined;
    throw error;
  }
}
