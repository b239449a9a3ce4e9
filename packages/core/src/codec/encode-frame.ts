/**
 * How a frame is stored: the codec that pays, or `raw`. What a codec made is decoded and compared here, before anything
 * is sealed, so that no fault of a codec, a library or the machine can reach a repository unnoticed.
 */
import type { Element } from '../chunker/piece.ts';
import { MbkError } from '../errors.ts';
import { equalBytes } from '../format/bytes.ts';
import { parameters } from '../format/limits.ts';
import { type Compression, defaultCompression } from './compression.ts';
import type { Encoded, FrameCodec } from './frame-codec.ts';
import { rawCodec } from './raw.ts';
import { releaseBytes } from '../crypto/release-bytes.ts';
import { choosePlan } from './tensor/choose-plan.ts';
import { plannedCodec } from './tensor.ts';
import { fastZstdCodec, smallestZstdCodec, zstdCodec } from './zstd.ts';

export interface EncodedFrame extends Encoded {
  /** Number of the codec that was taken. */
  readonly codec: number;
}

/** A codec that saves less than this part of the bytes is not worth its decoding. */
const leastSaving = 1 / 64;

/**
 * The same for tensors, of which there are gigabytes: coding what is quantised saves 2 to 8 % and takes as long as all else
 * that is done to it (docs/decisions/0013-quantised-weights-are-stored-as-they-are.md).
 */
const leastTensorSaving = 1 / 10;

/** Frames from here on are tried by a sample first: most large ones are tensors or media that do not compress. */
const probeFromBytes = 256 * 1024;
/** The slower level is taken when it makes this of what the fast one makes: weights have no matches to find, text has. */
const levelPays = 0.97;
const probeSlices = 4;
const probeSliceBytes = 16 * 1024;

export interface EncodeFrameOptions {
  /** What the bytes are said to be. */
  readonly element?: Element | undefined;
  /** `fast` unless given. */
  readonly compression?: Compression | undefined;
}

/**
 * The stored form of one frame's plaintext. The result may be `plain` itself, or memory that holds until the next frame is
 * encoded or read.
 * Errors: `self-test-failed` when a codec does not give back what it was given.
 */
export function encodeFrame(
  plain: Uint8Array,
  { element, compression = defaultCompression }: EncodeFrameOptions = {},
): EncodedFrame {
  switch (compression) {
    case 'off':
      return raw(plain);
    case 'fast':
      return encodeFast(plain, element);
    case 'best':
      return encodeBest(plain, element);
  }
}

function encodeFast(plain: Uint8Array, element: Element | undefined): EncodedFrame {
  const tensor = element && tensorFor(plain, element);
  if (tensor !== undefined) {
    const encoded = encodeWith(tensor, plain);
    if (encoded.codec === tensor.number) return encoded;
  }
  if (plain.byteLength < probeFromBytes) return encodeWith(zstdCodec, plain);
  const sample = sampleOf(plain);
  const fast = storedLength(fastZstdCodec, sample);
  if (!saves(fast, sample.byteLength, element && leastTensorSaving)) return raw(plain);
  const isWorthMore = storedLength(zstdCodec, sample) < fast * levelPays;
  return encodeWith(isWorthMore ? zstdCodec : fastZstdCodec, plain);
}

/** About how many bytes `encodeFrame` makes of a piece of a tensor, from a sample. */
export function estimateFrame(
  plain: Uint8Array,
  element: Element,
  compression: Compression = defaultCompression,
): number {
  const sample = plain.byteLength < probeFromBytes ? plain : sampleOf(plain, element.unit);
  const tensor = plannedFor(plain, element, compression === 'best');
  const fast = storedLength(fastZstdCodec, sample);
  const typed = tensor === undefined ? fast : tensor.encode(sample).stored.byteLength;
  const least = Math.min(fast, typed);
  return saves(least, sample.byteLength, compression === 'best' ? leastSaving : leastTensorSaving)
    ? (least / sample.byteLength) * plain.byteLength
    : plain.byteLength;
}

/** Whatever saves anything worth decoding, and the codec that makes least of a sample. */
function encodeBest(plain: Uint8Array, element: Element | undefined): EncodedFrame {
  const tensor = element && plannedFor(plain, element, true);
  if (tensor === undefined) return encodeText(plain);
  const typed = encodeWith(tensor, plain);
  // Matches, of which weights have none, are found all over a frame and not in a sample.
  const matched = storedLength(zstdCodec, plain);
  if (!saves(matched, plain.byteLength) || matched > typed.stored.byteLength * matchesPay) return typed;
  const smallest = encodeWith(smallestZstdCodec, plain);
  if (smallest.stored.byteLength < typed.stored.byteLength) return smallest;
  if (smallest.stored !== plain) releaseBytes(smallest.stored);
  return typed;
}

/** When a middle level makes at most this of what the tensor codec does, the highest may make less than it. */
const matchesPay = 1.05;

/** What is no tensor, as small as zstd can make it. */
function encodeText(plain: Uint8Array): EncodedFrame {
  if (plain.byteLength >= probeFromBytes) {
    const sample = sampleOf(plain);
    if (!saves(storedLength(zstdCodec, sample), sample.byteLength)) return raw(plain);
  }
  return encodeWith(smallestZstdCodec, plain);
}

/** The tensor codec as a sample says that it stores these elements best. */
function plannedFor(plain: Uint8Array, element: Element, isBest: boolean): FrameCodec | undefined {
  if (plain.byteLength > parameters.pieceBytes) return undefined;
  const plan = choosePlan(plain, element, isBest);
  return plan && plannedCodec(plan);
}

/** The same for a given codec, `raw` when it does not pay. */
export function encodeWith(codec: FrameCodec, plain: Uint8Array): EncodedFrame {
  const encoded = codec.encode(plain);
  if (!pays(encoded, plain.byteLength)) {
    releaseBytes(encoded.stored);
    return raw(plain);
  }
  compare(codec, encoded, plain);
  return { codec: codec.number, ...encoded };
}

/** The tensor codec, when it saves enough of a sample, and makes less of it than zstd does. */
function tensorFor(plain: Uint8Array, element: Element): FrameCodec | undefined {
  const tensor = plannedFor(plain, element, false);
  if (tensor === undefined) return undefined;
  const sample = plain.byteLength < probeFromBytes ? plain : sampleOf(plain, element.unit);
  const { stored } = tensor.encode(sample);
  if (stored.byteLength > sample.byteLength * (1 - leastTensorSaving)) return undefined;
  return stored.byteLength < storedLength(fastZstdCodec, sample) ? tensor : undefined;
}

/** What a codec makes of a sample, of which nothing stays: there is one of every frame. */
function storedLength(codec: FrameCodec, sample: Uint8Array): number {
  const { stored } = codec.encode(sample);
  const { byteLength } = stored;
  releaseBytes(stored);
  return byteLength;
}

function raw(plain: Uint8Array): EncodedFrame {
  return { codec: rawCodec.number, ...rawCodec.encode(plain) };
}

function pays({ stored, parameters: own }: Encoded, plainLength: number): boolean {
  return saves(stored.byteLength + own.byteLength, plainLength);
}

function saves(length: number, plainLength: number, least: number = leastSaving): boolean {
  return plainLength - length >= plainLength * least && plainLength > 0;
}

const sampleRoom = new Uint8Array(probeSlices * probeSliceBytes);

/**
 * Slices of whole units from all over the frame: its start alone is often a header, or one small file of many. In memory
 * that holds until the next call.
 */
function sampleOf(plain: Uint8Array, unit = 1): Uint8Array {
  const sliceBytes = Math.max(unit, probeSliceBytes - (probeSliceBytes % unit));
  const sampleBytes = probeSlices * sliceBytes;
  const sample =
    sampleBytes <= sampleRoom.byteLength ? sampleRoom.subarray(0, sampleBytes) : new Uint8Array(sampleBytes);
  const last = plain.byteLength - sliceBytes;
  for (let slice = 0; slice < probeSlices; slice += 1) {
    const place = Math.floor((last * slice) / (probeSlices - 1));
    const start = place - (place % unit);
    sample.set(plain.subarray(start, start + sliceBytes), slice * sliceBytes);
  }
  return sample;
}

function compare(codec: FrameCodec, encoded: Encoded, plain: Uint8Array): void {
  let isSame = false;
  let cause: unknown;
  try {
    isSame = codec.gives?.(plain, encoded, what) ?? decodesTo(codec, encoded, plain);
  } catch (error) {
    cause = error;
  }
  if (isSame) return;
  throw new MbkError(
    'self-test-failed',
    `codec ${codec.name} did not give back the ${plain.byteLength} bytes it encoded`,
    { cause },
  );
}

const what = 'a frame that was just encoded';

function decodesTo(codec: FrameCodec, { stored, parameters: own }: Encoded, plain: Uint8Array): boolean {
  const decoded = codec.decode(stored, { plainLength: plain.byteLength, parameters: own, what });
  const isSame = equalBytes(decoded, plain);
  releaseBytes(decoded);
  return isSame;
}
