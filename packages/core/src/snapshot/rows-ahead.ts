/**
 * Rows of a stat cache by path, read ahead: a walk asks nearly in the order of the paths, and a query for each file
 * costs several times what its row costs in a batch. Asked in any other order it is a query for each, or nearly.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { ByteString } from '../format/byte-name.ts';

/** As SQLite gave it: whether it makes sense is for the reader to check. */
export interface StatRow {
  readonly id: unknown;
  readonly capture: unknown;
  readonly record: unknown;
  readonly sum: unknown;
}

export interface RowsAhead {
  /** The row at `path`. All calls must see the same rows, so they lie in one transaction. Throws what SQLite throws. */
  find(path: ByteString): StatRow | undefined;
}

/**
 * Rows of a batch: a few after a jump, up to so many as long as they are asked for one after the other. Of many more, most
 * would outlive the young generation, and be copied twice before they are garbage.
 */
const fewest = 4;
const most = 64;

export function rowsAhead(database: DatabaseSync): RowsAhead {
  const select = database.prepare(
    'SELECT path, id, capture, record, sum FROM files WHERE path >= ? ORDER BY path LIMIT ?',
  );
  select.setReturnArrays(true);
  /** All rows from path `first` to path `last`, which is undefined where there are no more. */
  let rows: readonly (readonly unknown[])[] = [];
  let first: ByteString | undefined;
  let last: ByteString | undefined;
  /** Number of the row that is asked for if they are asked for in order. */
  let next = 0;
  let size = fewest;
  let asked = 0;

  const readFrom = (path: ByteString): void => {
    size = asked * 2 > rows.length ? Math.min(size * 4, most) : fewest;
    rows = select.all(path, size) as unknown as readonly (readonly unknown[])[];
    first = path;
    last = rows.length < size ? undefined : pathOf(rows.at(-1));
    next = 0;
    asked = 0;
  };

  return {
    find(path) {
      if (first === undefined || path < first || (last !== undefined && path > last)) readFrom(path);
      asked += 1;
      if (pathOf(rows[next]) !== path) next = lowerBound(rows, path);
      const row = rows[next];
      if (row === undefined || pathOf(row) !== path) return undefined;
      next += 1;
      return { id: row[1], capture: row[2], record: row[3], sum: row[4] };
    },
  };
}

function pathOf(row: readonly unknown[] | undefined): ByteString | undefined {
  return row === undefined ? undefined : String(row[0]);
}

/** Number of the first row at `path` or behind it. SQLite orders text by its bytes, which for bytes as text is the same. */
function lowerBound(rows: readonly (readonly unknown[])[], path: ByteString): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((pathOf(rows[middle]) ?? '') < path) low = middle + 1;
    else high = middle;
  }
  return low;
}
