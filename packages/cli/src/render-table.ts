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
  const lines = [head, ...rows].map((cells) => ({ cells, widthOf: plain.test(cells.join('')) ? lengthOf : width }));
  const widest = head.map(() => 0);
  for (const { cells, widthOf } of lines) {
    for (let column = 0; column < widest.length; column += 1)
      widest[column] = Math.max(widest[column] ?? 0, widthOf(cells[column] ?? ''));
  }
  const isRight = head.map((_, column) => right.includes(column));
  return lines
    .map(({ cells, widthOf }) => {
      let line = '';
      for (let column = 0; column < widest.length; column += 1) {
        const cell = cells[column] ?? '';
        const room = ' '.repeat((widest[column] ?? 0) - widthOf(cell));
        line += `${column === 0 ? '' : gap}${isRight[column] === true ? room + cell : cell + room}`;
      }
      return line.trimEnd();
    })
    .join('\n');
}

const gap = '  ';
/** Most rows are plain, as one look at all of it tells: ten thousand rows have a hundred thousand cells. */
const plain = /^[ -~]*$/;
const lengthOf = (cell: string): number => cell.length;

/** Visible characters; colours are part of the text and take no room. */
function width(cell: string): number {
  return Array.from(stripVTControlCharacters(cell)).length;
}
