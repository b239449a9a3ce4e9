/**
 * A file of many blobs, spread over all threads: each decodes and writes what it got where it belongs. One of them reads
 * the file back in its order, behind the others, since its SHA-256 cannot be shared out; what was written a moment ago
 * is still in memory, so this costs a third of the hashing itself, and also proves what the file system took.
 */
import { setImmediate } from 'node:timers/promises';
import { throwIfInterrupted } from '../../backend/interrupted.ts';
import { displayBytes } from '../../format/byte-name.ts';
import { MbkError } from '../../errors.ts';
import type { BlobId } from '../../format/ids.ts';
import { parameters } from '../../format/limits.ts';
import type { PlaceOf } from '../../pack/base-frames.ts';
import type { Crew } from '../../pool/crew.ts';
import type { ReadBlob } from '../../snapshot/blobs.ts';
import { readChunks, type PlacedChunk } from '../../snapshot/chunk-list-reader.ts';
import { inTarget } from '../../snapshot/target-error.ts';
import type { TargetFile } from '../../snapshot/target-folder.ts';
import type { FramesJob, HashJob, Part, PartsAnswer, PartsJob } from './checkout-task.ts';
import type { PatientBlobs } from './patient-blobs.ts';
import { buffersOf, type RunReader } from './read-runs.ts';
import { named, wrongLength, type Waiting } from './waiting-file.ts';

export interface LargeFileOptions {
  /** Another one for each file, for the thread that keeps its hash. */
  readonly number: number;
  readonly crew: Crew;
  readonly runs: RunReader;
  readonly blobs: PatientBlobs;
  /** Where blobs lie in files that were restored before. */
  readonly placeOf: PlaceOf;
  readonly readBlob: ReadBlob;
  /** Whether it is on the disk itself before it takes its name. */
  readonly fsync: boolean;
  readonly signal: AbortSignal | undefined;
}

/** Blobs of one window, and its chunks, of which many may be slices of one blob. */
const windowBytes = 32 * 1024 * 1024;
const windowChunks = 16_384;
/** Windows of a file that are written and not yet hashed; what they hold is in the file and not in memory. */
const windowsAhead = 3;

interface PassOptions extends LargeFileOptions {
  /** Whether every blob is checked against its id. */
  readonly isChecked: boolean;
}

/**
 * Writes the bytes of the file of `one` and proves them by its SHA-256. Only where that is not the one are the blobs
 * hashed too, in a second pass, which takes those that are wrong from other copies. When it rejects, no thread uses the
 * file any more.
 */
export async function writeLarge(one: Waiting, file: TargetFile, options: LargeFileOptions): Promise<void> {
  const { path, entry } = one;
  let found = await writeAndHash(one, file, { ...options, isChecked: false });
  if (found !== entry.sha256) found = await writeAndHash(one, file, { ...options, isChecked: true });
  if (found !== entry.sha256) {
    throw new MbkError('entry-damaged', `the chunks of ${displayBytes(path)} do not have the SHA-256 of the file`, {
      details: { path: displayBytes(path), expected: entry.sha256, found },
    });
  }
  if (options.fsync) await inFile(one, options.crew.run('sync', file.fd));
}

/** Writes all bytes of the file; the SHA-256, in hex, of what it reads back. */
async function writeAndHash(one: Waiting, file: TargetFile, options: PassOptions): Promise<string> {
  const { crew, readBlob, signal } = options;
  const { entry } = one;
  const hasher: Hasher = { number: options.number, place: crew.place() };
  const under = new Set<Promise<unknown>>();
  const track = <T>(work: Promise<T>): Promise<T> => {
    const tracked: Promise<unknown> = work.catch(() => undefined).finally(() => under.delete(tracked));
    under.add(tracked);
    return work;
  };
  try {
    const inTurn: Promise<void>[] = [];
    for await (const window of windowsOf(readChunks(readBlob, entry, { signal }))) {
      throwIfInterrupted(signal, 'checking out');
      const before = inTurn.at(-1);
      const written = track(writeWindow(one, file, window, options));
      inTurn.push(
        track(
          (async () => {
            await before;
            await written;
            await hashWindow(one, file, window, { ...options, hasher });
            one.proceeded(window.reduce((sum, { length }) => sum + length, 0));
          })(),
        ),
      );
      if (inTurn.length >= windowsAhead) await inTurn.shift();
    }
    for (const window of inTurn) await window;
    return (await crew.run('digest', hasher.number, { place: hasher.place })) as string;
  } catch (error) {
    while (under.size > 0) await Promise.all(under);
    await crew.run('digest', hasher.number, { place: hasher.place }).catch(() => undefined); // frees it
    throw error;
  }
}

/** Writes all blobs of a window; the zeros of it are written by `hashWindow`. */
async function writeWindow(
  one: Waiting,
  file: TargetFile,
  window: readonly PlacedChunk[],
  { crew, runs, blobs, placeOf, signal, isChecked }: PassOptions,
): Promise<void> {
  const parts = new Map<BlobId, ChunkPart[]>();
  for (const chunk of window) {
    if (chunk.kind === 'zero') continue;
    const { id, kind, position, length } = chunk;
    const of = parts.get(id) ?? [];
    parts.set(id, of);
    of.push({ position, from: kind === 'slice' ? chunk.offset : 0, length, isWhole: kind === 'blob' });
  }
  const checkFits = (id: BlobId, blobLength: number): void => {
    for (const { from, length, isWhole } of parts.get(id) ?? []) {
      const end = from + length;
      if (isWhole ? end !== blobLength : end > blobLength) throw wrongLength(one.path, id, blobLength, end);
    }
  };
  const bad: BlobId[] = [];
  const write = async (frames: FramesJob<readonly ChunkPart[]>): Promise<PartsAnswer> => {
    for (const { blobs: found } of frames.frames) for (const { id, length } of found) checkFits(id, length);
    const job: PartsJob = { ...frames, fd: file.fd, size: one.entry.size, isChecked };
    const answer = (await inFile(one, crew.run('parts', job, { buffers: buffersOf(job) }))) as PartsAnswer;
    bad.push(...answer.bad);
    return answer;
  };
  // Once the hash of the file was not the one, nothing is taken for what it was.
  const missing = await runs.each(parts, write, isChecked ? {} : { placeOf });
  if (missing.length + bad.length === 0) return;
  // Damaged copies have others, and packs move.
  await blobs.read(
    [...missing, ...bad],
    (id, blob) => {
      throwIfInterrupted(signal, 'checking out');
      checkFits(id, blob.byteLength);
      for (const { position, from, length } of parts.get(id) ?? [])
        file.write(blob.subarray(from, from + length), position);
    },
    (_, error) => {
      throw named(one.path, error);
    },
  );
}

interface ChunkPart extends Part {
  /** Whether it is to be all of its blob. */
  readonly isWhole: boolean;
}

interface Hasher {
  readonly number: number;
  readonly place: number;
}

/** Hashes the bytes of a window, and writes its zeros. They may be many: what takes long can be interrupted. */
async function hashWindow(
  one: Waiting,
  file: TargetFile,
  window: readonly PlacedChunk[],
  { crew, hasher, signal }: LargeFileOptions & { readonly hasher: Hasher },
): Promise<void> {
  const hash = async (range: Omit<HashJob, 'hash'>): Promise<void> => {
    const job: HashJob = { hash: hasher.number, ...range };
    if ((await inFile(one, crew.run('hash', job, { place: hasher.place }))) === true) return;
    throw new MbkError('target-failed', `${displayBytes(one.path)} reads back shorter than it was written`, {
      details: { path: displayBytes(one.path) },
    });
  };
  for (const { isZero, position, length } of rangesOf(window)) {
    for (let done = 0; done < length;) {
      const part = Math.min(length - done, windowBytes);
      if (isZero) {
        file.zeros(position + done, part);
        await setImmediate();
        throwIfInterrupted(signal, 'checking out');
        await hash({ position: position + done, length: part });
      } else await hash({ fd: file.fd, position: position + done, length: part });
      done += part;
    }
  }
}

/** Neighbours in one. */
function rangesOf(
  window: readonly PlacedChunk[],
): readonly { readonly isZero: boolean; readonly position: number; readonly length: number }[] {
  const ranges: { isZero: boolean; position: number; length: number }[] = [];
  for (const { kind, position, length } of window) {
    const isZero = kind === 'zero';
    const last = ranges.at(-1);
    if (last?.isZero === isZero) last.length += length;
    else ranges.push({ isZero, position, length });
  }
  return ranges;
}

/** What a job gives; a system error in it says of which file. */
async function inFile<T>({ path }: Waiting, job: Promise<T>): Promise<T> {
  try {
    return await job;
  } catch (error) {
    return inTarget(path, 'writing', () => {
      throw error;
    });
  }
}

/** Chunks in the order of the file, in runs whose blobs are about `windowBytes`. */
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
