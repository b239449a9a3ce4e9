/**
 * The text of one blob in the making, as bytes: what is gathered for a while as strings is copied from heap to heap by the
 * garbage collector, and a directory of many files gathers a megabyte.
 */

export interface LeafText {
  /** Bytes of the texts, with a comma behind each. */
  readonly byteLength: number;
  add(text: string): void;
  /** Start, texts and end, which are the caller's; the next `add` begins anew. */
  take(): Uint8Array;
}

const firstBytes = 2048;

/** Texts with commas between them, framed by `start` and `end`. */
export function leafText([start, end]: readonly [start: string, end: string]): LeafText {
  const startBytes = Buffer.byteLength(start);
  const endBytes = Buffer.byteLength(end);
  /** Made with the first text: most folders that are open at a time wait for others. */
  let bytes: Buffer | undefined;
  let used = startBytes;

  /** Memory with room for so many bytes more. */
  const roomFor = (more: number): Buffer => {
    const needed = used + more;
    if (bytes !== undefined && bytes.byteLength >= needed) return bytes;
    const larger = Buffer.allocUnsafeSlow(Math.max(firstBytes, needed, (bytes?.byteLength ?? 0) * 2));
    if (bytes === undefined) larger.write(start, 0);
    else bytes.copy(larger, 0, 0, used);
    bytes = larger;
    return larger;
  };

  return {
    get byteLength() {
      return used - startBytes;
    },
    add(text) {
      // A character of a string takes at most 3 bytes.
      const room = roomFor(text.length * 3 + 1);
      used += room.write(text, used);
      room[used] = comma;
      used += 1;
    },
    take() {
      const room = roomFor(endBytes);
      const textsEnd = used > startBytes ? used - 1 : used;
      const length = textsEnd + room.write(end, textsEnd);
      bytes = undefined;
      used = startBytes;
      return room.subarray(0, length);
    },
  };
}

const comma = 0x2c;
