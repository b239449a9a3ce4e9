/**
 * How a piece of a tensor is stored when others that are like it are at hand: as a recipe of what it was made from, or as
 * the difference to an older one. What a codec made is decoded and compared here, as `encodeFrame` does, or it is a
 * `self-test-failed`.
 */
import type { Element } from '../chunker/piece.ts';
import { MbkError } from '../errors.ts';
import type { BlobId } from '../format/ids.ts';
import { limits } from '../format/limits.ts';
import type { Compression } from './compression.ts';
import { derivedGives, deriveReader, encodeDerived, type RowOrder } from './derive.ts';
import { estimateFrame, type EncodedFrame } from './encode-frame.ts';
import { encodeTensorDelta, estimateDelta, givesTensorDelta, tensorDeltaReader } from './tensor-delta.ts';
import type { Encoded } from './frame-codec.ts';

/** A stored blob that a frame may be built upon. */
export interface BaseBlob {
  readonly id: BlobId;
  readonly bytes: Uint8Array;
  /** Of the copy that it was read from. */
  readonly depth: number;
}

/** Blobs that hold, one after the other, the numbers that a piece may have been made from. */
export interface SourceBlobs {
  /** Of these numbers. */
  readonly dtype: string;
  readonly blobs: readonly BaseBlob[];
  /** Where in the first blob the numbers of the piece begin, in bytes, or the first group of an order. */
  readonly offset: number;
  /** In which its rows may be. */
  readonly order?: RowOrder | undefined;
}

export interface RelatedFrame {
  readonly encoded: EncodedFrame;
  /** What it is built upon. */
  readonly bases: readonly BlobId[];
  readonly depth: number;
}

/** A difference is taken when it makes this of what the piece makes alone: it costs reading the base each time. */
const deltaPays = 31 / 32;

/** The frame of a piece that a recipe gives all of, as `partsDeriver` found; undefined where it would be too deep. */
export function derivedFrame(encoded: Encoded, bases: readonly BlobId[], depth: number): RelatedFrame | undefined {
  return depth < limits.depth
    ? { encoded: { codec: deriveReader.number, ...encoded }, bases, depth: depth + 1 }
    : undefined;
}

/** A piece as the recipe by which it was made from a source, and what that does not give; undefined when it was not. */
export function encodeFrom(
  plain: Uint8Array,
  element: Element,
  { dtype, blobs, offset, order }: SourceBlobs,
): RelatedFrame | undefined {
  if (depthAbove(blobs) === undefined) return undefined;
  const bases = blobs.map(({ bytes }) => bytes);
  const encoded = encodeDerived(plain, element, { dtype, bases, offset, order });
  if (encoded === undefined) return undefined;
  // Making it was decoding it, and nothing differed.
  const isWhole = encoded.stored.byteLength === 0;
  const gives = (): boolean => isWhole || derivedGives(plain, encoded, { bases, what });
  return checked(deriveReader, encoded, blobs, { plain, gives });
}

/** The least number of bytes that is too much for a difference: about what the piece makes alone, by a sample. */
export function tooMuchUpon(plain: Uint8Array, element: Element, compression?: Compression): number {
  return estimateFrame(plain, element, compression) * deltaPays;
}

/** About how many bytes the difference of a piece to `base` makes, by a sample; undefined where there can be none. */
export function estimateUpon(plain: Uint8Array, element: Element, base: BaseBlob): number | undefined {
  const isUsable = base.bytes.byteLength === plain.byteLength && depthAbove([base]) !== undefined;
  return isUsable ? estimateDelta(plain, element, base.bytes) : undefined;
}

/**
 * A piece as the difference to `base`, for which `estimateUpon` gave a size; undefined when it makes `tooMuch` bytes. It
 * lies in memory that holds until the next frame is encoded or read.
 */
export function encodeUpon(
  plain: Uint8Array,
  element: Element,
  base: BaseBlob,
  tooMuch: number,
): RelatedFrame | undefined {
  const encoded = encodeTensorDelta(plain, element, base.bytes);
  if (encoded === undefined || encoded.stored.byteLength >= tooMuch) return undefined;
  const gives = (): boolean => givesTensorDelta(plain, encoded, base.bytes, what);
  return checked(tensorDeltaReader, encoded, [base], { plain, gives });
}

/** Depth of a frame upon copies of these; undefined when it would be more than any may have. */
function depthAbove(blobs: readonly BaseBlob[]): number | undefined {
  const depth = 1 + blobs.reduce((most, base) => Math.max(most, base.depth), 0);
  return depth <= limits.depth ? depth : undefined;
}

/** What a codec made, once it gave back what it was given. */
function checked(
  { number, name }: { readonly number: number; readonly name: string },
  encoded: Encoded,
  blobs: readonly BaseBlob[],
  { plain, gives }: { readonly plain: Uint8Array; readonly gives: () => boolean },
): RelatedFrame {
  const depth = depthAbove(blobs) ?? limits.depth;
  let cause: unknown;
  try {
    if (gives()) return { encoded: { codec: number, ...encoded }, bases: blobs.map(({ id }) => id), depth };
  } catch (error) {
    cause = error;
  }
  throw new MbkError('self-test-failed', `codec ${name} did not give back the ${plain.byteLength} bytes it encoded`, {
    cause,
  });
}

const what = 'a frame that was just encoded';
