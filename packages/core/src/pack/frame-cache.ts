/** Decoded frames, least recently used first out: the blobs of a solid frame are asked for one after the other. */

export interface FrameCache {
  get(name: string): Uint8Array | undefined;
  put(name: string, plain: Uint8Array): void;
}

/** A cache of at most `maxBytes`; a frame larger than that is not kept. */
export function frameCache(maxBytes: number): FrameCache {
  const frames = new Map<string, Uint8Array>();
  let bytes = 0;
  return {
    get(name) {
      const plain = frames.get(name);
      if (plain !== undefined) {
        frames.delete(name);
        frames.set(name, plain);
      }
      return plain;
    },
    put(name, plain) {
      if (frames.has(name) || plain.byteLength > maxBytes) return;
      frames.set(name, plain);
      bytes += plain.byteLength;
      for (const [oldest, { byteLength }] of frames) {
        if (bytes <= maxBytes) break;
        frames.delete(oldest);
        bytes -= byteLength;
      }
    },
  };
}
