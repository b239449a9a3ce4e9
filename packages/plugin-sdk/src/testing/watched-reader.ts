/** A reader that writes down every promise a plugin breaks, so that a plugin which catches errors is found out too. */

import { layoutLimits } from '../layout.ts';
import type { Reader, ReadOptions } from '../reader.ts';

export interface ReadLimits {
  /** Bytes in one read. */
  readonly largestRead: number;
  /** Bytes in all reads. */
  readonly totalBytes: number;
  readonly reads: number;
}

export interface WatchedReader extends Reader {
  /** What was done against the contract; empty when all is well. */
  readonly violations: readonly string[];
  reads(): number;
}

/** Passes reads on within the limits; beyond them, and past the end, it notes a violation and throws. */
export function watchedReader(inner: Reader, limits: ReadLimits): WatchedReader {
  const violations: string[] = [];
  let reads = 0;
  let totalBytes = 0;
  const refuse = (violation: string): never => {
    violations.push(violation);
    throw new RangeError(violation);
  };
  const count = (length: number): void => {
    reads += 1;
    totalBytes += length;
    if (length > limits.largestRead) refuse(`one read of ${length} bytes, of at most ${limits.largestRead}`);
    if (totalBytes > limits.totalBytes) refuse(`${totalBytes} bytes read, of at most ${limits.totalBytes}`);
    if (reads > limits.reads) refuse(`${reads} reads, of at most ${limits.reads}`);
  };
  return {
    path: inner.path,
    size: inner.size,
    violations,
    reads: () => reads,
    async read(offset: number, length: number, options: ReadOptions = {}): Promise<Uint8Array> {
      options.signal?.throwIfAborted();
      const isInside = offset >= 0 && length >= 0 && offset + length <= inner.size;
      if (!isInside) refuse(`a read of ${offset} + ${length} in a file of ${inner.size} bytes`);
      count(length);
      return inner.read(offset, length, options);
    },
    async *stream(options: ReadOptions = {}): AsyncGenerator<Uint8Array> {
      for await (const piece of inner.stream(options)) {
        count(piece.length);
        yield piece;
      }
    },
    sibling: (relative, options) => inner.sibling(relative, options),
  };
}

/** Reading every byte four times over is already too much; a header is walked once. */
export function readLimitsFor(size: number): ReadLimits {
  const totalBytes = Math.min(size * 4, layoutLimits.headerBytes) + (1 << 22);
  return { largestRead: 1 << 25, totalBytes, reads: 100_000 };
}
