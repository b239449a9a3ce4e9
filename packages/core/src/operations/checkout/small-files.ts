/**
 * Files that are one blob, many at a time: those that share a frame cost one decoding, and each is written by the thread
 * that decoded it.
 */
import type { MbkError } from '../../errors.ts';
import type { BlobId } from '../../format/ids.ts';
import type { Crew } from '../../pool/crew.ts';
import { errorOf } from '../../pool/error-record.ts';
import { inTarget } from '../../snapshot/target-error.ts';
import type { ReservedFile, TargetFolder } from '../../snapshot/target-folder.ts';
import type { FilesAnswer, SmallAnswer, SmallFate } from './checkout-task.ts';
import { noteFact, type Outcome } from './outcome.ts';
import type { PatientBlobs } from './patient-blobs.ts';
import { buffersOf, type RunReader } from './read-runs.ts';
import { packFiles, packSmallJob, type SmallFile } from './small-columns.ts';
import type { Waiting } from './waiting-file.ts';

export interface SmallFilesOptions {
  readonly crew: Crew;
  readonly runs: RunReader;
  readonly blobs: PatientBlobs;
  readonly target: TargetFolder;
  readonly outcome: Outcome;
  /** Does what concerns one file: an error that does not concern the others is told, and the file counts as failed. */
  readonly attempt: (one: Waiting, work: () => void) => void;
  /** The file was written. */
  readonly onWritten: (one: Waiting) => void;
  /** What was there stays. */
  readonly onKept: (one: Waiting) => void;
  /** Writes a file on this thread. */
  readonly writeHere: (one: Waiting, content: Uint8Array) => void;
  /** The error of a file whose blob cannot be had. */
  readonly failed: (one: Waiting, error: MbkError) => MbkError;
}

interface Reserved {
  readonly one: Waiting;
  readonly file: ReservedFile;
  isSettled: boolean;
}

/** Restores a batch. Rejects with what ends the checkout; then no file of it is being written any more. */
export async function restoreSmall(batch: readonly Waiting[], options: SmallFilesOptions): Promise<void> {
  const { crew, runs, blobs, target, outcome, attempt } = options;
  const reserved: Reserved[] = [];
  const again: Waiting[] = [];
  try {
    for (const one of batch)
      attempt(one, () => void reserved.push({ one, file: target.reserve(one.path), isSettled: false }));

    const settle = (files: readonly Reserved[], { others, refused }: FilesAnswer): void => {
      for (const { file, fact, errno } of refused) {
        const path = files[file]?.one.path;
        if (path !== undefined) noteFact(outcome, path, fact, errno);
      }
      for (const [number, reservedFile] of files.entries()) settleOne(reservedFile, others.get(number) ?? 'written');
    };

    const settleOne = (reservedFile: Reserved, fate: SmallFate): void => {
      const { one, file } = reservedFile;
      reservedFile.isSettled = true;
      file.settle(fate === 'written');
      if (fate === 'written') options.onWritten(one);
      else if (fate === 'kept') options.onKept(one);
      else if (fate === 'left' || fate === 'bad') again.push(one);
      else {
        attempt(one, () =>
          inTarget(one.path, 'writing', () => {
            throw errorOf(fate.error);
          }),
        );
      }
    };

    const empty: Reserved[] = [];
    const byBlob = new Map<BlobId, Reserved[]>();
    for (const one of reserved) {
      const { size, sha256 } = one.one.entry;
      const same = size === 0 ? empty : byBlob.get(sha256);
      if (same === undefined) byBlob.set(sha256, [one]);
      else same.push(one);
    }

    if (empty.length > 0) {
      settle(empty, (await crew.run('empty', packFiles(empty.map(smallFileOf)))) as FilesAnswer);
    }
    const missing = await runs.each(byBlob, async (job) => {
      const packed = packSmallJob(job, smallFileOf);
      const answer = (await crew.run('small', packed, { buffers: buffersOf(job) })) as SmallAnswer;
      settle(
        job.frames.flatMap(({ blobs: inFrame }) => inFrame.flatMap(({ use }) => use)),
        answer,
      );
      return answer;
    });
    for (const id of missing) {
      for (const one of byBlob.get(id) ?? []) {
        if (!one.isSettled) settleOne(one, 'bad');
      }
    }
  } catch (error) {
    for (const { file } of reserved) file.abort();
    throw error;
  }
  await restoreHere(again, options, blobs);
}

/** What threads left: damaged copies have others, packs move, and what stands in the way of a file may be replaced. */
async function restoreHere(
  files: readonly Waiting[],
  { attempt, writeHere, failed }: SmallFilesOptions,
  blobs: PatientBlobs,
): Promise<void> {
  for (const one of files) if (one.entry.size === 0) attempt(one, () => writeHere(one, new Uint8Array(0)));
  const byBlob = Map.groupBy(
    files.filter(({ entry }) => entry.size > 0),
    ({ entry }) => entry.sha256,
  );
  if (byBlob.size === 0) return;
  await blobs.read(
    byBlob.keys(),
    (id, content) => {
      for (const one of byBlob.get(id) ?? []) attempt(one, () => writeHere(one, content));
    },
    (id, error) => {
      for (const one of byBlob.get(id) ?? []) {
        attempt(one, () => {
          throw failed(one, error);
        });
      }
    },
  );
}

function smallFileOf({ one, file }: Reserved): SmallFile {
  const { mode, owner, mtime, size } = one.entry;
  const { place, name, temporary, isFree } = file;
  return { place, name, temporary, isFree, mode, owner, mtime, size };
}
