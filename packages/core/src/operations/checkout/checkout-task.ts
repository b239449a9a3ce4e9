/**
 * The work of a checkout that any thread does: opens frames, checks blobs against their ids, and writes small files whole
 * and parts of large ones where they belong. What is not sound is said and left to the thread that asked, which looks for
 * another copy. Of large files the blobs need not be checked, since the hash of the file is (docs/decisions/0015).
 */
import { createHash, type Hash } from 'node:crypto';
import fs from 'node:fs';
import { readOpened } from '../../backend/read-opened.ts';
import { zeroBlock } from '../../chunker/zeros.ts';
import type { BoxParts } from '../../crypto/entry.ts';
import { releaseBytes } from '../../crypto/release-bytes.ts';
import { isMbkError } from '../../errors.ts';
import type { ByteString } from '../../format/byte-name.ts';
import type { BlobId } from '../../format/ids.ts';
import type { FrameRow } from '../../format/pack-footer.ts';
import type { PackRow } from '../../format/segment-rows.ts';
import type { Base } from '../../pack/base-frames.ts';
import { baseOpener, type BaseOpener } from '../../pack/base-opener.ts';
import { checkBlob, openFrameParts, openFrameRead } from '../../pack/open-pack.ts';
import { pieceMemory } from '../../pack/piece-memory.ts';
import { isDamage } from '../../pack/read-twice.ts';
import { Handover, type Handlers } from '../../pool/channel.ts';
import { recordOf, type ErrorRecord } from '../../pool/error-record.ts';
import { filePlacer, type PlaceFile, type Placed, type PlaceOptions } from '../../snapshot/place-file.ts';
import { locateHeld } from '../../snapshot/target-directories.ts';
import type { OnRefusedFact } from '../../snapshot/target-facts.ts';
import { writeWithin } from '../../snapshot/target-file.ts';
import { unpackFiles, unpackSmallJob, type SmallColumns, type SmallFile, type SmallJob } from './small-columns.ts';

export interface CheckoutSetup extends PlaceOptions {
  /** Of the target, as `TargetFolder` has them. */
  readonly root: ByteString;
  readonly handles: boolean;
}

/** Some frames of a pack as they were read, and what is wanted of them. */
export interface FramesJob<Use> {
  readonly key: Uint8Array;
  readonly pack: PackRow;
  readonly bytes: RunBytes;
  readonly frames: readonly {
    readonly number: number;
    readonly frame: FrameRow;
    /** What it is built upon; none unless given. */
    readonly bases?: readonly Base[] | undefined;
    readonly blobs: readonly BlobUse<Use>[];
  }[];
}

/** The bytes of some frames: memory, which comes back with the answer, or the pack itself as an opened file. */
export type RunBytes =
  /** Holds the pack's bytes from `offset` on. */
  { readonly buffer: ArrayBuffer; readonly offset: number } | { readonly fd: number };

/** What a job of frames gives back: the memory that it was given. */
export interface FramesAnswer {
  readonly buffer: ArrayBuffer | undefined;
}

export interface BlobUse<Use> {
  readonly id: BlobId;
  /** Where it is in the frame. */
  readonly offset: number;
  readonly length: number;
  readonly use: Use;
}

/** What became of a file; `bad` where its blob is not sound. */
export type SmallFate = Placed | 'bad' | { readonly error: ErrorRecord };

export interface FilesAnswer {
  /** What became of all files but those that were written, by their numbers in the job. */
  readonly others: ReadonlyMap<number, SmallFate>;
  readonly refused: readonly RefusedFact[];
}

export interface SmallAnswer extends FilesAnswer, FramesAnswer {}

/** A fact that the file system refused of the file of that number in the job. */
export interface RefusedFact {
  readonly file: number;
  readonly fact: Parameters<OnRefusedFact>[0];
  readonly errno: string;
}

/** Places where the bytes of a blob belong in a file. */
export interface PartsJob extends FramesJob<readonly Part[]> {
  readonly fd: number;
  /** Bytes of the file. */
  readonly size: number;
  /**
   * Whether every blob is checked against its id before anything of it is written. Else frames that authenticate are
   * written as they are decoded: for files whose own hash is checked before they take their names.
   */
  readonly isChecked: boolean;
}

export interface Part {
  readonly position: number;
  /** Bytes of the blob: `length` from `from` on. */
  readonly from: number;
  readonly length: number;
}

export interface PartsAnswer extends FramesAnswer {
  /** Blobs that are not sound, and are still to be written. */
  readonly bad: readonly BlobId[];
}

/** Bytes of a file, the next of what is hashed as number `hash`: read from `fd`, or zeros without one. */
export interface HashJob {
  readonly hash: number;
  readonly fd?: number;
  readonly position: number;
  readonly length: number;
}

/** The next piece of a quantised tensor begins in what the last one ended in. */
const keptPieces = 2;

/** What is read back stays in the cache of a processor while it is hashed. */
const readBytes = 131_072;

export function checkoutTask({ root, handles, ...options }: CheckoutSetup): Handlers {
  const locate = locateHeld(root, handles);
  const hashes = new Map<number, Hash>();
  const opener = baseOpener(keptPieces, pieceMemory(keptPieces));
  let buffer: Uint8Array | undefined;

  /** Takes files one after the other, in the order of the job, with the content of each, undefined where it is not sound. */
  const placeFiles = (): { take(file: SmallFile, content: Uint8Array | undefined): void; answer: FilesAnswer } => {
    const place: PlaceFile = filePlacer(options);
    const others = new Map<number, SmallFate>();
    const refused: RefusedFact[] = [];
    let number = 0;
    const onRefused: OnRefusedFact = (fact, errno) => refused.push({ file: number, fact, errno });
    const placeOne = (file: SmallFile, content: Uint8Array): SmallFate => {
      try {
        return content.byteLength === file.size ? place(locate(file.place), file, content, onRefused) : 'bad';
      } catch (error) {
        return { error: recordOf(error) };
      }
    };
    return {
      take(file, content) {
        const fate = content === undefined ? 'bad' : placeOne(file, content);
        if (fate !== 'written') others.set(number, fate);
        number += 1;
      },
      answer: { others, refused },
    };
  };

  const hashRange = (hash: Hash, fd: number, position: number, length: number): boolean => {
    buffer ??= new Uint8Array(readBytes);
    for (let done = 0; done < length;) {
      const count = fs.readSync(fd, buffer, 0, Math.min(readBytes, length - done), position + done);
      if (count === 0) return false;
      hash.update(buffer.subarray(0, count));
      done += count;
    }
    return true;
  };

  return {
    small(job: SmallJob) {
      const { take, answer } = placeFiles();
      eachBlob(unpackSmallJob(job), opener, (content, files) => {
        for (const file of files) take(file, content);
      });
      return back(job, answer);
    },

    parts(job: PartsJob) {
      const bad: BlobId[] = [];
      if (job.isChecked) {
        eachBlob(job, opener, (content, parts, id) => {
          if (content === undefined) bad.push(id);
          else {
            for (const { position, from, length } of parts)
              writeWithin(job.fd, job.size, content.subarray(from, from + length), position);
          }
        });
      } else writeFrames(job, opener, (ids) => bad.push(...ids));
      return back(job, { bad });
    },

    /** Empty files. */
    empty(files: SmallColumns) {
      const { take, answer } = placeFiles();
      const content = new Uint8Array(0);
      for (const file of unpackFiles(files)) take(file, content);
      return answer satisfies FilesAnswer;
    },

    /** False when the file ends before. */
    hash({ hash: number, fd, position, length }: HashJob) {
      const hash = hashes.get(number) ?? createHash('sha256');
      hashes.set(number, hash);
      if (fd !== undefined) return hashRange(hash, fd, position, length);
      for (let left = length; left > 0; left -= zeroBlock.length)
        hash.update(zeroBlock.subarray(0, Math.min(left, zeroBlock.length)));
      return true;
    },

    /** SHA-256, in hex, of all that was hashed under that number, which is free afterwards. */
    digest(number: number) {
      const hash = hashes.get(number) ?? createHash('sha256');
      hashes.delete(number);
      return hash.digest('hex');
    },

    sync: (fd: number) => fs.fsyncSync(fd),
  };
}

/** The answer of a job with the memory that it was given. */
function back<Answer extends object>({ bytes }: Pick<FramesJob<unknown>, 'bytes'>, answer: Answer): Handover {
  const buffer = 'buffer' in bytes ? bytes.buffer : undefined;
  return new Handover({ buffer, ...answer } satisfies Answer & FramesAnswer, buffer === undefined ? [] : [buffer]);
}

/** The boxes of a job. */
function boxesOf({ bytes, pack }: Pick<FramesJob<unknown>, 'bytes' | 'pack'>): (frame: FrameRow) => BoxParts {
  const opened = 'fd' in bytes ? readOpened(bytes.fd, pack.size) : undefined;
  return ({ offset, boxLength: byteLength }) => ({
    byteLength,
    read: (at, length) => opened?.read(offset + at, length) ?? inMemory(bytes, offset + at, length),
  });
}

function inMemory(bytes: RunBytes, offset: number, length: number): Uint8Array {
  if (!('buffer' in bytes)) throw new TypeError('expected bytes in memory');
  return new Uint8Array(bytes.buffer, offset - bytes.offset, length);
}

/** Writes the parts of a job as its frames are decoded; `onBad` hears the blobs of frames that cannot be opened. */
function writeFrames(job: PartsJob, opener: BaseOpener, onBad: (ids: readonly BlobId[]) => void): void {
  const boxOf = boxesOf(job);
  for (const { number, frame, blobs, bases } of job.frames) {
    const spans = blobs.flatMap(({ offset, use }) =>
      use.map(({ position, from, length }) => ({ position, from: offset + from, to: offset + from + length })),
    );
    const take = (bytes: Uint8Array, offset: number): void => {
      const end = offset + bytes.byteLength;
      for (const { position, from, to } of spans) {
        const [first, last] = [Math.max(from, offset), Math.min(to, end)];
        if (first < last)
          writeWithin(job.fd, job.size, bytes.subarray(first - offset, last - offset), position + first - from);
      }
    };
    const isOpened = orDamaged(() => {
      const open = (below: readonly Uint8Array[]): void =>
        openFrameParts(job.key, job.pack, number, frame, { box: boxOf(frame), take, bases: below });
      opener.use(bases, open, { isChecked: false });
      return true;
    });
    if (isOpened === undefined) onBad(blobs.map(({ id }) => id));
  }
}

/** Calls `use` with each blob of a job in its order, undefined where it is not sound. */
function eachBlob<Use>(
  job: FramesJob<Use>,
  opener: BaseOpener,
  use: (content: Uint8Array | undefined, use: Use, id: BlobId) => void,
): void {
  const { key, pack, frames } = job;
  const boxOf = boxesOf(job);
  for (const { number, frame, blobs, bases } of frames) {
    const plain = orDamaged(() =>
      opener.use(bases, (below) => openFrameRead(key, pack, number, frame, boxOf(frame), below)),
    );
    for (const { id, offset: from, length, use: how } of blobs) {
      const content =
        plain &&
        orDamaged(() => {
          const bytes = plain.subarray(from, from + length);
          checkBlob(id, bytes, pack, number);
          return bytes;
        });
      use(content, how, id);
    }
    if (plain !== undefined) releaseBytes(plain);
  }
}

function orDamaged<T>(open: () => T): T | undefined {
  try {
    return open();
  } catch (error) {
    // What a thread cannot read is read again by the thread that asked, which explains it.
    if (isDamage(error) || isMbkError(error, 'codec-unknown', 'backend-failed')) return undefined;
    throw error;
  }
}
