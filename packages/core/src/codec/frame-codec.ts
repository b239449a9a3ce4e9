/**
 * What a frame codec is: bytes of one frame → fewer bytes, and back (docs/format.md, Frames and codecs).
 */

export interface FrameCodec {
  /** Number in frame rows, 0 to 255. */
  readonly number: number;
  readonly name: string;

  /** The frame's bytes in the codec's form, in an array of their own (`raw`: the frame itself; `tensor` says its own). */
  encode(plain: Uint8Array): Encoded;

  /**
   * The frame's plaintext, exactly `plainLength` bytes; never allocates much more than that, whatever `stored` says.
   *
   * Errors: `value-invalid` naming `what` when the bytes do not decode to that length.
   */
  decode(stored: Uint8Array, options: DecodeOptions): Uint8Array;

  /** Whether `encoded` decodes to `plain`, for codecs that can tell without memory for all of it. Errors: as `decode`. */
  gives?(plain: Uint8Array, encoded: Encoded, what: string): boolean;
}

export interface Encoded {
  readonly stored: Uint8Array;
  /** Codec parameters of the frame row, at most 65,535 bytes. */
  readonly parameters: Uint8Array;
}

export interface DecodeOptions {
  readonly plainLength: number;
  readonly parameters: Uint8Array;
  /** Names the frame in messages. */
  readonly what: string;
}

export const noParameters: Uint8Array = new Uint8Array(0);
