/** How a plugin reads a file: the same interface for a local file, a stored version and a remote one. */

export interface ReadOptions {
  /** Aborted when the bytes are no longer wanted. */
  readonly signal?: AbortSignal;
}

export interface Reader {
  /** With `/` between names, relative to the snapshot's root. */
  readonly path: string;
  /** Bytes in the file. */
  readonly size: number;
  /**
   * Exactly `length` bytes from `offset`; a RangeError when they do not all lie inside the file.
   * The bytes stay valid and are not to be modified. Rejects with the signal's reason once it is aborted.
   */
  read(offset: number, length: number, options?: ReadOptions): Promise<Uint8Array>;
  /** The whole file from its start, in pieces of any size. */
  stream(options?: ReadOptions): AsyncIterable<Uint8Array>;
  /**
   * A file named relative to this one's folder (`../x` too), or from the snapshot's root with a leading `/`; never one
   * outside the root. Undefined when there is none. What a plugin says of a file may depend on the siblings it asked for.
   */
  sibling(relative: string, options?: ReadOptions): Promise<Reader | undefined>;
}

/** A file that passes by once: what `scan` gets. `stream` may be called once, and need not be read to its end. */
export type StreamReader = Pick<Reader, 'path' | 'size' | 'stream'>;

/**
 * A reader over bytes in memory, which are not copied; `siblings` are the other files by what `sibling` is asked for. A
 * sibling knows the same files.
 */
export function memoryReader(
  path: string,
  bytes: Uint8Array,
  siblings: Readonly<Record<string, Uint8Array>> = {},
): Reader {
  const read = async (offset: number, length: number, { signal }: ReadOptions = {}): Promise<Uint8Array> => {
    signal?.throwIfAborted();
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0) {
      throw new RangeError(`expected an offset and a length in bytes, got ${offset} and ${length}`);
    }
    if (offset + length > bytes.length) {
      throw new RangeError(`expected a range within ${bytes.length} bytes of ${path}, got ${offset} + ${length}`);
    }
    return bytes.subarray(offset, offset + length);
  };
  return {
    path,
    size: bytes.length,
    read,
    async *stream({ signal }: ReadOptions = {}): AsyncGenerator<Uint8Array> {
      const piece = 1 << 20;
      for (let at = 0; at < bytes.length; at += piece) {
        signal?.throwIfAborted();
        yield bytes.subarray(at, at + piece);
      }
    },
    async sibling(relative: string, { signal }: ReadOptions = {}): Promise<Reader | undefined> {
      signal?.throwIfAborted();
      const found = Object.hasOwn(siblings, relative) ? siblings[relative] : undefined;
      const folder = path.slice(0, path.lastIndexOf('/') + 1);
      const place = relative.startsWith('/') ? relative.slice(1) : folder + relative;
      return found && memoryReader(place, found, siblings);
    },
  };
}
