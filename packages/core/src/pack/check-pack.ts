/** Whether a whole pack is what was written: `mbk verify --data` (docs/format.md, Packs). */
import type { TakePart } from '../codec/frame-codec.ts';
import { type BoxKey, type BoxParts, headerBytes, prepareKey } from '../crypto/entry.ts';
import { platformSha256, type RunningHash, type Sha256 } from '../crypto/hash.ts';
import type { Keys } from '../crypto/keyset.ts';
import { isMbkError, MbkError } from '../errors.ts';
import type { BlobId, PackId, PackKind } from '../format/ids.ts';
import { decodePackTrailer, type FooterFrame, packTrailerBytes } from '../format/pack-footer.ts';
import type { PackRow } from '../format/segment-rows.ts';
import { type ByteSource, memorySource } from './byte-source.ts';
import {
  type BaseBlobs,
  blobWrong,
  checkPackSize,
  footerOffset,
  framesKey,
  openContents,
  openFrameParts,
  openStored,
} from './open-pack.ts';
import { type PackContents, packName } from './pack-contents.ts';
import { isDamage } from './read-twice.ts';

export interface PackCheck {
  /** Undefined when not even the footer can be read. */
  readonly contents: PackContents | undefined;
  /** Empty for a sound pack. */
  readonly problems: readonly PackProblem[];
  /** Frames that are authentic and built upon others: `checkBased` says of each whether it decodes. */
  readonly based: readonly number[];
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
  /** That of the platform unless given. */
  readonly sha256?: Sha256 | undefined;
}

/**
 * Checks all bytes of a pack: their SHA-256 is its name, header, footer and signature hold, every frame opens and
 * decodes, and every blob has the SHA-256 that is its id. Goes on after a damaged frame, to tell the extent.
 *
 * The pack is read once, from its start to its end and in parts that stay in the caches of a processor, after its footer;
 * no more of it is held than one frame.
 *
 * Errors: only those that say nothing about the pack (`role-denied`, those of `pack`); damage is in the result.
 */
export function checkPack(
  pack: Uint8Array | PackBytes,
  { kind, id, keys, sha256 = platformSha256 }: CheckPackOptions,
): PackCheck {
  const bytes = pack instanceof Uint8Array ? memorySource(pack) : pack;
  const what = packName({ kind, id });
  const hashed = hashedInOrder(bytes, sha256);
  const opened = contentsOf(bytes, { kind, id, keys });
  const inFrames: PackProblem[] = [];
  const based: number[] = [];
  if (!('error' in opened)) {
    const key = prepareKey(framesKey(opened.row, keys));
    opened.frames.forEach((frame, number) => {
      const problem = checkFrame(hashed.read, { key, row: opened.row, frame, number, sha256 });
      if (problem !== undefined) inFrames.push(problem);
      else if (frame.bases.length > 0) based.push(number);
    });
  }
  const actual = hashed.finish();
  const problems: PackProblem[] = [];
  if (actual !== id) {
    const error = new MbkError(
      'entry-damaged',
      `${what} holds other bytes than were written: their SHA-256 is ${actual}`,
      {
        details: { pack: id, actual },
      },
    );
    problems.push({ error, blobs: [] });
  }
  if (!('error' in opened)) return { contents: opened, problems: [...problems, ...inFrames], based };
  const { error } = opened;
  // In changed bytes a keyset that was not granted is a damaged header.
  const isHeaderDamage = actual !== id && isMbkError(error, 'role-denied');
  problems.push({ error: isHeaderDamage ? error : asDamage(error), blobs: [] });
  return { contents: undefined, problems, based };
}

/** The bytes of a pack; what `read` gives holds until it is called again. */
export type PackBytes = Pick<ByteSource, 'byteLength' | 'read'>;

function contentsOf(
  pack: PackBytes,
  { kind, id, keys }: Pick<CheckPackOptions, 'kind' | 'id' | 'keys'>,
): PackContents | { readonly error: unknown } {
  const what = packName({ kind, id });
  const size = pack.byteLength;
  try {
    checkPackSize(size, what);
    const boxLength = decodePackTrailer(pack.read(size - packTrailerBytes, packTrailerBytes), what);
    const boxOffset = footerOffset(size, boxLength, what);
    const header = pack.read(0, headerBytes).slice();
    return openContents({ kind, id, size, header, footerBox: pack.read(boxOffset, boxLength) }, keys);
  } catch (error) {
    if (isMbkError(error)) return { error };
    throw error;
  }
}

/** What is hashed at a time where nothing else is done with it. */
const hashedBytes = 65_536;

/** Reads that are hashed as well, each byte once and in their order, whatever the reads leave out or come back to. */
function hashedInOrder(
  pack: PackBytes,
  sha256: Sha256,
): { readonly read: PackBytes['read']; readonly finish: () => string } {
  const hash = sha256.start();
  let done = 0;

  const read = (offset: number, length: number): Uint8Array => {
    while (done < offset) next(Math.min(hashedBytes, offset - done));
    const bytes = pack.read(offset, length);
    if (offset + length > done) {
      hash.update(bytes.subarray(done - offset));
      done = offset + length;
    }
    return bytes;
  };
  const next = (length: number): void => {
    hash.update(pack.read(done, length));
    done += length;
  };

  return {
    read,
    finish() {
      while (done < pack.byteLength) next(Math.min(hashedBytes, pack.byteLength - done));
      return hash.hex();
    },
  };
}

interface FrameToCheck {
  readonly key: BoxKey;
  readonly row: PackRow;
  readonly frame: FooterFrame;
  readonly number: number;
  readonly sha256: Sha256;
  readonly take?: TakePart | undefined;
}

function checkFrame(
  read: PackBytes['read'],
  { key, row, frame, number, sha256 }: FrameToCheck,
): PackProblem | undefined {
  const { offset, boxLength: byteLength } = frame;
  const box = { byteLength, read: (at: number, length: number): Uint8Array => read(offset + at, length) };
  return frame.bases.length > 0
    ? checkAuthentic({ key, row, frame, number }, box)
    : checkContent({ key, row, frame, number, sha256 }, box, []);
}

/** Whether a frame decodes, upon these bases, to the blobs that it is said to hold; nothing of it is kept. */
function checkContent(
  { key, row, frame, number, sha256, take }: FrameToCheck,
  box: BoxParts,
  bases: BaseBlobs,
): PackProblem | undefined {
  const { blobs } = frame;
  const wrong: BlobId[] = [];
  const hashes = hashBlobs(blobs, sha256, (id, found) => {
    if (found !== id) wrong.push(id);
  });
  try {
    openFrameParts(key, row, number, frame, {
      box,
      bases,
      take(bytes, offset) {
        hashes.take(bytes);
        take?.(bytes, offset);
      },
    });
    hashes.finish();
  } catch (error) {
    return { error: asDamage(error), frame: number, blobs: blobs.map((blob) => blob.id) };
  }
  const [first] = wrong;
  return first === undefined ? undefined : { error: blobWrong(first, row, number), frame: number, blobs: wrong };
}

/** Of a frame that only others together with it say what it holds. */
function checkAuthentic(
  { key, row, frame, number }: Omit<FrameToCheck, 'sha256' | 'take'>,
  box: BoxParts,
): PackProblem | undefined {
  try {
    openStored(key, row, number, frame, box);
    return undefined;
  } catch (error) {
    return { error: asDamage(error), frame: number, blobs: frame.blobs.map(({ id }) => id) };
  }
}

/** A frame that is built upon others. */
export interface BasedFrame {
  readonly key: Uint8Array;
  readonly row: PackRow;
  readonly number: number;
  readonly frame: FooterFrame;
  readonly box: BoxParts;
}

export interface CheckBasedOptions {
  /** That of the platform unless given. */
  readonly sha256?: Sha256 | undefined;
  /** Gets the plaintext too, as it comes. */
  readonly take?: TakePart | undefined;
}

/** What is wrong with a frame that is built upon `bases`, checked as `checkPack` checks the rest; undefined if nothing is. */
export function checkBased(
  { key, box, ...frame }: BasedFrame,
  bases: BaseBlobs,
  { sha256 = platformSha256, take }: CheckBasedOptions = {},
): PackProblem | undefined {
  return checkContent({ key: prepareKey(key), ...frame, sha256, take }, box, bases);
}

/** Gives the SHA-256 of each blob of a frame whose bytes come part by part. */
function hashBlobs(
  blobs: FooterFrame['blobs'],
  sha256: Sha256,
  onHash: (id: BlobId, hash: string) => void,
): { readonly take: (bytes: Uint8Array) => void; readonly finish: () => void } {
  let number = 0;
  let left = blobs[0]?.length ?? 0;
  let hash: RunningHash | undefined;

  const end = (id: BlobId, found: string): void => {
    onHash(id, found);
    number += 1;
    left = blobs[number]?.length ?? 0;
    hash = undefined;
  };

  return {
    take(bytes) {
      let at = 0;
      for (let blob = blobs[number]; blob !== undefined && at < bytes.length; blob = blobs[number]) {
        const part = bytes.subarray(at, at + left);
        at += part.length;
        if (hash === undefined && part.length === left) end(blob.id, sha256.hex(part));
        else {
          hash ??= sha256.start();
          hash.update(part);
          left -= part.length;
          if (left === 0) end(blob.id, hash.hex());
        }
      }
    },

    /** All bytes came: blobs for which there were none are empty. */
    finish() {
      for (let blob = blobs[number]; blob !== undefined; blob = blobs[number])
        end(blob.id, (hash ?? sha256.start()).hex());
    },
  };
}

/** `error` if it tells damage or what this program cannot read; thrown on otherwise. */
function asDamage(error: unknown): MbkError {
  if (isMbkError(error) && (isDamage(error) || isMbkError(error, 'codec-unknown', 'format-unsupported'))) return error;
  throw error;
}
