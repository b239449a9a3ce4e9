/**
 * Walks through a header by windows: numbers are read synchronously from what `need` has brought in, bytes that are
 * only skipped are never read. A window starts at 64 KiB and doubles to 1 MiB while reading goes on without a gap.
 */

import { LayoutError } from './layout.ts';
import type { Reader } from './reader.ts';

export interface ByteCursorOptions {
  /** First part of the codes of the errors: `gguf` makes `gguf/truncated`. */
  readonly format: string;
  readonly signal: AbortSignal;
  /** First byte; 0 unless given. */
  readonly start?: number;
  /** One past the last byte that may be looked at; the end of the file unless given. */
  readonly end?: number;
}

export interface ByteCursor {
  /** Of the next byte, from the start of the file. */
  offset(): number;
  /** Bytes up to the end. */
  remaining(): number;
  /** Whether that many bytes can be read without another `need`. */
  has(length: number): boolean;
  /**
   * Makes the next `length` bytes readable, at most 16 MiB at once.
   * LayoutError `<format>/truncated` where the file ends before, `<format>/header-too-large` where only the limit does.
   */
  need(length: number): Promise<void>;
  u8(): number;
  u16(littleEndian: boolean): number;
  u32(littleEndian: boolean): number;
  u64(littleEndian: boolean): bigint;
  /** A view of the next bytes; it stays valid. */
  take(length: number): Uint8Array;
  /** The window's bytes from here on, at least one while any remain after `need(1)`. */
  peek(): Uint8Array;
  /** Moves on without reading; the same errors as `need`. */
  skip(length: number | bigint): void;
}

const firstWindow = 1 << 16;
const largestWindow = 1 << 20;
const largestNeed = 1 << 24;

/** A cursor over the bytes of `reader` from `start` to `end`, which it reads in windows. */
export function byteCursor(reader: Reader, options: ByteCursorOptions): ByteCursor {
  const { format, signal, start = 0 } = options;
  const end = Math.min(options.end ?? reader.size, reader.size);
  let position = Math.min(start, end);
  let window: Uint8Array = new Uint8Array(0);
  let view = new DataView(window.buffer);
  let windowStart = position;
  let windowSize = firstWindow;

  const windowEnd = (): number => windowStart + window.length;
  const has = (length: number): boolean => position >= windowStart && position + length <= windowEnd();

  const refuse = (length: number | bigint): never => {
    const cause = end < reader.size ? 'header-too-large' : 'truncated';
    throw new LayoutError(`${format}/${cause}`, `${length} bytes at ${position} reach past byte ${end}`, position);
  };

  const load = async (length: number): Promise<void> => {
    const isSequential = window.length > 0 && position <= windowEnd();
    windowSize = isSequential ? Math.min(windowSize * 2, largestWindow) : firstWindow;
    const size = Math.min(Math.max(length, windowSize), end - position);
    window = await reader.read(position, size, { signal });
    view = new DataView(window.buffer, window.byteOffset, window.byteLength);
    windowStart = position;
    if (window.length !== size) throw new RangeError(`expected ${size} bytes from the reader, got ${window.length}`);
  };

  /** The place of the next `length` bytes in the window; moves past them. */
  const advance = (length: number): number => {
    if (!has(length)) throw new RangeError(`expected need(${length}) at ${position} before reading`);
    const at = position - windowStart;
    position += length;
    return at;
  };

  return {
    offset: () => position,
    remaining: () => end - position,
    has,
    async need(length: number): Promise<void> {
      if (has(length)) return;
      if (length > end - position) refuse(length);
      if (length > largestNeed) throw new RangeError(`expected at most ${largestNeed} bytes at once, got ${length}`);
      signal.throwIfAborted();
      await load(length);
    },
    u8: () => view.getUint8(advance(1)),
    u16: (littleEndian) => view.getUint16(advance(2), littleEndian),
    u32: (littleEndian) => view.getUint32(advance(4), littleEndian),
    u64: (littleEndian) => view.getBigUint64(advance(8), littleEndian),
    take(length: number): Uint8Array {
      const at = advance(length);
      return window.subarray(at, at + length);
    },
    peek: () => (has(0) ? window.subarray(position - windowStart) : new Uint8Array(0)),
    skip(length: number | bigint): void {
      if (length > end - position) refuse(length);
      position += Number(length);
    },
  };
}
