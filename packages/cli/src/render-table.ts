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
  const lines = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => width(line[column] ?? ''))));
  return lines
    .map((line) =>
      widths
        .map((columnWidth, column) => {
          const cell = line[column] ?? '';
          const padding = ' '.repeat(columnWidth - width(cell));
          return right.includes(column) ? padding + cell : cell + padding;
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Visible characters, colours not counted. */
function width(cell: string): number {
  return Array.from(stripVTControlCharacters(cell)).length;
}
