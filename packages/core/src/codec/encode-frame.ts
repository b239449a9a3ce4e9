/**
 * How a frame is stored: the codec that pays, or `raw`. What a codec made is decoded and compared here, before anything
 * is sealed, so that no fault of a codec, a library or the machine can reach a repository unnoticed.
 */
import { MbkError } from '../errors.ts';
import { equalBytes } from '../format/bytes.ts';
import type { Encoded, FrameCodec } from './frame-codec.ts';
import { rawCodec } from './raw.ts';
import { releaseBytes } from '../crypto/release-bytes.ts';
import { fastZstdCodec, zstdCodec } from './zstd.ts';

export interface EncodedFrame extends Encoded {
  /** Number of the codec that was taken. */
  readonly codec: number;
}

/** A codec that saves less than this part of the bytes is not worth its decoding. */
const leastSaving = 1 / 64;

/** Frames from here on are tried by a sample first: most large ones are tensors or media that do not compress. */
const probeFromBytes = 256 * 1024;
/** The slower level is taken when it makes this of what the fast one makes: weights have no matches to find, text has. */
const levelPays = 0.97;
const probeSlices = 4;
const probeSliceBytes = 16 * 1024;

/**
 * The stored form of one frame's plaintext. The result may be `plain` itself.
 * Errors: `self-test-failed` when a codec does not give back what it was given.
 */
export function encodeFrame(plain: Uint8Array): EncodedFrame {
  if (plain.byteLength < probeFromBytes) return encodeWith(zstdCodec, plain);
  const sample = sampleOf(plain);
  const fast = fastZstdCodec.encode(sample);
  if (!pays(fast, sample.byteLength)) return raw(plain);
  const isWorthMore = zstdCodec.encode(sample).stored.byteLength < fast.stored.byteLength * levelPays;
  return encodeWith(isWorthMore ? zstdCodec : fastZstdCodec, plain);
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

function raw(plain: Uint8Array): EncodedFrame {
  return { codec: rawCodec.number, ...rawCodec.encode(plain) };
}

function pays({ stored, parameters }: Encoded, plainLength: number): boolean {
  return plainLength - stored.byteLength - parameters.byteLength >= plainLength * leastSaving && plainLength > 0;
}

/** Slices from all over the frame: its start alone is often a header, or one small file of many. */
function sampleOf(plain: Uint8Array): Uint8Array {
  const sample = new Uint8Array(probeSlices * probeSliceBytes);
  const last = plain.byteLength - probeSliceBytes;
  for (let slice = 0; slice < probeSlices; slice += 1) {
    const start = Math.floor((last * slice) / (probeSlices - 1));
    sample.set(plain.subarray(start, start + probeSliceBytes), slice * probeSliceBytes);
  }
  return sample;
}

function compare(codec: FrameCodec, { stored, parameters }: Encoded, plain: Uint8Array): void {
  let decoded: Uint8Array | undefined;
  let cause: unknown;
  try {
    decoded = codec.decode(stored, {
      plainLength: plain.byteLength,
      parameters,
      what: 'a frame that was just encoded',
    });
  } catch (error) {
    cause = error;
  }
  if (decoded === undefined || !equalBytes(decoded, plain)) {
    throw new MbkError(
      'self-test-failed',
      `codec ${codec.name} did not give back the ${plain.byteLength} bytes it encoded`,
      { cause },
    );
  }
  releaseBytes(decoded);
}
