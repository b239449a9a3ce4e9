import { cutEnd, widthOf } from './terminal-width.ts';

export interface TableOptions {
  /** Columns, by index, whose cells stand to the right; numbers usually do. */
  readonly right?: readonly number[];
  /** Width of the terminal; undefined where nothing is to be cut off. */
  readonly columns?: number | undefined;
  /** Columns, by index, that may be cut off with an ellipsis where the terminal is narrow, the least important one first. */
  readonly cut?: readonly number[];
}

/** A column that is cut keeps as much, so that it still says something. */
const leastWidth = 8;
const gap = 2;

/** A plain table: two spaces between columns, no trailing spaces. Cells are already safe for a terminal. */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { right = [], columns, cut = [] }: TableOptions = {},
): string {
  const widths = head.map(widthOf);
  for (const row of rows) {
    for (let column = 0; column < widths.length; column += 1) {
      widths[column] = Math.max(widths[column] ?? 0, widthOf(row[column] ?? ''));
    }
  }
  const cutColumns = narrow(widths, head, { columns, cut });
  const last = widths.length - 1;
  const lines = [head, ...rows].map((row) => {
    let line = '';
    for (let column = 0; column <= last; column += 1) {
      const whole = row[column] ?? '';
      const cell = cutColumns.has(column) ? cutEnd(whole, widths[column] ?? 0) : whole;
      // Colours are part of the text and take no room.
      const length = (widths[column] ?? 0) + cell.length - widthOf(cell);
      line += right.includes(column) ? cell.padStart(length) : cell.padEnd(length);
      if (column < last) line += '  ';
    }
    return line.trimEnd();
  });
  return lines.join('\n');
}

/** Makes columns narrower until the table fits, or no more can go; says which are. */
function narrow(
  widths: number[],
  head: readonly string[],
  { columns = Infinity, cut }: { readonly columns: number | undefined; readonly cut: readonly number[] },
): ReadonlySet<number> {
  const narrowed = new Set<number>();
  let excess = widths.reduce((sum, width) => sum + width + gap, -gap) - columns;
  for (const column of cut) {
    const width = widths[column] ?? 0;
    const least = Math.max(leastWidth, widthOf(head[column] ?? ''));
    const less = Math.min(excess, width - least);
    if (less <= 0) continue;
    widths[column] = width - less;
    excess -= less;
    narrowed.add(column);
  }
  return narrowed;
}
