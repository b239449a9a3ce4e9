/** Checks whole packs in a thread of their own: `checkPack`, with answers that cross to another thread. */
import { readOpened } from '../../backend/read-opened.ts';
import { independentSha256, platformSha256 } from '../../crypto/hash.ts';
import type { Keys } from '../../crypto/keyset.ts';
import type { BlobId, PackId, PackKind } from '../../format/ids.ts';
import { isMbkError } from '../../errors.ts';
import { openBases, type BaseFrame } from '../../pack/base-frames.ts';
import { type BasedFrame, checkBased, checkPack, type PackBytes, type PackProblem } from '../../pack/check-pack.ts';
import { frameCache } from '../../pack/frame-cache.ts';
import { isDamage } from '../../pack/read-twice.ts';
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

/** A frame that is built upon others. */
export interface CheckBasedJob extends BasedFrame {
  readonly bases: readonly BaseFrame[];
}

export interface CheckedBased {
  readonly problem: CheckedProblem | undefined;
  /** Whether what it is built upon could not be opened, so that nothing is known of it. */
  readonly isBaseBad: boolean;
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

/** Of blobs that frames are built upon. */
const baseCacheBytes = 16_777_216;

export function checkPackTask({ keys, independent }: CheckPackSetup): Handlers {
  const sha256 = independent ? independentSha256 : platformSha256;

  const check = (pack: Uint8Array | PackBytes, { kind, id }: Pick<CheckPackJob, 'kind' | 'id'>): CheckedOpened => {
    const { contents, problems, based } = checkPack(pack, { kind, id, keys, sha256 });
    return { contents, problems: problems.map(asRecord), based };
  };
  const cache = frameCache(baseCacheBytes);

  return {
    check(job: CheckPackJob) {
      const { buffer, length } = job;
      const checked = check(new Uint8Array(buffer, 0, length), job);
      return new Handover({ ...checked, buffer } satisfies CheckedPack, [buffer]);
    },

    checkOpened: (job: CheckOpenedJob) => check(readOpened(job.fd, job.size), job),

    checkBased({ bases, ...frame }: CheckBasedJob): CheckedBased {
      let below: readonly Uint8Array[];
      try {
        below = openBases(bases, cache);
      } catch (error) {
        if (!isDamage(error) && !isMbkError(error, 'codec-unknown')) throw error;
        return { problem: undefined, isBaseBad: true };
      }
      const problem = checkBased(frame, below, sha256);
      return { problem: problem && asRecord(problem), isBaseBad: false };
    },
  };
}

function asRecord({ error, frame, blobs }: PackProblem): CheckedProblem {
  return { error: recordOf(error), frame, blobs };
}
