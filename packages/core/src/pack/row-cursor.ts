/** Rows of one region one after the other, however its pages are cut. */
import type { Region } from '../format/index-segment.ts';
import { rowBytes } from '../format/index-segment.ts';
import type { SegmentRows } from './segment-source.ts';

export interface RowCursor {
  /** The next row, a view that holds until the next call; undefined at the end. */
  next(): Uint8Array | undefined;
  /** Passes over `rows` rows and gives them to `each` as views of one or more rows. */
  take(rows: number, each?: (rows: Uint8Array) => void): void;
}

export function rowCursor(source: SegmentRows, region: Region): RowCursor {
  const size = rowBytes[region];
  const pages = source.pages(region)[Symbol.iterator]();
  let page: Uint8Array = new Uint8Array(0);
  let at = 0;

  /** Whether a row lies at `at`, after the next page was brought if need be. */
  const fill = (): boolean => {
    while (at >= page.byteLength) {
      const { done, value } = pages.next();
      if (done === true) return false;
      page = value;
      at = 0;
    }
    return true;
  };

  return {
    next() {
      if (!fill()) return undefined;
      at += size;
      return page.subarray(at - size, at);
    },
    take(rows, each) {
      let left = rows * size;
      while (left > 0) {
        if (!fill()) throw new RangeError(`expected ${rows} rows of ${region}, got ${rows - left / size}`);
        const length = Math.min(left, page.byteLength - at);
        each?.(page.subarray(at, at + length));
        at += length;
        left -= length;
      }
    },
  };
}
