import { stripVTControlCharacters } from 'node:util';

export interface TableOptions {
  /** Columns, by index, whose cells stand to the right; numbers usually do. */
  readonly right?: readonly number[];
}

/** A plain table: two spaces between columns, no trailing spaces. Cells are already safe for a terminal. */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { right = [] }: TableOptions = {},
): string {
  const widths = head.map(width);
  for (const row of rows) {
    for (let column = 0; column < widths.length; column += 1) {
      widths[column] = Math.max(widths[column] ?? 0, width(row[column] ?? ''));
    }
  }
  const last = widths.length - 1;
  const lines = [head, ...rows].map((row) => {
    let line = '';
    for (let column = 0; column <= last; column += 1) {
      const cell = row[column] ?? '';
      // Colours are part of the text and take no room.
      const length = (widths[column] ?? 0) + cell.length - width(cell);
      line += right.includes(column) ? cell.padStart(length) : cell.padEnd(length);
      if (column < last) line += '  ';
    }
    return line.trimEnd();
  });
  return lines.join('\n');
}

/** Visible characters, colours not counted. */
function width(cell: string): number {
  // Most cells are plain: a table of ten thousand rows has a hundred thousand of them.
  return /^[ -~]*$/.test(cell) ? cell.length : Array.from(stripVTControlCharacters(cell)).length;
}
