/** Makes the blobs of a chunk list from its chunks in order (docs/format.md, Trees). */
import { chunkLeafFrame, chunkListChildText, chunkText, encodeChunkListItems } from '../format/chunk-list.ts';
import type { Chunk, ChunkListChild } from '../format/chunk-list.ts';
import type { BlobId } from '../format/ids.ts';
import { limits } from '../format/limits.ts';
import type { StoreBlob } from './blobs.ts';
import { levelBuilder, type LevelBuilder, type LevelFormat } from './level-builder.ts';

/** The builder of one list; `finish` gives its id and the bytes it covers. Needs at least one chunk. */
export function chunkListBuilder(store: StoreBlob): LevelBuilder<Chunk, ChunkListChild> {
  return levelBuilder(chunkListFormat, store);
}

const chunkListFormat: LevelFormat<Chunk, ChunkListChild, number> = {
  type: 'chunks',
  maxItems: limits.chunksInLeaf,
  maxLeafBytes: Infinity,
  itemText: chunkText,
  childText: chunkListChildText,
  itemEnds: (chunk) => chunk.kind === 'blob' && endsPart(chunk.id),
  childEnds: (child) => endsPart(child.id),
  leafFrame: chunkLeafFrame,
  encodeNode: encodeChunkListItems,
  noItems: 0,
  seen: (bytes, chunk) => bytes + chunk.length,
  leafChild: (id, bytes) => ({ id, bytes }),
  nodeChild: (id, children) => ({ id, bytes: children.reduce((bytes, child) => bytes + child.bytes, 0) }),
};

/** Whether a leaf or node ends after what has this id: its low 8 bits are zero. */
function endsPart(id: BlobId): boolean {
  return id.endsWith('00');
}
