/** Codec 0: the blobs as they are. */
import { MbkError } from '../errors.ts';
import { type FrameCodec, noParameters } from './frame-codec.ts';

export const rawCodec: FrameCodec = {
  number: 0,
  name: 'raw',
  encode: (plain) => ({ stored: plain, parameters: noParameters }),
  decode(stored, { plainLength, what }) {
    if (stored.byteLength !== plainLength) {
      throw new MbkError('value-invalid', `${what} holds ${stored.byteLength} bytes, its row says ${plainLength}`);
    }
    return stored;
  },
};
