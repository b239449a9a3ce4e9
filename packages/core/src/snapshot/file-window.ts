/**
 * The buffer that a file passes through: bytes are read behind those that a chunk still needs, and no place is written
 * over while a store still uses what stands there.
 */

/** Where the bytes of a window are, and what part of a file they are. */
export interface FileWindow {
  /** Bytes of the file from `offset` on, which are in the window. */
  view(offset: number, length: number): Uint8Array;
  /** Makes room for `length` more bytes behind `end`, keeping those from `needed` on; a view of the room. */
  room(needed: number, end: number, length: number): Promise<Uint8Array>;
  /** Says that `use` needs the bytes of a view until it settles. */
  lend(view: Uint8Array, use: Promise<unknown>): void;
  /** Settles when nothing is lent any more; never rejects. */
  returned(): Promise<void>;
}

interface Loan {
  readonly from: number;
  readonly to: number;
  readonly use: Promise<unknown>;
}

/**
 * A window over `buffer` for one file, from its start. It uses no more than the first `preferredBytes` as long as what is
 * kept leaves room there.
 */
export function fileWindow(buffer: Uint8Array, preferredBytes: number = buffer.length): FileWindow {
  /** Offset in the file of the first byte of the buffer. */
  let base = 0;
  const loans = new Set<Loan>();

  /** Waits until no loan reaches into `buffer[from..to)`. */
  const free = async (from: number, to: number): Promise<void> => {
    for (const loan of loans) if (loan.from < to && loan.to > from) await loan.use;
  };

  return {
    view: (offset, length) => buffer.subarray(offset - base, offset - base + length),

    async room(needed, end, length) {
      const kept = end - needed;
      const limit = kept + length > preferredBytes ? buffer.length : preferredBytes;
      if (end - base + length > limit) {
        if (kept + length > buffer.length) throw new RangeError(`expected a window of ${kept + length} bytes`);
        await free(0, kept);
        buffer.copyWithin(0, needed - base, end - base);
        base = needed;
      }
      const from = end - base;
      await free(from, from + length);
      return buffer.subarray(from, from + length);
    },

    lend(view, use) {
      const from = view.byteOffset - buffer.byteOffset;
      const settled = use.then(
        () => undefined,
        () => undefined,
      );
      const loan = { from, to: from + view.length, use: settled };
      loans.add(loan);
      void settled.then(() => loans.delete(loan));
    },

    async returned() {
      for (const { use } of loans) await use;
    },
  };
}
