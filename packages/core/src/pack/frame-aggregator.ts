/** Gathers small blobs to solid frames: 50,000 small files cost a few hundred seals and compress as one stream. */
import { parameters } from '../format/limits.ts';
import type { FooterBlob } from '../format/pack-footer.ts';

export interface FrameAggregator {
  /** Whether a blob of `length` bytes can be added. */
  hasRoomFor(length: number): boolean;
  /** Copies a blob in. RangeError when there is no room. */
  add(blob: FooterBlob, bytes: Uint8Array): void;
  /** What was gathered, undefined when nothing was. `plain` holds until the next `add`. */
  take(): { readonly plain: Uint8Array; readonly blobs: readonly FooterBlob[] } | undefined;
}

/** Blobs of a few bytes would make rows that outgrow their frame. */
const maxBlobs = 4096;

export function frameAggregator(frameBytes: number = parameters.frameBytes): FrameAggregator {
  const buffer = new Uint8Array(frameBytes);
  let blobs: FooterBlob[] = [];
  let used = 0;
  const hasRoomFor = (length: number): boolean => used + length <= frameBytes && blobs.length < maxBlobs;
  return {
    hasRoomFor,
    add(blob, bytes) {
      if (!hasRoomFor(bytes.byteLength))
        throw new RangeError(`expected at most ${frameBytes - used} bytes, got ${bytes.byteLength}`);
      buffer.set(bytes, used);
      used += bytes.byteLength;
      blobs.push(blob);
    },
    take() {
      if (blobs.length === 0) return undefined;
      const taken = { plain: buffer.subarray(0, used), blobs };
      used = 0;
      blobs = [];
      return taken;
    },
  };
}
