/** The codecs that this program knows, by their numbers in frame rows. */
import { MbkError } from '../errors.ts';
import { releaseBytes } from '../crypto/release-bytes.ts';
import type { DecodeOptions, FrameCodec, TakePart } from './frame-codec.ts';
import { deriveReader } from './derive.ts';
import { rawCodec } from './raw.ts';
import { tensorDeltaReader } from './tensor-delta.ts';
import { tensorReader } from './tensor.ts';
import { zstdCodec } from './zstd.ts';

type Decoder = Pick<FrameCodec, 'decode' | 'decodeParts'>;

const codecs: ReadonlyMap<number, Decoder> = new Map(
  [rawCodec, zstdCodec, tensorReader, tensorDeltaReader, deriveReader].map(
    (codec: Decoder & Pick<FrameCodec, 'number'>) => [codec.number, codec],
  ),
);

/** The plaintext of a frame that codec `number` wrote. Errors: `codec-unknown`, `value-invalid`. */
export function decodeFrame(number: number, stored: Uint8Array, options: DecodeOptions): Uint8Array {
  return codecOf(number, options).decode(stored, options);
}

/**
 * The same in parts, in their order, each in memory that holds until `take` returns. Errors: as `decodeFrame`, perhaps
 * after some parts; what `take` throws.
 */
export function decodeFrameParts(number: number, stored: Uint8Array, options: DecodeOptions, take: TakePart): void {
  const codec = codecOf(number, options);
  if (codec.decodeParts !== undefined) {
    let given = 0;
    codec.decodeParts(stored, options, (bytes, offset) => {
      given += bytes.byteLength;
      take(bytes, offset);
    });
    // Whoever gathers the parts has memory in which the bytes of other frames may lie.
    if (given !== options.plainLength)
      throw new MbkError(
        'value-invalid',
        `${options.what} decodes to ${given} bytes, its row says ${options.plainLength}`,
      );
    return;
  }
  const plain = codec.decode(stored, options);
  take(plain, 0);
  if (plain.buffer !== stored.buffer) releaseBytes(plain);
}

function codecOf(number: number, options: DecodeOptions): Decoder {
  const codec = codecs.get(number);
  if (codec === undefined) {
    throw new MbkError('codec-unknown', `${options.what} was written with codec ${number}`, {
      details: { codec: number },
    });
  }
  return codec;
}
