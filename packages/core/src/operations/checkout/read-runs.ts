/** Reads the frames of many blobs for jobs that open them, as far ahead as memory allows. */
import { isMbkError } from '../../errors.ts';
import type { BlobId } from '../../format/ids.ts';
import { isDamage } from '../../pack/read-twice.ts';
import type { BlobReader } from '../../pack/blob-reader.ts';
import type { ReadRun } from '../../pack/plan-reads.ts';
import { readBuffers } from '../../pool/read-buffers.ts';
import { room } from '../../pool/room.ts';
import type { Repository } from '../../repository.ts';
import type { BlobUse, FramesJob } from './checkout-task.ts';

export interface RunReader {
  /**
   * Runs `job` for the frames of all blobs of `uses`, several at a time, and gives the blobs that no frame could be read
   * of. `job` gives the buffer back. When this settles, no job of it is under way.
   */
  each<Use>(
    uses: ReadonlyMap<BlobId, Use>,
    job: (frames: FramesJob<Use>) => Promise<{ readonly buffer: ArrayBuffer }>,
  ): Promise<readonly BlobId[]>;
}

/** A run for one job; small, so that all threads have something to do. */
const runBytes = 2 * 1024 * 1024;
/** A larger frame is read into memory of its own. */
const bufferBytes = 8 * 1024 * 1024 + 64 * 1024;

/** At most `most` runs are read and not yet written. */
export function runReader({ blobs, signal }: Repository, most: number): RunReader {
  const buffers = readBuffers({ bytes: bufferBytes, most });
  const memory = room(most * bufferBytes);

  return {
    async each(uses, job) {
      const reader = await blobs();
      const { runs, absent } = reader.plan('data', uses.keys(), { runBytes });
      const missing: BlobId[] = [...absent];
      const under = new Set<Promise<unknown>>();
      let failure: { readonly error: unknown } | undefined;

      for (const run of runs) {
        const taken = Math.max(run.length, bufferBytes);
        await memory.take(taken);
        const one = (async () => {
          const frames = failure === undefined ? await readOne(reader, run, uses) : undefined;
          if (frames === undefined) missing.push(...run.frames.flatMap(({ copies }) => copies.map(({ id }) => id)));
          else buffers.give((await job(frames)).buffer);
        })()
          .catch((error: unknown) => void (failure ??= { error }))
          .finally(() => {
            memory.give(taken);
            under.delete(one);
          });
        under.add(one);
      }
      await Promise.all(under);
      if (failure !== undefined) throw failure.error;
      return missing;
    },
  };

  async function readOne<Use>(
    reader: BlobReader,
    run: ReadRun,
    uses: ReadonlyMap<BlobId, Use>,
  ): Promise<FramesJob<Use> | undefined> {
    const key = keyOf(reader, run);
    if (key === undefined) return undefined;
    let isThere = true;
    const { buffer, length } = await buffers.read(async (into) => {
      const bytes = await reader.readRun(run, { signal, into });
      isThere = bytes?.byteLength === run.length;
      return bytes ?? new Uint8Array(0);
    });
    if (!isThere || length !== run.length) {
      buffers.give(buffer);
      return undefined;
    }
    const frames = run.frames.map(({ number, frame, copies }) => ({
      number,
      frame,
      blobs: copies.flatMap(({ id, offset, length: bytes }): BlobUse<Use>[] => {
        const use = uses.get(id);
        return use === undefined ? [] : [{ id, offset, length: bytes, use }];
      }),
    }));
    return { key, pack: run.pack, buffer, offset: run.offset, frames };
  }
}

/** Undefined for a pack whose header is not sound. */
function keyOf(reader: BlobReader, { pack }: ReadRun): Uint8Array | undefined {
  try {
    return reader.keyOf(pack);
  } catch (error) {
    if (isDamage(error) && isMbkError(error)) return undefined;
    throw error;
  }
}
