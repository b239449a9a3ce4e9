/** Checks whole packs in a thread of their own: `checkPack`, with answers that cross to another thread. */
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import type { Keys } from '../../crypto/keyset.ts';
import { toHex } from '../../format/bytes.ts';
import type { BlobId, PackId, PackKind } from '../../format/ids.ts';
import { checkPack } from '../../pack/check-pack.ts';
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

export interface CheckedPack {
  readonly contents: PackContents | undefined;
  readonly problems: readonly CheckedProblem[];
  readonly buffer: ArrayBuffer;
}

export interface CheckedProblem {
  readonly error: ErrorRecord;
  readonly frame: number | undefined;
  readonly blobs: readonly BlobId[];
}

export function checkPackTask({ keys, independent }: CheckPackSetup): Handlers {
  const hash = independent ? (bytes: Uint8Array): string => toHex(nobleSha256(bytes)) : undefined;
  return {
    check({ kind, id, buffer, length }: CheckPackJob) {
      const { contents, problems: found } = checkPack(new Uint8Array(buffer, 0, length), { kind, id, keys, hash });
      const problems = found.map(({ error, frame, blobs }) => ({ error: recordOf(error), frame, blobs }));
      return new Handover({ contents, problems, buffer } satisfies CheckedPack, [buffer]);
    },
  };
}
