/** Blobs stored over other blobs by hand: what a snapshot finds known it names, however it is stored. */
import type { EncodedFrame } from '../../src/codec/encode-frame.ts';
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
  /** What its row names. */
  readonly bases: readonly BlobId[];
  readonly depth: number;
  /** What a codec made of it; unless given the frame holds all bytes as they are. */
  readonly encoded?: Pick<EncodedFrame, 'codec' | 'stored'>;
}

/** Puts a pack of these blobs, each in a frame of its own, and a segment that names it. */
export async function storeOver(
  { backend, keys, log, random }: Repository,
  blobs: readonly StoredOver[],
): Promise<PackId> {
  const pack = packWriter({ keys, keyset: keys.shared, kind: 'data', lifetime: 'long', random });
  for (const { bases, bytes, depth, encoded: { codec, stored } = { codec: rawCodec.number, stored: bytes } } of blobs) {
    // What was encoded is the pack writer's.
    const encoded = { codec, stored: new Uint8Array(stored), parameters: noParameters };
    const blob = { id: idOf(bytes), type: 'data', length: bytes.byteLength } as const;
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
