/**
 * Writes files out. No damaged byte is ever restored as good: all bytes of a file are checked against its SHA-256, which
 * is the id of its blob where it has one only, before it takes its name; a file that does not pass is not written at all,
 * and the rest goes on.
 *
 * Small files are gathered into batches; of large ones a few are under way at a time, those that others are built upon
 * first. This thread looks up, reads and
 * keeps account; what computes and writes are jobs (`checkout-task.ts`), on threads of their own once there is enough.
 */
import { throwIfInterrupted } from '../../backend/interrupted.ts';
import { sha256Hex } from '../../crypto/hash.ts';
import { MbkError } from '../../errors.ts';
import { displayBytes, type ByteString } from '../../format/byte-name.ts';
import type { FileEntry } from '../../format/tree.ts';
import { crew } from '../../pool/crew.ts';
import { defaultJobs, type Threads } from '../../pool/threads.ts';
import type { Repository } from '../../repository.ts';
import { isSameTime } from '../../snapshot/file-time.ts';
import type { TargetFile, TargetFolder } from '../../snapshot/target-folder.ts';
import type { Overwrite } from '../../snapshot/place-file.ts';
import { splitPath } from '../../snapshot/target-directories.ts';
import { checkoutTask, type CheckoutSetup } from './checkout-task.ts';
import { hashTargetFile } from './hash-target.ts';
import { writeLarge } from './large-file.ts';
import { fail, noteKept, type Outcome } from './outcome.ts';
import { patientBlobs } from './patient-blobs.ts';
import { layersOf } from './layers.ts';
import { runReader } from './read-runs.ts';
import { restoredFiles } from './restored-files.ts';
import { restoreSmall, type SmallFilesOptions } from './small-files.ts';
import { named, wrongLength, type FileFate, type Waiting } from './waiting-file.ts';

export interface FileRestorerOptions {
  readonly repository: Repository;
  readonly target: TargetFolder;
  readonly outcome: Outcome;
  /** As the target has it. */
  readonly overwrite: Overwrite;
  /** Whether owners are restored, and count among what must be the same. */
  readonly owners: boolean;
  readonly fsync: boolean;
  /** Whether every file is read again once it is written. */
  readonly verify: boolean;
  /** Threads, `defaultJobs()` unless given; with 1 there are none beside this one. */
  readonly jobs?: number | undefined;
  /** Bytes from which threads are started. */
  readonly threadsFrom?: number | undefined;
  readonly threads?: Threads | undefined;
  /** Hears of bytes of a file that are done with, and at its end of the file itself. */
  readonly onProgress: (progress: { readonly path: ByteString; readonly bytes: number; readonly files: 0 | 1 }) => void;
}

export interface FileRestorer {
  /**
   * Takes a file, which is restored by `flush` at the latest. To be awaited where it gives a promise. Errors, of this file or
   * another: those that no other file would escape either.
   */
  add(path: ByteString, entry: FileEntry, onDone?: (fate: FileFate) => void): Promise<void> | undefined;
  flush(): Promise<void>;
  /** Ends what is under way, whatever it does. To be called before the target is closed. */
  close(): Promise<void>;
}

/** Files that wait for each other at most, their bytes, and their folders, which are open meanwhile. */
const batchFiles = 1024;
const batchBytes = 32 * 1024 * 1024;
const batchFolders = 128;
/** Large ones that wait for each other. */
const largeFiles = 64;
/** With fewer bytes and fewer files than these, starting threads takes longer than they save. */
const defaultThreadsFrom = 16 * 1024 * 1024;
const leastFiles = 256;

const emptyHash = sha256Hex(new Uint8Array(0));

export function fileRestorer(options: FileRestorerOptions): FileRestorer {
  const { repository, target, outcome, overwrite, owners, fsync, verify, jobs = defaultJobs(), onProgress } = options;
  const { threads, threadsFrom = defaultThreadsFrom } = options;
  const { readBlob, signal } = repository;
  const blobs = patientBlobs(repository);
  const { root, handles } = target;
  const setup: CheckoutSetup = { root, handles, overwrite, owners, fsync };
  const workers = crew({ task: 'checkout', handlers: checkoutTask, setup, jobs, threads, signal });
  if (threads !== undefined) workers.start();
  // One run for each thread, one that waits for it, and one that is being read.
  const runs = runReader(repository, jobs === 1 ? 1 : 2 * jobs + 1);
  const mayStay = overwrite !== 'never';

  const restored = restoredFiles(target, readBlob, signal);
  let large: Waiting[] = [];
  let batch: Waiting[] = [];
  let bytes = 0;
  let folders = new Set<ByteString>();
  const seen = { files: 0, bytes: 0 };
  let number = 0;
  const under = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;

  const small: SmallFilesOptions = {
    crew: workers,
    runs,
    blobs,
    target,
    outcome,
    attempt: attemptNow,
    onWritten: written,
    onKept: kept,
    writeHere: writeSmall,
    failed: ({ path }, error) => named(path, error),
  };

  return {
    add(path, entry, onDone) {
      throwIfInterrupted(signal, 'checking out');
      let rest = entry.size;
      const one: Waiting = {
        path,
        entry,
        proceeded(of) {
          rest -= of;
          onProgress({ path, bytes: of, files: 0 });
        },
        done(fate) {
          onProgress({ path, bytes: rest, files: 1 });
          onDone?.(fate);
        },
      };
      seen.files += 1;
      seen.bytes += entry.size;
      if (seen.bytes >= threadsFrom || seen.files >= leastFiles) workers.start();
      return mayStay ? addUnlessThere(one) : addMissing(one);
    },

    async flush() {
      await beginBatch();
      await restoreLargeOnes();
      await settle(0);
    },

    async close() {
      await workers.close();
      await Promise.all(under);
      restored.clear();
    },
  };

  async function addUnlessThere(one: Waiting): Promise<void> {
    let isUnchanged = false;
    const isKnown = await attempt(one, async () => {
      isUnchanged = await isThere(one.path, one.entry);
    });
    if (!isKnown) return;
    if (isUnchanged) {
      outcome.unchanged += 1;
      one.done('unchanged');
    } else await addMissing(one);
  }

  /** Most files wait for others: for them nothing is to be awaited here. */
  function addMissing(one: Waiting): Promise<void> | undefined {
    const { path, entry } = one;
    if (entry.chunks !== undefined || (entry.size === 0 && entry.sha256 !== emptyHash)) {
      large.push(one);
      return large.length >= largeFiles ? restoreLargeOnes() : undefined;
    }
    batch.push(one);
    bytes += entry.size;
    folders.add(splitPath(path).directory);
    const isFull = batch.length >= batchFiles || bytes >= batchBytes || folders.size >= batchFolders;
    return isFull ? beginBatch() : undefined;
  }

  /** Starts `work` once fewer are under way than threads. Without threads it waits for it too. */
  async function begin(work: () => Promise<void>): Promise<void> {
    await settle(workers.size - 1);
    const one: Promise<void> = work()
      .catch((error: unknown) => void (failure ??= { error }))
      .finally(() => under.delete(one));
    under.add(one);
    if (workers.size === 1) await settle(0);
  }

  /** Waits until no more than `most` are under way. */
  async function settle(most: number): Promise<void> {
    while (under.size > most && failure === undefined) await Promise.race(under);
    if (failure !== undefined) throw failure.error;
  }

  async function beginBatch(): Promise<void> {
    const files = batch;
    batch = [];
    bytes = 0;
    folders = new Set();
    if (files.length > 0) await begin(() => restoreBatch(files));
  }

  async function restoreBatch(files: readonly Waiting[]): Promise<void> {
    const toVerify: Waiting[] = [];
    const onWritten = (one: Waiting): void => {
      written(one);
      if (verify) toVerify.push(one);
    };
    await restoreSmall(files, {
      ...small,
      onWritten,
      writeHere: (one, content) => writeSmall(one, content, onWritten),
    });
    for (const one of toVerify) await attempt(one, () => verifyFile(one));
  }

  /** The files that others may be built upon, then those: they find there what they need. */
  async function restoreLargeOnes(): Promise<void> {
    const files = large;
    large = [];
    const layers = await layersOf(files, { repository, signal });
    for (const [at, layer] of layers.entries()) {
      const isLast = at === layers.length - 1;
      for (const one of layer) {
        await begin(async () => {
          let isWritten = false;
          await attempt(one, async () => {
            isWritten = await restoreLarge(one);
          });
          if (isWritten && !isLast) await restored.add(one);
        });
      }
      if (layers.length > 1) await settle(0);
    }
    restored.clear();
  }

  /** Whether the file at `path` has the facts and, which alone proves it, the SHA-256 of `entry`. */
  async function isThere(path: ByteString, { size, mtime, mode, owner, sha256 }: FileEntry): Promise<boolean> {
    const there = target.look(path);
    if (there?.kind !== 'file' || there.size !== size || !isSameTime(there.mtime, mtime) || there.mode !== mode)
      return false;
    if (owners && (there.owner[0] !== owner[0] || there.owner[1] !== owner[1])) return false;
    return (await hashTargetFile(target, path, signal)) === sha256;
  }

  function beginFile(one: Waiting): TargetFile | undefined {
    const file = target.file(one.path, { ...one.entry, sparse: one.entry.sparse === true });
    if (file === undefined) kept(one);
    return file;
  }

  function writeSmall(one: Waiting, content: Uint8Array, onWritten = written): void {
    const { path, entry } = one;
    if (content.byteLength !== entry.size) throw wrongLength(path, entry.sha256, content.byteLength, entry.size);
    const file = beginFile(one);
    if (file === undefined) return;
    try {
      file.write(content, 0); // the blob's id, which was checked, is the SHA-256 of the file
      file.finish();
    } catch (error) {
      file.abort();
      throw error;
    }
    onWritten(one);
  }

  /** False where what is there stays. */
  async function restoreLarge(one: Waiting): Promise<boolean> {
    const file = beginFile(one);
    if (file === undefined) return false;
    try {
      number += 1;
      const { placeOf } = restored;
      await writeLarge(one, file, { number, crew: workers, runs, blobs, placeOf, readBlob, fsync, signal });
      file.finish();
    } catch (error) {
      file.abort();
      throw error;
    }
    written(one);
    if (verify) await verifyFile(one);
    return true;
  }

  async function verifyFile({ path, entry }: Waiting): Promise<void> {
    const found = await hashTargetFile(target, path, signal);
    outcome.verified += 1;
    if (found === entry.sha256) return;
    throw new MbkError('target-failed', `${displayBytes(path)} reads back otherwise than it was written`, {
      details: { path: displayBytes(path), expected: entry.sha256, found },
      remedy: 'Check the disk of the target, then run the checkout again with `--overwrite always`.',
    });
  }

  function written({ entry, done }: Waiting): void {
    outcome.files += 1;
    outcome.bytes += entry.size;
    done('written');
  }

  function kept({ path, done }: Waiting): void {
    noteKept(outcome, path);
    done('kept');
  }

  /** Whether it went well. */
  async function attempt(one: Waiting, work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      fail(outcome, one.path, error);
      one.done('failed');
      return false;
    }
  }

  function attemptNow(one: Waiting, work: () => void): void {
    try {
      work();
    } catch (error) {
      fail(outcome, one.path, error);
      one.done('failed');
    }
  }
}
