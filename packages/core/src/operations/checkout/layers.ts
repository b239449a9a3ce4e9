/** In which order large files are restored: what others are built upon before these. */
import { isMbkError } from '../../errors.ts';
import type { BlobId } from '../../format/ids.ts';
import type { Repository } from '../../repository.ts';
import { readChunks } from '../../snapshot/chunk-list-reader.ts';
import type { Waiting } from './waiting-file.ts';

/** Of a file so many blobs are looked at: behind them are others of the same tensors. */
const mostLooked = 64;

/**
 * The files, in layers by the depth of the first of their frames: none is built upon another of its own layer or a later
 * one, as far as these tell.
 */
export async function layersOf(
  files: readonly Waiting[],
  { repository, signal }: { readonly repository: Repository; readonly signal: AbortSignal | undefined },
): Promise<readonly (readonly Waiting[])[]> {
  if (files.length <= 1) return [files];
  const layers = new Map<number, Waiting[]>();
  for (const one of files) {
    const depth = await depthOf(repository, one, signal);
    const layer = layers.get(depth) ?? [];
    layers.set(depth, layer);
    layer.push(one);
  }
  return [...layers].toSorted(([a], [b]) => a - b).map(([, layer]) => layer);
}

async function depthOf(
  { blobs, readBlob }: Repository,
  { entry }: Waiting,
  signal: AbortSignal | undefined,
): Promise<number> {
  const ids: BlobId[] = [];
  try {
    for await (const chunk of readChunks(readBlob, entry, { signal })) {
      if (chunk.kind !== 'zero') ids.push(chunk.id);
      if (ids.length >= mostLooked) break;
    }
  } catch (error) {
    // Whoever restores the file tells of it.
    if (!isMbkError(error) || isMbkError(error, 'interrupted')) throw error;
  }
  const reader = await blobs();
  const frames = reader.plan('data', ids, {}).runs.flatMap((run) => run.frames);
  return frames.reduce((most, { frame }) => Math.max(most, frame.depth), 0);
}
