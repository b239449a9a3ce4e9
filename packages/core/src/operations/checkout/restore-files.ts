/**
 * Writes files out. No damaged byte is ever restored as good: every blob is checked against its id and the whole file
 * against its SHA-256 before it takes its name; a file that does not pass is not written at all, and the rest goes on.
 *
 * Small files are gathered, so that the many that share a frame cost one decoding; of a large one, at most `windowBytes`
 * of blobs are in memory.
 */
import { createHash, type Hash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { throwIfInterrupted } from '../../backend/interrupted.ts';
import { zeroBlock } from '../../chunker/zeros.ts';
import { MbkError } from '../../errors.ts';
import { displayBytes, type ByteString } from '../../format/byte-name.ts';
import type { BlobId } from '../../format/ids.ts';
import { parameters } from '../../format/limits.ts';
import type { FileEntry } from '../../format/tree.ts';
import type { Repository } from '../../repository.ts';
import { readChunks, type PlacedChunk } from '../../snapshot/chunk-list-reader.ts';
import { isSameTime } from '../../snapshot/file-time.ts';
import type { TargetFile, TargetFolder } from '../../snapshot/target-folder.ts';
import { hashTargetFile } from './hash-target.ts';
import { fail, type Outcome } from './outcome.ts';
import { patientBlobs } from './patient-blobs.ts';

export interface FileRestorerOptions {
  readonly repository: Repository;
  readonly target: TargetFolder;
  readonly outcome: Outcome;
  /** Whether files that are there may stay when they are the same. */
  readonly mayStay: boolean;
  /** Whether owners count among what must be the same. */
  readonly owners: boolean;
  /** Whether every file is read again once it is written. */
  readonly verify: boolean;
  readonly onFile: (path: ByteString) => void;
}

/** What became of a file: only of the first two are the bytes in the target those of the snapshot. */
export type FileFate = 'written' | 'unchanged' | 'kept' | 'failed';

export interface FileRestorer {
  /** Restores a file, at once or with `flush`. */
  add(path: ByteString, entry: FileEntry, onDone?: (fate: FileFate) => void): Promise<void>;
  flush(): Promise<void>;
}

/** Files that wait for each other at most, and their bytes. */
const batchFiles = 4096;
const batchBytes = 64 * 1024 * 1024;
/** Blobs of one large file in memory, and its chunks, of which many may be slices of one blob. */
const windowBytes = 32 * 1024 * 1024;
const windowChunks = 16_384;

interface Waiting {
  readonly path: ByteString;
  readonly entry: FileEntry;
  readonly done: (fate: FileFate) => void;
}

export function fileRestorer(options: FileRestorerOptions): FileRestorer {
  const { repository, target, outcome, mayStay, owners, verify, onFile } = options;
  const { readBlob, signal } = repository;
  const blobs = patientBlobs(repository);
  let batch: Waiting[] = [];
  let bytes = 0;

  return {
    async add(path, entry, onDone = () => undefined) {
      throwIfInterrupted(signal, 'checking out');
      const done = (fate: FileFate): void => {
        onFile(path);
        onDone(fate);
      };
      const one = { path, entry, done };
      await attempt(one, async () => {
        if (await isThere(path, entry)) {
          outcome.unchanged += 1;
          done('unchanged');
        } else if (entry.size === 0 || entry.chunks !== undefined) await writeLarge(one);
        else {
          batch.push(one);
          bytes += entry.size;
        }
      });
      if (batch.length >= batchFiles || bytes >= batchBytes) await flush();
    },
    flush,
  };

  async function flush(): Promise<void> {
    const byBlob = Map.groupBy(batch, ({ entry }) => entry.sha256);
    const toVerify: Waiting[] = [];
    batch = [];
    bytes = 0;
    await blobs.read(
      byBlob.keys(),
      (id, content) => {
        for (const one of byBlob.get(id) ?? []) {
          attemptNow(one, () => {
            if (writeSmall(one, content) && verify) toVerify.push(one);
          });
        }
      },
      (id, error) => {
        for (const one of byBlob.get(id) ?? []) {
          attemptNow(one, () => {
            throw named(one.path, error);
          });
        }
      },
    );
    for (const one of toVerify) await attempt(one, () => verifyFile(one));
  }

  /** Whether the file at `path` has the facts and, which alone proves it, the SHA-256 of `entry`. */
  async function isThere(path: ByteString, { size, mtime, mode, owner, sha256 }: FileEntry): Promise<boolean> {
    if (!mayStay) return false;
    const there = target.look(path);
    if (there?.kind !== 'file' || there.size !== size || !isSameTime(there.mtime, mtime) || there.mode !== mode)
      return false;
    if (owners && (there.owner[0] !== owner[0] || there.owner[1] !== owner[1])) return false;
    return (await hashTargetFile(target, path, signal)) === sha256;
  }

  function begin({ path, entry, done }: Waiting): TargetFile | undefined {
    const file = target.file(path, { ...entry, sparse: entry.sparse === true });
    if (file !== undefined) return file;
    outcome.kept += 1;
    done('kept');
    return undefined;
  }

  /** Whether it was written. */
  function writeSmall(one: Waiting, content: Uint8Array): boolean {
    const { path, entry } = one;
    if (content.byteLength !== entry.size) throw wrongLength(path, entry.sha256, content.byteLength, entry.size);
    const file = begin(one);
    if (file === undefined) return false;
    try {
      file.write(content, 0); // the blob's id, which was checked, is the SHA-256 of the file
      file.finish();
    } catch (error) {
      file.abort();
      throw error;
    }
    written(one);
    return true;
  }

  async function writeLarge(one: Waiting): Promise<void> {
    const file = begin(one);
    if (file === undefined) return;
    const { path, entry } = one;
    try {
      const hash = createHash('sha256');
      for await (const window of windowsOf(readChunks(readBlob, entry, { signal })))
        await writeWindow(file, path, window, hash);
      const found = hash.digest('hex');
      if (found !== entry.sha256) {
        throw new MbkError('entry-damaged', `the chunks of ${displayBytes(path)} do not have the SHA-256 of the file`, {
          details: { path: displayBytes(path), expected: entry.sha256, found },
        });
      }
      file.finish();
    } catch (error) {
      file.abort();
      throw error;
    }
    written(one);
    if (verify) await verifyFile(one);
  }

  async function writeWindow(
    file: TargetFile,
    path: ByteString,
    window: readonly PlacedChunk[],
    hash: Hash,
  ): Promise<void> {
    throwIfInterrupted(signal, 'checking out');
    const content = new Map<BlobId, Uint8Array>();
    const ids = new Set(window.flatMap((chunk) => (chunk.kind === 'zero' ? [] : [chunk.id])));
    await blobs.read(
      ids,
      (id, blob) => content.set(id, blob),
      (_, error) => {
        throw named(path, error);
      },
    );
    for (const chunk of window) {
      if (chunk.kind === 'zero') {
        await writeZeros(file, chunk, hash);
        continue;
      }
      const blob = content.get(chunk.id);
      const offset = chunk.kind === 'slice' ? chunk.offset : 0;
      const fits =
        chunk.kind === 'slice' ? offset + chunk.length <= (blob?.byteLength ?? 0) : chunk.length === blob?.byteLength;
      if (blob === undefined || !fits) throw wrongLength(path, chunk.id, blob?.byteLength ?? 0, offset + chunk.length);
      const part = blob.subarray(offset, offset + chunk.length);
      hash.update(part);
      file.write(part, chunk.position);
    }
  }

  /** A run of zeros may claim any length: what takes long can be interrupted. */
  async function writeZeros(file: TargetFile, { position, length }: PlacedChunk, hash: Hash): Promise<void> {
    for (let done = 0; done < length;) {
      const part = Math.min(length - done, windowBytes);
      for (let left = part; left > 0; left -= zeroBlock.length)
        hash.update(zeroBlock.subarray(0, Math.min(left, zeroBlock.length)));
      file.zeros(position + done, part);
      done += part;
      await setImmediate();
      throwIfInterrupted(signal, 'checking out');
    }
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

  async function attempt<T>(one: Waiting, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      fail(outcome, one.path, error);
      one.done('failed');
      return undefined;
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

/** Chunks in the order of the file, in runs whose blobs fit in memory. */
async function* windowsOf(chunks: AsyncIterable<PlacedChunk>): AsyncGenerator<readonly PlacedChunk[]> {
  let window: PlacedChunk[] = [];
  let ids = new Set<BlobId>();
  let bytes = 0;
  for await (const chunk of chunks) {
    if (chunk.kind !== 'zero' && !ids.has(chunk.id)) {
      ids.add(chunk.id);
      // How large the blob of a slice is, the list does not say: writers make them of one piece.
      bytes += chunk.kind === 'blob' ? chunk.length : parameters.pieceBytes;
    }
    window.push(chunk);
    if (bytes < windowBytes && window.length < windowChunks) continue;
    yield window;
    window = [];
    ids = new Set();
    bytes = 0;
  }
  if (window.length > 0) yield window;
}

function wrongLength(path: ByteString, id: BlobId, found: number, expected: number): MbkError {
  const shown = displayBytes(path);
  return new MbkError('value-invalid', `${shown} needs ${expected} bytes of blob ${id}, which has ${found}`, {
    details: { path: shown, blob: id },
  });
}

function named(path: ByteString, error: MbkError): MbkError {
  return new MbkError(error.code, `${displayBytes(path)}: ${error.message}`, { details: error.details, cause: error });
}
