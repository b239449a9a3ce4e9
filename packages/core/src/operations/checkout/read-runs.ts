/** Reads the frames of many blobs for jobs that open them, as far ahead as memory allows; jobs read what are files. */
import { isMbkError } from '../../errors.ts';
import type { BlobId } from '../../format/ids.ts';
import { isDamage } from '../../pack/read-twice.ts';
import { boxesIn, type PlaceOf } from '../../pack/base-frames.ts';
import type { BasePlan, BlobReader } from '../../pack/blob-reader.ts';
import { openedPacks, type OpenedPacks } from '../../pack/opened-packs.ts';
import type { FrameReads, ReadRun } from '../../pack/plan-reads.ts';
import { readBuffers } from '../../pool/read-buffers.ts';
import { room } from '../../pool/room.ts';
import type { Repository } from '../../repository.ts';
import type { BlobUse, FramesAnswer, FramesJob } from './checkout-task.ts';

export interface RunReader {
  /**
   * Runs `job` for the frames of all blobs of `uses`, several at a time, and gives the blobs that no frame could be read
   * of. `job` gives memory back. When this settles, no job of it is under way.
   */
  each<Use>(
    uses: ReadonlyMap<BlobId, Use>,
    job: (frames: FramesJob<Use>) => Promise<FramesAnswer>,
    options?: EachOptions,
  ): Promise<readonly BlobId[]>;
}

export interface EachOptions {
  /** Where blobs that frames are built upon lie in files, for those that may be read there. */
  readonly placeOf?: PlaceOf | undefined;
}

/** What of a job changes hands. */
export function buffersOf({ bytes, frames }: Pick<FramesJob<unknown>, 'bytes' | 'frames'>): readonly ArrayBuffer[] {
  const boxes = boxesIn(frames.flatMap(({ bases = [] }) => bases));
  return 'buffer' in bytes ? [bytes.buffer, ...boxes] : boxes;
}

/** A run for one job; small, so that all threads have something to do. */
const runBytes = 2 * 1024 * 1024;
/** A larger frame is read into memory of its own. */
const bufferBytes = 8 * 1024 * 1024 + 64 * 1024;

/** At most `most` runs are read and not yet written. */
export function runReader({ backend, blobs, signal }: Repository, most: number): RunReader {
  const buffers = readBuffers({ bytes: bufferBytes, most });
  const memory = room(most * bufferBytes);

  return {
    async each(uses, job, { placeOf } = {}) {
      const reader = await blobs();
      const { runs, absent } = reader.plan('data', uses.keys(), { runBytes });
      const missing: BlobId[] = [...absent];
      const under = new Set<Promise<unknown>>();
      let failure: { readonly error: unknown } | undefined;

      for (const run of runs) {
        const plans = plansOf(reader, run);
        const taken = Math.max(run.length + bytesOf(plans), bufferBytes);
        await memory.take(taken);
        const one = (async () => {
          if (failure !== undefined) return;
          missing.push(...(await runOne({ reader, placeOf }, { run, plans }, uses, job)));
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

  /** The blobs of frames that cannot be read. */
  async function runOne<Use>(
    from: Pick<Sources, 'reader' | 'placeOf'>,
    { run, plans }: PlannedRun,
    uses: ReadonlyMap<BlobId, Use>,
    job: (frames: FramesJob<Use>) => Promise<FramesAnswer>,
  ): Promise<readonly BlobId[]> {
    const packs = openedPacks(backend, signal);
    try {
      return await runIn({ ...from, packs }, { run, plans }, uses, job);
    } finally {
      await packs.close();
    }
  }

  async function runIn<Use>(
    from: Sources,
    { run, plans }: PlannedRun,
    uses: ReadonlyMap<BlobId, Use>,
    job: (frames: FramesJob<Use>) => Promise<FramesAnswer>,
  ): Promise<readonly BlobId[]> {
    const { reader, packs } = from;
    const key = keyOf(reader, run);
    if (key === undefined) return blobsOf(run.frames);
    const { frames, left } = await framesOf(from, { run, plans }, uses);
    const opened = await packs.open(run.pack);
    if (opened !== undefined) {
      await job({ key, pack: run.pack, bytes: { fd: opened.fd }, frames });
      return left;
    }
    let isThere = true;
    const { buffer, length } = await buffers.read(async (into) => {
      const bytes = await reader.readRun(run, { signal, into });
      isThere = bytes?.byteLength === run.length;
      return bytes ?? new Uint8Array(0);
    });
    if (!isThere || length !== run.length) {
      buffers.give(buffer);
      return blobsOf(run.frames);
    }
    const answer = await job({ key, pack: run.pack, bytes: { buffer, offset: run.offset }, frames });
    if (answer.buffer !== undefined) buffers.give(answer.buffer);
    return left;
  }

  /** The frames of a run with what they are built upon, and the blobs of those for which that cannot be had. */
  async function framesOf<Use>(
    { reader, packs, placeOf }: Sources,
    { run, plans }: PlannedRun,
    uses: ReadonlyMap<BlobId, Use>,
  ): Promise<{ readonly frames: FramesJob<Use>['frames']; readonly left: readonly BlobId[] }> {
    const frames: FrameJob<Use>[] = [];
    const left: BlobId[] = [];
    for (const reading of run.frames) {
      const { number, frame, copies } = reading;
      const plan = plans.get(reading);
      const bases =
        frame.bases.length === 0 ? [] : plan && (await reader.readPlanned(plan, { packs, placeOf, signal }));
      if (bases === undefined) {
        left.push(...blobsOf([reading]));
        continue;
      }
      const blobs = copies.flatMap(({ id, offset, length }): BlobUse<Use>[] => {
        const use = uses.get(id);
        return use === undefined ? [] : [{ id, offset, length, use }];
      });
      frames.push({ number, frame, blobs, ...(bases.length > 0 && { bases }) });
    }
    return { frames, left };
  }
}

/** Where what frames are built upon is read. */
interface Sources {
  readonly reader: BlobReader;
  readonly packs: OpenedPacks;
  readonly placeOf: PlaceOf | undefined;
}

/** A run, and what its frames are built upon, as far as that is stored. */
interface PlannedRun {
  readonly run: ReadRun;
  readonly plans: ReadonlyMap<FrameReads, BasePlan>;
}

function plansOf(reader: BlobReader, { pack, frames }: ReadRun): PlannedRun['plans'] {
  const based = frames.filter(({ frame }) => frame.bases.length > 0);
  const found = reader.planBases(pack.kind, based);
  const plans = new Map<FrameReads, BasePlan>();
  based.forEach((reading, at) => {
    const plan = found[at];
    if (plan !== undefined) plans.set(reading, plan);
  });
  return plans;
}

function bytesOf(plans: PlannedRun['plans']): number {
  let bytes = 0;
  for (const plan of plans.values()) bytes += plan.bytes;
  return bytes;
}

type FrameJob<Use> = FramesJob<Use>['frames'][number];

function blobsOf(frames: ReadRun['frames']): readonly BlobId[] {
  return frames.flatMap(({ copies }) => copies.map(({ id }) => id));
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
