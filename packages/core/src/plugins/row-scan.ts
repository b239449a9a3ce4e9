/**
 * What was found in the rows of tensors while a file passed by, so that nobody reads them again for it: NaNs and
 * infinities by place, and which bytes were looked at as what.
 */
import { allFinite, canBeNonFinite, type NonFinite, type TensorSpan } from '@mbk/plugin-sdk';

/** Plain data, for other threads. */
export interface RowScan {
  /** Names of dtypes; the first is that of zeros, which are finite as whatever they are. */
  readonly dtypes: readonly string[];
  /** In the order of the file: offset, length, place in `dtypes`. */
  readonly ranges: Float64Array;
  /** In the order of the file: byte of the first, NaNs, infinities, of each piece that has any. */
  readonly bad: Float64Array;
}

export interface RowCollector {
  /** Takes the next piece, of whole elements or blocks. */
  piece(offset: number, length: number, dtype: string, found: NonFinite): void;
  /** Takes a piece of zeros. */
  zeros(offset: number, length: number): void;
  result(): RowScan;
}

const zerosDtype = '';

export function rowCollector(): RowCollector {
  const dtypes = [zerosDtype];
  const ranges: number[] = [];
  const bad: number[] = [];
  const add = (offset: number, length: number, dtype: string): void => {
    let number = dtypes.indexOf(dtype);
    if (number === -1) number = dtypes.push(dtype) - 1;
    const last = ranges.length - 3;
    const isNext = last >= 0 && ranges[last + 2] === number && (ranges[last] ?? 0) + (ranges[last + 1] ?? 0) === offset;
    if (isNext) ranges[last + 1] = (ranges[last + 1] ?? 0) + length;
    else ranges.push(offset, length, number);
  };
  return {
    piece(offset, length, dtype, { first, infinite, nan }) {
      add(offset, length, dtype);
      if (first >= 0) bad.push(offset + first, nan, infinite);
    },
    zeros: (offset, length) => add(offset, length, zerosDtype),
    result: () => ({ dtypes, ranges: Float64Array.from(ranges), bad: Float64Array.from(bad) }),
  };
}

/** What the scan says of a span; undefined if it did not see all of it as that dtype. */
export function scannedRows({ bad, dtypes, ranges }: RowScan, span: TensorSpan): NonFinite | undefined {
  const { byteOrder, dtype, length, offset } = span;
  if (length === 0 || !canBeNonFinite(dtype)) return allFinite;
  const number = dtypes.indexOf(dtype);
  const end = offset + length;
  let at = offset;
  for (let i = rangeAt(ranges, offset) * 3; at < end; i += 3) {
    const start = ranges[i];
    if (start === undefined || start > at || (ranges[i + 1] ?? 0) + start <= at) return undefined;
    const seenAs = ranges[i + 2] ?? 0;
    if (seenAs !== 0 && (seenAs !== number || byteOrder === 'big')) return undefined;
    at = start + (ranges[i + 1] ?? 0);
  }
  let nan = 0;
  let infinite = 0;
  let first = -1;
  for (let i = 0; i < bad.length; i += 3) {
    const place = bad[i] ?? 0;
    if (place < offset || place >= end) continue;
    if (first < 0) first = place - offset;
    nan += bad[i + 1] ?? 0;
    infinite += bad[i + 2] ?? 0;
  }
  return { nan, infinite, first };
}

/** Place of the last range that begins at or before `offset`; 0 if none does. */
function rangeAt(ranges: Float64Array, offset: number): number {
  let low = 0;
  let high = ranges.length / 3;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if ((ranges[middle * 3] ?? 0) <= offset) low = middle;
    else high = middle;
  }
  return low;
}
