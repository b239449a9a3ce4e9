/** Checks whole packs in a thread of their own: `checkPack`, with answers that cross to another thread. */
import { readOpened } from '../../backend/read-opened.ts';
import { independentSha256, platformSha256 } from '../../crypto/hash.ts';
import type { Keys } from '../../crypto/keyset.ts';
import type { BlobId, PackId, PackKind } from '../../format/ids.ts';
import { isMbkError } from '../../errors.ts';
import type { BaseBox, Base } from '../../pack/base-frames.ts';
import { boxIn } from '../../pack/open-bases.ts';
import { baseOpener } from '../../pack/base-opener.ts';
import { type BasedFrame, checkBased, checkPack, type PackBytes, type PackProblem } from '../../pack/check-pack.ts';
import type { PackContents } from '../../pack/pack-contents.ts';
import { Handover, type Handlers } from '../../pool/channel.ts';
import { recordOf, type ErrorRecord } from '../../pool/error-record.ts';

export interface CheckPackSetup {
  readonly keys: Keys;
  /** Whether hashes are computed by a second, independent implementation. */
  readonly independent: boolean;
}

export interface CheckPackJob {
  readonly kind: PackKind;
  readonly id: PackId;
  /** All of the pack are its first `length` bytes. It comes back with the answer. */
  readonly buffer: ArrayBuffer;
  readonly length: number;
}

/** A pack that the thread reads itself. */
export interface CheckOpenedJob {
  readonly kind: PackKind;
  readonly id: PackId;
  readonly fd: number;
  /** Bytes. */
  readonly size: number;
}

/** Frames that are built upon others, one after the other as they are built upon the same. */
export interface CheckBasedJob {
  readonly frames: readonly BasedJob[];
}

export interface BasedJob extends Omit<BasedFrame, 'box'> {
  readonly box: Uint8Array | BaseBox;
  readonly bases: readonly Base[];
  /** Whether others are built upon it. */
  readonly isNeeded: boolean;
}

export interface CheckedOpened {
  readonly contents: PackContents | undefined;
  readonly problems: readonly CheckedProblem[];
  /** Frames that are built upon others, and still to be checked. */
  readonly based: readonly number[];
}

export interface CheckedPack extends CheckedOpened {
  readonly buffer: ArrayBuffer;
}

export interface CheckedProblem {
  readonly error: ErrorRecord;
  readonly frame: number | undefined;
  readonly blobs: readonly BlobId[];
}

/** Four pieces make one of Q4_0, and each of them may be the difference to an older one. */
const keptPieces = 4;

export function checkPackTask({ keys, independent }: CheckPackSetup): Handlers {
  const sha256 = independent ? independentSha256 : platformSha256;
  const opener = baseOpener(keptPieces);

  const check = (pack: Uint8Array | PackBytes, { kind, id }: Pick<CheckPackJob, 'kind' | 'id'>): CheckedOpened => {
    const { contents, problems, based } = checkPack(pack, { kind, id, keys, sha256 });
    return { contents, problems: problems.map(asRecord), based };
  };

  const isSound = ({ bases, isNeeded, box, ...of }: BasedJob): boolean => {
    const { row, frame } = of;
    const [blob, ...others] = frame.blobs;
    const plain = isNeeded && others.length === 0 ? new Uint8Array(frame.plainLength) : undefined;
    const problem = opener.use(bases, (below) =>
      checkBased({ ...of, box: boxIn(box, row, frame) }, below, {
        sha256,
        take: plain && ((bytes, offset) => plain.set(bytes, offset)),
      }),
    );
    if (problem === undefined && plain !== undefined && blob !== undefined) opener.add(blob.id, plain);
    return problem === undefined;
  };

  return {
    check(job: CheckPackJob) {
      const { buffer, length } = job;
      const checked = check(new Uint8Array(buffer, 0, length), job);
      return new Handover({ ...checked, buffer } satisfies CheckedPack, [buffer]);
    },

    checkOpened: (job: CheckOpenedJob) => check(readOpened(job.fd, job.size), job),

    /** Whether each is sound; false too where what it is built upon cannot be opened. */
    checkBased({ frames }: CheckBasedJob): readonly boolean[] {
      return frames.map((frame) => {
        try {
          return isSound(frame);
        } catch (error) {
          if (isMbkError(error)) return false;
          throw error;
        }
      });
    },
  };
}

function asRecord({ error, frame, blobs }: PackProblem): CheckedProblem {
  return { error: recordOf(error), frame, blobs };
}
