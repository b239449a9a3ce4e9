/** Blobs stored over other blobs by hand: what a snapshot finds known it names, however it is stored. */
import { noParameters } from '../../src/codec/frame-codec.ts';
import { rawCodec } from '../../src/codec/raw.ts';
import type { BlobId, PackId } from '../../src/format/ids.ts';
import { buildSegment } from '../../src/pack/build-segment.ts';
import { packWriter } from '../../src/pack/pack-writer.ts';
import { rowsOfPacks } from '../../src/pack/segment-source.ts';
import type { Repository } from '../../src/repository.ts';
import { idOf } from '../pack/test-keys.ts';

export interface StoredOver {
  readonly bytes: Uint8Array;
  /** What its row names; the frame itself holds all of its bytes. */
  readonly bases: readonly BlobId[];
  readonly depth: number;
}

/** Puts a pack of these blobs, each in a frame of its own, and a segment that names it. */
export async function storeOver(
  { backend, keys, log, random }: Repository,
  blobs: readonly StoredOver[],
): Promise<PackId> {
  const pack = packWriter({ keys, keyset: keys.shared, kind: 'data', lifetime: 'long', random });
  for (const { bases, bytes, depth } of blobs) {
    const blob = { id: idOf(bytes), type: 'data', length: bytes.byteLength } as const;
    const encoded = { codec: rawCodec.number, stored: bytes, parameters: noParameters };
    pack.addFrame({ plain: bytes, blobs: [blob], encoded, bases, depth });
  }
  const { contents, key, parts } = pack.close();
  await backend.put(key, parts);
  const segment = buildSegment([rowsOfPacks([contents])], { keys, keyset: keys.shared, random });
  await backend.put(segment.key, segment.parts);
  const bytes = segment.parts.reduce((sum, part) => sum + part.byteLength, 0);
  await log.append(() => ({
    ops: [{ op: 'index', add: [{ id: segment.id, blobs: segment.blobs, bytes }], drop: [] }],
  }));
  return contents.row.id;
}
