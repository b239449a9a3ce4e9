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

  /**
   * The same, part by part: `take` gets all bytes of the frame in their order, in memory that holds until it returns. For
   * codecs that need no memory for all of it. Errors: as `decode`, perhaps after some parts.
   */
  decodeParts?(stored: Uint8Array, options: DecodeOptions, take: TakePart): void;

  /** Whether `encoded` decodes to `plain`, for codecs that can tell without memory for all of it. Errors: as `decode`. */
  gives?(plain: Uint8Array, encoded: Encoded, what: string): boolean;
}

/** Hears of a part of a frame, and where in the frame it begins. */
export type TakePart = (bytes: Uint8Array, offset: number) => void;

export interface Encoded {
  readonly stored: Uint8Array;
  /** Codec parameters of the frame row, at most 65,535 bytes. */
  readonly parameters: Uint8Array;
}

export interface DecodeOptions {
  readonly plainLength: number;
  readonly parameters: Uint8Array;
  /** The blobs that the frame row names as bases, in its order; none unless given. They may be anything. */
  readonly bases?: readonly Uint8Array[] | undefined;
  /** Names the frame in messages. */
  readonly what: string;
}

export const noParameters: Uint8Array = new Uint8Array(0);
