/** Bits in bytes, the lowest of a byte first. */

export interface BitWriter {
  /** Appends the lowest `count` bits of `value`, 0 to 16 of them. */
  put(value: number, count: number): void;
  /** Where the bytes end, the last one filled with zeros. */
  end(): number;
}

/** Writes to `bytes` from `start` on. */
export function bitWriter(bytes: Uint8Array, start: number): BitWriter {
  let at = start;
  let held = 0;
  let bits = 0;
  const flush = (most: number): void => {
    while (held > most) {
      bytes[at] = bits & 255;
      bits >>>= 8;
      held -= 8;
      at += 1;
    }
  };
  return {
    put(value, count) {
      bits |= (value & ((1 << count) - 1)) << held;
      held += count;
      flush(7);
    },
    end() {
      flush(0);
      held = 0;
      return at;
    },
  };
}

export interface BitReader {
  /** The next `count` bits, 0 to 16 of them; zeros behind the last byte. */
  get(count: number): number;
  /** Bytes of which bits were taken, perhaps more than there are; undefined when what is left of the last one is not 0. */
  end(): number | undefined;
}

export function bitReader(bytes: Uint8Array): BitReader {
  let at = 0;
  let held = 0;
  let bits = 0;
  return {
    get(count) {
      while (held < count) {
        bits |= (bytes[at] ?? 0) << held;
        held += 8;
        at += 1;
      }
      const value = bits & ((1 << count) - 1);
      bits >>>= count;
      held -= count;
      return value;
    },
    end: () => (bits === 0 ? at : undefined),
  };
}
