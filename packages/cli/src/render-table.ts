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
  const lines = [head, ...rows].map((cells) => cells.map((cell) => ({ cell, width: width(cell) })));
  const widths = head.map((_, column) => lines.reduce((widest, line) => Math.max(widest, line[column]?.width ?? 0), 0));
  return lines
    .map((line) =>
      widths
        .map((columnWidth, column) => {
          const { cell, width: cellWidth } = line[column] ?? { cell: '', width: 0 };
          const padding = ' '.repeat(columnWidth - cellWidth);
          return right.includes(column) ? padding + cell : cell + padding;
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Visible characters, colours not counted. */
function width(cell: string): number {
  // Most cells are plain: a table of ten thousand rows has a hundred thousand of them.
  return /^[ -~]*$/.test(cell) ? cell.length : Array.from(stripVTControlCharacters(cell)).length;
}
