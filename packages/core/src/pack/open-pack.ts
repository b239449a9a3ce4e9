/**
 * From the bytes of a pack to what they hold: the footer, checked and verified, and single frames
 * (docs/format.md, Packs). No I/O: `pack-reader.ts` and `check-pack.ts` bring the bytes.
 */
import type { TakePart } from '../codec/frame-codec.ts';
import { decodeFrame, decodeFrameParts } from '../codec/registry.ts';
import { frameMemory } from '../codec/tensor/workspace.ts';
import {
  type BoxKey,
  boxOverhead,
  type BoxParts,
  headerBytes,
  openBox,
  openBoxInPlace,
  openBoxParts,
} from '../crypto/entry.ts';
import { sha256Hex } from '../crypto/hash.ts';
import { verifyMessage } from '../crypto/key-pair.ts';
import type { Keys } from '../crypto/keyset.ts';
import { isMbkError, MbkError } from '../errors.ts';
import { concatBytes, equalBytes, fromHex } from '../format/bytes.ts';
import type { BlobId, PackId, PackKind } from '../format/ids.ts';
import { limits } from '../format/limits.ts';
import { boxEndBytes, decodeFooter, type FrameRow, packTrailerBytes } from '../format/pack-footer.ts';
import { type PackContents, packName } from './pack-contents.ts';
import { decodePackHeader, footerKey, framesKeyOfReader, keysetOf, packSignatureLabel } from './pack-keys.ts';
import type { PackRow } from '../format/segment-rows.ts';

export interface PackPieces {
  readonly kind: PackKind;
  readonly id: PackId;
  readonly size: number;
  /** The first 72 bytes. */
  readonly header: Uint8Array;
  readonly footerBox: Uint8Array;
}

/** The smallest pack: header, an empty box, trailer. */
const leastSize = headerBytes + 16 + packTrailerBytes;

/** Throws `entry-damaged` unless a pack can have `size` bytes. */
export function checkPackSize(size: number, what: string): void {
  if (size < leastSize || size > limits.packBytes) {
    throw new MbkError('entry-damaged', `${what} has ${size} bytes; a pack has ${leastSize} to ${limits.packBytes}`);
  }
}

/** First byte of the footer box; `entry-damaged` when it would overlap the header. */
export function footerOffset(size: number, footerBoxLength: number, what: string): number {
  const offset = size - packTrailerBytes - footerBoxLength;
  if (offset < headerBytes)
    throw new MbkError('entry-damaged', `${what}: a footer of ${footerBoxLength} bytes does not fit its ${size} bytes`);
  return offset;
}

/**
 * What the pack holds, once its header, footer and signature proved right.
 * Errors: `entry-damaged`, `value-invalid`, `format-unsupported`, `role-denied`.
 */
export function openContents({ kind, id, size, header: headerPart, footerBox }: PackPieces, keys: Keys): PackContents {
  const what = packName({ kind, id });
  const header = decodePackHeader(headerPart, { kind, repository: keys.repository, what });
  const plaintext = openBox(footerKey(header, keysetOf(keys, header.keyset)), 0, footerBox, `the footer of ${what}`);
  const framesTo = footerOffset(size, footerBox.byteLength, what);
  const footer = decodeFooter(plaintext, { kind, framesFrom: headerBytes, framesTo, what });
  const message = concatBytes([packSignatureLabel, headerPart, footer.signed]);
  if (!verifyMessage(fromHex(footer.actor), message, footer.signature)) {
    throw new MbkError('entry-damaged', `${what}: the signature of its footer is not that of actor ${footer.actor}`, {
      details: { pack: id, actor: footer.actor },
    });
  }
  const { lifetime, frames, actor } = footer;
  return {
    row: { id, ephemeral: header.ephemeral, actor, keyset: header.keyset, size, kind, lifetime, frames: frames.length },
    frames,
  };
}

/** Key of a pack's frames. Errors: `role-denied`, `entry-damaged`. */
export function framesKey(row: PackRow, keys: Keys): Uint8Array {
  return framesKeyOfReader({ repository: keys.repository, ...row }, keys);
}

export interface FrameToOpen extends FrameRow {
  /** Known where the row comes from the pack's own footer. */
  readonly boxEnd?: Uint8Array;
}

/** The blobs that a frame row names as bases, in its order, checked against their ids. */
export type BaseBlobs = readonly Uint8Array[];

/**
 * The plaintext of frame `number` from its box, which is used up: the plaintext may lie where the box was. Blobs are not
 * checked here. Errors: `entry-damaged`, `value-invalid`, `codec-unknown`, with the pack and the frame.
 */
export function openFrame(
  key: Uint8Array,
  row: PackRow,
  number: number,
  frame: FrameToOpen,
  box: Uint8Array,
  bases: BaseBlobs = [],
): Uint8Array {
  const what = frameName(row, number);
  if (frame.boxEnd !== undefined && !equalBytes(box.subarray(-boxEndBytes), frame.boxEnd)) {
    throw frameDamaged(row, number, 'is not the one that the footer names');
  }
  let stored: Uint8Array;
  try {
    stored = openBoxInPlace(key, number, box, what);
  } catch (cause) {
    throw frameDamaged(row, number, 'does not authenticate: its bytes were changed', cause);
  }
  const { codec, plainLength, parameters } = frame;
  return decodeFrame(codec, stored, { plainLength, parameters, bases, what });
}

/**
 * The plaintext of frame `number` part by part, each in memory that holds until `take` returns; the box is read from its
 * start to its end, whatever it holds. Nothing is given of a box that does not authenticate. Errors: as `openFrame`,
 * perhaps after some parts; what `box` and `take` throw.
 */
export function openFrameParts(
  key: BoxKey,
  row: PackRow,
  number: number,
  frame: FrameToOpen,
  { box, take, bases }: { readonly box: BoxParts; readonly take: TakePart; readonly bases?: BaseBlobs | undefined },
): void {
  const { codec, plainLength, parameters } = frame;
  const stored = openStored(key, row, number, frame, box);
  decodeFrameParts(codec, stored, { plainLength, parameters, bases, what: frameName(row, number) }, take);
}

/** The same as one array, which may be memory that holds until the next frame is opened in this way. */
export function openFrameRead(
  key: BoxKey,
  row: PackRow,
  number: number,
  frame: FrameToOpen,
  box: BoxParts,
  bases: BaseBlobs = [],
): Uint8Array {
  const { codec, plainLength, parameters } = frame;
  const stored = openStored(key, row, number, frame, box);
  return decodeFrame(codec, stored, { plainLength, parameters, bases, what: frameName(row, number) });
}

/** What a codec made of a frame, once it proved authentic, in memory that holds until the next frame is opened. */
export function openStored(key: BoxKey, row: PackRow, number: number, frame: FrameToOpen, box: BoxParts): Uint8Array {
  const { boxEnd, boxLength } = frame;
  const checkTag = (tag: Uint8Array): void => {
    if (boxEnd !== undefined && !equalBytes(tag.subarray(-boxEndBytes), boxEnd))
      throw frameDamaged(row, number, 'is not the one that the footer names');
  };
  const into = frameMemory(Math.max(0, boxLength - boxOverhead));
  try {
    return openBoxParts(key, number, box, { into, what: frameName(row, number), checkTag });
  } catch (cause) {
    if (!isMbkError(cause, 'entry-damaged') || cause.details['frame'] === number) throw cause;
    throw frameDamaged(row, number, 'does not authenticate: its bytes were changed', cause);
  }
}

/** Throws `entry-damaged` unless `bytes` are those of blob `id`. */
export function checkBlob(id: BlobId, bytes: Uint8Array, row: PackRow, number: number): void {
  if (sha256Hex(bytes) !== id) throw blobWrong(id, row, number);
}

export function blobWrong(id: BlobId, row: PackRow, number: number): MbkError {
  return frameDamaged(row, number, `does not hold the bytes of blob ${id}`);
}

export function frameName(row: PackRow, number: number): string {
  return `frame ${number} of ${packName(row)}`;
}

export function frameDamaged(row: PackRow, number: number, how: string, cause?: unknown): MbkError {
  return new MbkError('entry-damaged', `${frameName(row, number)} ${how}`, {
    details: { pack: row.id, frame: number },
    cause,
  });
}
