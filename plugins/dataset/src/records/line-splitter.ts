/** Cuts a stream of bytes into lines, at a bounded cost for whatever is in it. */

/** Bytes of the longest line, or quoted record, that is looked into. */
export const longestRecord: number = 16 * 1_048_576;

export interface Line {
  /** Without its end, `\n` or `\r\n`; only valid until the next line. Empty for a line that is too long. */
  readonly bytes: Uint8Array;
  /** From 1. */
  readonly number: number;
  /** Of its first byte in the file. */
  readonly offset: number;
  /** False for what follows the last newline. */
  readonly isEnded: boolean;
  /** Longer than `longestRecord`: its bytes were let go. */
  readonly isTooLong: boolean;
}

export interface LineSplitter {
  push(piece: Uint8Array): void;
  /** The last line, if it has no newline. */
  end(): void;
  /** Bytes so far. */
  size(): number;
}

/** Calls `onLine` for every line, synchronously, from within `push` and `end`. */
export function lineSplitter(onLine: (line: Line) => void): LineSplitter {
  let kept = new Uint8Array(0);
  let keptLength = 0;
  let isTooLong = false;
  let number = 0;
  let lineStart = 0;
  let position = 0;

  const keep = (bytes: Uint8Array): void => {
    const length = keptLength + bytes.length;
    if (isTooLong || length > longestRecord) {
      isTooLong = true;
      keptLength = 0;
      return;
    }
    if (length > kept.length) {
      const grown = new Uint8Array(Math.min(longestRecord, Math.max(length, 2 * kept.length, 4096)));
      grown.set(kept.subarray(0, keptLength));
      kept = grown;
    }
    kept.set(bytes, keptLength);
    keptLength = length;
  };
  const emit = (bytes: Uint8Array, isEnded: boolean): void => {
    const length = isEnded && bytes.at(-1) === 0x0d ? bytes.length - 1 : bytes.length;
    number += 1;
    onLine({ bytes: isTooLong ? nothing : bytes.subarray(0, length), number, offset: lineStart, isEnded, isTooLong });
    keptLength = 0;
    isTooLong = false;
  };
  return {
    push(piece) {
      let at = 0;
      for (let newline = piece.indexOf(0x0a); newline >= 0; newline = piece.indexOf(0x0a, at)) {
        const rest = piece.subarray(at, newline);
        if (keptLength === 0 && !isTooLong && rest.length <= longestRecord) emit(rest, true);
        else {
          keep(rest);
          emit(kept.subarray(0, keptLength), true);
        }
        at = newline + 1;
        lineStart = position + at;
      }
      if (at < piece.length) keep(piece.subarray(at));
      position += piece.length;
    },
    end() {
      if (position > lineStart) emit(kept.subarray(0, keptLength), false);
    },
    size: () => position,
  };
}

const nothing = new Uint8Array(0);
