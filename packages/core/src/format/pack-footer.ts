/**
 * The table at the end of a pack: what frames it has, where, and which blobs they hold (docs/format.md, Packs).
 *
 * Bytes ⇄ values only: the pack layer seals, signs and pads. A footer that decodes is consistent in itself: every box
 * lies between header and footer, and the lengths of a frame's blobs add up to its plaintext.
 */
import { MbkError } from '../errors.ts';
import { fromHex, toHex, viewOf } from './bytes.ts';
import {
  type ActorId,
  asActorId,
  asBlobId,
  type BlobId,
  type BlobType,
  blobTypeNumber,
  blobTypeOf,
  type Lifetime,
  lifetimes,
  type PackKind,
  packKindOf,
} from './ids.ts';
import { limits } from './limits.ts';

/** Where a frame lies in its pack and how it was written. Offsets and lengths in bytes. */
export interface FrameRow {
  readonly offset: number;
  /** Of the sealed box, tag included. */
  readonly boxLength: number;
  readonly plainLength: number;
  readonly codec: number;
  /** 0 exactly when there are no bases. */
  readonly depth: number;
  readonly parameters: Uint8Array;
  readonly bases: readonly BlobId[];
}

export interface FooterBlob {
  readonly id: BlobId;
  readonly type: BlobType;
  readonly length: number;
}

export interface FooterFrame extends FrameRow {
  /** In the order of the plaintext, at least one. */
  readonly blobs: readonly FooterBlob[];
  /** Last 8 bytes of the box: ties row and frame. */
  readonly boxEnd: Uint8Array;
}

export interface PackFooter {
  readonly lifetime: Lifetime;
  /** Frame i is box i. */
  readonly frames: readonly FooterFrame[];
  readonly actor: ActorId;
}

export const packTrailerBytes = 16;
export const signatureBytes = 64;
export const boxEndBytes = 8;

const headBytes = 24;
const frameRowBytes = 32;
const blobRowBytes = 40;
const idBytes = 32;
/** A box is never shorter than its authentication tag. */
const tagBytes = 16;
/** Index segments count the bases of a frame in 16 bits. */
const maxBases = 0xffff;

/** Length of a footer's plaintext without its signature and zeros, from what it will hold. */
export function footerLength(counts: { frames: number; blobs: number; bases: number; parameterBytes: number }): number {
  const { frames, blobs, bases, parameterBytes } = counts;
  return headBytes + frames * frameRowBytes + blobs * blobRowBytes + bases * idBytes + parameterBytes + idBytes;
}

/*
 * Footer
 * offset size  meaning
 *      0    1  version, 1
 *      1    1  lifetime
 *      2    2  zero
 *      4    4  number of frames F
 *      8    4  number of blobs B
 *     12    4  number of bases A
 *     16    4  bytes of codec parameters C
 *     20    4  zero
 *     24 32·F  frame rows
 *      – 40·B  blob rows, in frame order
 *      – 32·A  base ids, in frame order
 *      –    C  codec parameters, in frame order
 *      –   32  actor id
 *      –   64  signature (made and checked by the pack layer)
 *      –    –  zeros
 *
 * Frame row                                     Blob row
 *      0    4  offset of the box                     0   32  blob id
 *      4    4  length of the box                    32    4  length
 *      8    4  length of the plaintext              36    1  type
 *     12    1  codec                                37    3  zero
 *     13    1  depth
 *     14    2  length of the codec parameters
 *     16    4  number of blobs
 *     20    4  number of bases
 *     24    8  last 8 bytes of the box
 */

/** The bytes of a footer up to its signature. */
export function encodeFooter({ lifetime, frames, actor }: PackFooter): Uint8Array {
  const counts = { frames: frames.length, blobs: 0, bases: 0, parameterBytes: 0 };
  for (const frame of frames) {
    counts.blobs += frame.blobs.length;
    counts.bases += frame.bases.length;
    counts.parameterBytes += frame.parameters.byteLength;
  }
  const bytes = new Uint8Array(footerLength(counts));
  const view = viewOf(bytes);
  view.setUint8(0, 1);
  view.setUint8(1, lifetimes.indexOf(lifetime));
  view.setUint32(4, counts.frames, true);
  view.setUint32(8, counts.blobs, true);
  view.setUint32(12, counts.bases, true);
  view.setUint32(16, counts.parameterBytes, true);

  let row = headBytes;
  let blobRow = row + counts.frames * frameRowBytes;
  let base = blobRow + counts.blobs * blobRowBytes;
  let parameter = base + counts.bases * idBytes;
  for (const frame of frames) {
    view.setUint32(row, frame.offset, true);
    view.setUint32(row + 4, frame.boxLength, true);
    view.setUint32(row + 8, frame.plainLength, true);
    view.setUint8(row + 12, frame.codec);
    view.setUint8(row + 13, frame.depth);
    view.setUint16(row + 14, frame.parameters.byteLength, true);
    view.setUint32(row + 16, frame.blobs.length, true);
    view.setUint32(row + 20, frame.bases.length, true);
    bytes.set(frame.boxEnd, row + 24);
    row += frameRowBytes;
    for (const blob of frame.blobs) {
      bytes.set(fromHex(blob.id), blobRow);
      view.setUint32(blobRow + 32, blob.length, true);
      view.setUint8(blobRow + 36, blobTypeNumber(blob.type));
      blobRow += blobRowBytes;
    }
    for (const id of frame.bases) {
      bytes.set(fromHex(id), base);
      base += idBytes;
    }
    bytes.set(frame.parameters, parameter);
    parameter += frame.parameters.byteLength;
  }
  bytes.set(fromHex(actor), parameter);
  return bytes;
}

export interface DecodedFooter extends PackFooter {
  /** The part of the given bytes that the signature covers (a view). */
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
}

export interface DecodeFooterOptions {
  readonly kind: PackKind;
  /** First byte that a frame may take, and the first behind the last one. */
  readonly framesFrom: number;
  readonly framesTo: number;
  /** Names the pack in messages. */
  readonly what: string;
}

/** The footer in the plaintext of a pack's footer box; `value-invalid` when any field is out of its bounds. */
export function decodeFooter(bytes: Uint8Array, options: DecodeFooterOptions): DecodedFooter {
  const { kind, framesFrom, framesTo, what } = options;
  const invalid = (field: string): MbkError =>
    new MbkError('value-invalid', `footer of ${what}: ${field}`, { details: { pack: what, field } });
  const view = viewOf(bytes);
  if (bytes.byteLength < headBytes) throw invalid(`${bytes.byteLength} bytes are too few for a footer`);
  const lifetime = lifetimes[view.getUint8(1)];
  const counts = {
    frames: view.getUint32(4, true),
    blobs: view.getUint32(8, true),
    bases: view.getUint32(12, true),
    parameterBytes: view.getUint32(16, true),
  };
  if (view.getUint8(0) !== 1) throw invalid(`version ${view.getUint8(0)}, expected 1`);
  if (lifetime === undefined) throw invalid(`lifetime ${view.getUint8(1)} is none of 0 to 2`);
  if (view.getUint16(2, true) !== 0 || view.getUint32(20, true) !== 0) throw invalid('reserved bytes are not zero');
  if (counts.frames > limits.packFrames || counts.blobs > limits.packBlobs) {
    throw invalid(`${counts.frames} frames with ${counts.blobs} blobs are over the limits`);
  }
  // From here on the counts are those of rows that are there: nothing below allocates more than the bytes that came.
  const signedLength = footerLength(counts);
  if (signedLength + signatureBytes > bytes.byteLength) {
    throw invalid(`its counts need ${signedLength + signatureBytes} bytes, it has ${bytes.byteLength}`);
  }

  let row = headBytes;
  let blobRow = row + counts.frames * frameRowBytes;
  let base = blobRow + counts.blobs * blobRowBytes;
  let parameter = base + counts.bases * idBytes;
  const ends = { blobs: base, bases: parameter, parameters: signedLength - idBytes };

  const frames: FooterFrame[] = [];
  for (let number = 0; number < counts.frames; number += 1, row += frameRowBytes) {
    const of = (field: string): MbkError => invalid(`frame ${number}: ${field}`);
    const offset = view.getUint32(row, true);
    const boxLength = view.getUint32(row + 4, true);
    const plainLength = view.getUint32(row + 8, true);
    const depth = view.getUint8(row + 13);
    const parameterBytes = view.getUint16(row + 14, true);
    const blobCount = view.getUint32(row + 16, true);
    const baseCount = view.getUint32(row + 20, true);
    if (offset < framesFrom || boxLength < tagBytes || offset + boxLength > framesTo) {
      throw of(`bytes ${offset} to ${offset + boxLength} are not between ${framesFrom} and ${framesTo}`);
    }
    if (boxLength > limits.frameBytes + tagBytes) throw of(`a box of ${boxLength} bytes is over the limit`);
    if (plainLength > limits.frameBytes) throw of(`${plainLength} bytes are over the limit of ${limits.frameBytes}`);
    if (depth > limits.depth || (depth === 0) !== (baseCount === 0)) throw of(`depth ${depth} with ${baseCount} bases`);
    if (blobCount === 0 || blobRow + blobCount * blobRowBytes > ends.blobs) throw of(`${blobCount} blobs`);
    if (baseCount > maxBases || base + baseCount * idBytes > ends.bases) throw of(`${baseCount} bases`);
    if (parameter + parameterBytes > ends.parameters) throw of(`${parameterBytes} bytes of parameters`);

    const blobs: FooterBlob[] = [];
    let total = 0;
    for (let one = 0; one < blobCount; one += 1, blobRow += blobRowBytes) {
      const blob = decodeBlobRow(bytes, view, blobRow, of);
      if (packKindOf(blob.type) !== kind) throw of(`a blob of type ${blob.type} in a ${kind} pack`);
      total += blob.length;
      blobs.push(blob);
    }
    if (total !== plainLength) throw of(`its blobs have ${total} bytes, its plaintext ${plainLength}`);

    const bases: BlobId[] = [];
    for (let one = 0; one < baseCount; one += 1, base += idBytes) {
      bases.push(asBlobId(toHex(bytes.subarray(base, base + idBytes))));
    }
    const parameters = bytes.slice(parameter, parameter + parameterBytes);
    parameter += parameterBytes;
    const codec = view.getUint8(row + 12);
    const boxEnd = bytes.slice(row + 24, row + 24 + boxEndBytes);
    frames.push({ offset, boxLength, plainLength, codec, depth, parameters, bases, blobs, boxEnd });
  }
  if (blobRow !== ends.blobs || base !== ends.bases || parameter !== ends.parameters) {
    throw invalid('it counts more blobs, bases or parameters than its frames have');
  }
  const padding = bytes.subarray(signedLength + signatureBytes);
  if (padding.some((byte) => byte !== 0)) throw invalid('its padding is not zero');
  return {
    lifetime,
    frames,
    actor: asActorId(toHex(bytes.subarray(parameter, parameter + idBytes))),
    signed: bytes.subarray(0, signedLength),
    signature: bytes.subarray(signedLength, signedLength + signatureBytes),
  };
}

function decodeBlobRow(
  bytes: Uint8Array,
  view: DataView,
  row: number,
  invalid: (field: string) => MbkError,
): FooterBlob {
  const length = view.getUint32(row + 32, true);
  const typeAndZeros = view.getUint32(row + 36, true);
  if (typeAndZeros > 0xff) throw invalid('reserved bytes of a blob row are not zero');
  return { id: asBlobId(toHex(bytes.subarray(row, row + idBytes))), type: blobTypeOf(typeAndZeros), length };
}

/*
 * Trailer
 * offset size  meaning
 *      0    4  length of the footer box
 *      4    8  zero
 *     12    4  mbkp
 */

/** The last 16 bytes of a pack. */
export function encodePackTrailer(footerBoxLength: number): Uint8Array {
  const bytes = new Uint8Array(packTrailerBytes);
  viewOf(bytes).setUint32(0, footerBoxLength, true);
  bytes.set(trailerMagic, 12);
  return bytes;
}

/** Length of the footer box from the last 16 bytes of a pack; `entry-damaged` when they are no trailer. */
export function decodePackTrailer(bytes: Uint8Array, what: string): number {
  const view = viewOf(bytes);
  const sound =
    bytes.byteLength === packTrailerBytes &&
    view.getBigUint64(4, true) === 0n &&
    trailerMagic.every((byte, index) => bytes[12 + index] === byte);
  if (!sound) throw new MbkError('entry-damaged', `${what} does not end as a pack does`);
  return view.getUint32(0, true);
}

/** `mbkp` */
const trailerMagic = Uint8Array.of(0x6d, 0x62, 0x6b, 0x70);
