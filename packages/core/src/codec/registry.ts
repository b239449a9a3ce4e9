/** The codecs that this program knows, by their numbers in frame rows. */
import { MbkError } from '../errors.ts';
import type { DecodeOptions, FrameCodec } from './frame-codec.ts';
import { rawCodec } from './raw.ts';
import { tensorReader } from './tensor.ts';
import { zstdCodec } from './zstd.ts';

const codecs: ReadonlyMap<number, Pick<FrameCodec, 'decode'>> = new Map(
  [rawCodec, zstdCodec, tensorReader].map((codec) => [codec.number, codec]),
);

/** The plaintext of a frame that codec `number` wrote. Errors: `codec-unknown`, `value-invalid`. */
export function decodeFrame(number: number, stored: Uint8Array, options: DecodeOptions): Uint8Array {
  const codec = codecs.get(number);
  if (codec === undefined) {
    throw new MbkError('codec-unknown', `${options.what} was written with codec ${number}`, {
      details: { codec: number },
    });
  }
  return codec.decode(stored, options);
}
