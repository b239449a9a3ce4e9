/** The bytes of a source as they are taken part by part: one after the other, or row by row in another order. */

/** Bytes that are given out in parts, one after the other. */
export interface SourceBytes {
  /** Takes the next `length` bytes to `memory`, from about `at` on; where they lie there. They are there to be had. */
  take(memory: Uint8Array, at: number, length: number): number;
}

/** All bytes of `bases` from `offset` on, wherever the cuts between those that hold them are. */
export function sourceBytes(bases: readonly Uint8Array[], offset: number): SourceBytes {
  const copy = copierOf(bases);
  let position = offset;
  return {
    take(memory, at, length) {
      const start = at + copy.alignmentOf(position);
      copy.to(memory, start, position, length);
      position += length;
      return start;
    },
  };
}

/** In which order rows are taken, group by group. */
export interface RowOrder {
  /**
   * `interleaved`: the first row of the first half of the group, the first of the second half, the second of the first, …;
   * `parted`: the first row, the third, …, then the second, the fourth, …, which takes that back.
   */
  readonly kind: 'interleaved' | 'parted';
  /** Elements of a row. */
  readonly elements: number;
  /** Rows of a group, an even number. */
  readonly rows: number;
  /** Elements before the first that is taken, in that order, from the first group on. */
  readonly skip: number;
}

/** Elements of `bytes` bytes each, of rows in that order; the first group begins at `offset` in all bytes of `bases`. */
export function orderedRows(
  bases: readonly Uint8Array[],
  offset: number,
  { kind, elements, rows, skip }: RowOrder,
  bytes: number,
): SourceBytes {
  const copy = copierOf(bases);
  const takenIn = kind === 'interleaved' ? interleaved : parted;
  const rowBytes = elements * bytes;
  let position = skip * bytes;
  return {
    take(memory, from, length) {
      const start = from + copy.alignmentOf(offset);
      for (let done = 0; done < length;) {
        const row = Math.floor(position / rowBytes);
        const inRow = position - row * rowBytes;
        const part = Math.min(length - done, rowBytes - inRow);
        const at = row % rows;
        copy.to(memory, start + done, offset + (row - at + takenIn(at, rows)) * rowBytes + inRow, part);
        position += part;
        done += part;
      }
      return start;
    },
  };
}

/** Which of the rows of a group is taken as number `at`. */
function interleaved(at: number, rows: number): number {
  return (at % 2) * (rows / 2) + Math.floor(at / 2);
}

function parted(at: number, rows: number): number {
  const half = rows / 2;
  return at < half ? 2 * at : 2 * (at - half) + 1;
}

interface Copier {
  /** How the byte at `position` lies to a word: only where source and target lie alike, V8 copies word by word. */
  alignmentOf(position: number): number;
  /** Copies `length` bytes from `position` of all bytes to `memory`. */
  to(memory: Uint8Array, at: number, position: number, length: number): void;
}

function copierOf(bases: readonly Uint8Array[]): Copier {
  /** The base that was used last, and where it begins. */
  let number = 0;
  let start = 0;
  const baseAt = (position: number): Uint8Array => {
    if (position < start) [number, start] = [0, 0];
    for (let base = bases[number]; base !== undefined; base = bases[number]) {
      if (position < start + base.length) return base;
      start += base.length;
      number += 1;
    }
    throw new RangeError(`expected more bytes of a source than ${start}`);
  };
  return {
    alignmentOf: (position) => (baseAt(position).byteOffset + position - start) & 7,
    to(memory, at, position, length) {
      for (let done = 0; done < length;) {
        const base = baseAt(position + done);
        const from = position + done - start;
        const part = base.subarray(from, from + length - done);
        memory.set(part, at + done);
        done += part.length;
      }
    },
  };
}
