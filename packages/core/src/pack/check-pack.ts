/** Whether a whole pack is what was written: `mbk verify --data` (docs/format.md, Packs). */
import { releaseBytes } from '../crypto/release-bytes.ts';
import { headerBytes } from '../crypto/entry.ts';
import { sha256Hex } from '../crypto/hash.ts';
import type { Keys } from '../crypto/keyset.ts';
import { isMbkError, MbkError } from '../errors.ts';
import type { BlobId, PackId, PackKind } from '../format/ids.ts';
import { decodePackTrailer, type FooterFrame, packTrailerBytes } from '../format/pack-footer.ts';
import { checkBlob, checkPackSize, footerOffset, framesKey, openContents, openFrame } from './open-pack.ts';
import { type PackContents, packName } from './pack-contents.ts';
import { isDamage } from './read-twice.ts';

export interface PackCheck {
  /** Undefined when not even the footer can be read. */
  readonly contents: PackContents | undefined;
  /** Empty for a sound pack. */
  readonly problems: readonly PackProblem[];
}

export interface PackProblem {
  readonly error: MbkError;
  /** Number of the frame, where the problem is in one. */
  readonly frame?: number;
  /** Blobs whose copies in this pack cannot be used. */
  readonly blobs: readonly BlobId[];
}

export interface CheckPackOptions {
  readonly kind: PackKind;
  readonly id: PackId;
  readonly keys: Keys;
  /** SHA-256 in hex; that of the platform unless given. */
  readonly hash?: ((bytes: Uint8Array) => string) | undefined;
}

/**
 * Checks all bytes of a pack, which are used up by it: their SHA-256 is its name, header, footer and signature hold, every frame opens and
 * decodes, and every blob has the SHA-256 that is its id. Goes on after a damaged frame, to tell the extent.
 *
 * Errors: only those that say nothing about the pack (`role-denied`); damage is in the result.
 */
export function checkPack(bytes: Uint8Array, { kind, id, keys, hash = sha256Hex }: CheckPackOptions): PackCheck {
  const what = packName({ kind, id });
  const problems: PackProblem[] = [];
  const actual = hash(bytes);
  if (actual !== id) {
    const error = new MbkError('entry-damaged', `${what}: the SHA-256 of its bytes is ${actual}`, {
      details: { pack: id, actual },
    });
    problems.push({ error, blobs: [] });
  }
  let contents: PackContents;
  try {
    contents = contentsOf(bytes, kind, id, keys);
  } catch (error) {
    // In changed bytes a keyset that was not granted is a damaged header.
    const isHeaderDamage = actual !== id && isMbkError(error, 'role-denied');
    problems.push({ error: isHeaderDamage ? error : asDamage(error), blobs: [] });
    return { contents: undefined, problems };
  }
  const key = framesKey(contents.row, keys);
  contents.frames.forEach((frame, number) => {
    const problem = checkFrame(bytes, { key, contents, frame, number, hash });
    if (problem !== undefined) problems.push(problem);
  });
  return { contents, problems };
}

function contentsOf(bytes: Uint8Array, kind: PackKind, id: PackId, keys: Keys): PackContents {
  const what = packName({ kind, id });
  const size = bytes.byteLength;
  checkPackSize(size, what);
  const boxLength = decodePackTrailer(bytes.subarray(-packTrailerBytes), what);
  const boxOffset = footerOffset(size, boxLength, what);
  const footerBox = bytes.subarray(boxOffset, boxOffset + boxLength);
  return openContents({ kind, id, size, header: bytes.subarray(0, headerBytes), footerBox }, keys);
}

interface FrameToCheck {
  readonly key: Uint8Array;
  readonly contents: PackContents;
  readonly frame: FooterFrame;
  readonly number: number;
  readonly hash: (bytes: Uint8Array) => string;
}

function checkFrame(bytes: Uint8Array, { key, contents, frame, number, hash }: FrameToCheck): PackProblem | undefined {
  const { row } = contents;
  let plain: Uint8Array;
  try {
    plain = openFrame(key, row, number, frame, bytes.subarray(frame.offset, frame.offset + frame.boxLength));
  } catch (error) {
    return { error: asDamage(error), frame: number, blobs: frame.blobs.map((blob) => blob.id) };
  }
  const wrong: BlobId[] = [];
  let first: MbkError | undefined;
  let offset = 0;
  for (const blob of frame.blobs) {
    try {
      checkBlob(blob.id, plain.subarray(offset, offset + blob.length), row, number, hash);
    } catch (error) {
      first ??= asDamage(error);
      wrong.push(blob.id);
    }
    offset += blob.length;
  }
  if (plain.buffer !== bytes.buffer) releaseBytes(plain);
  return first === undefined ? undefined : { error: first, frame: number, blobs: wrong };
}

/** `error` if it tells damage or what this program cannot read; thrown on otherwise. */
function asDamage(error: unknown): MbkError {
  if (isMbkError(error) && (isDamage(error) || isMbkError(error, 'codec-unknown', 'format-unsupported'))) return error;
  throw error;
}
