import { cutEnd, widthOf } from './terminal-width.ts';

export interface TableOptions {
  /** Columns, by index, whose cells stand to the right; numbers usually do. */
  readonly right?: readonly number[];
  /** Width of the terminal; undefined where nothing is to be cut off. */
  readonly columns?: number | undefined;
  /** Columns, by index, that may be cut off with an ellipsis where the terminal is narrow, the least important one first. */
  readonly cut?: readonly number[];
  /** Columns that are left out where cutting is not enough, the least important one first; `--json` has all. */
  readonly drop?: readonly number[];
}

/** A column that is cut keeps as much, so that it still says something. */
const leastWidth = 16;
const gap = 2;

/** A plain table: two spaces between columns, no trailing spaces. Cells are already safe for a terminal. */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  options: TableOptions = {},
): string {
  const { right = [], columns, cut = [], drop = [] } = options;
  const widths = head.map(widthOf);
  /** Whether every cell of a column takes as many columns as it has characters: a long table is measured once then. */
  const isPlain = head.map((cell) => widthOf(cell) === cell.length);
  for (const row of rows) {
    for (let column = 0; column < widths.length; column += 1) {
      const cell = row[column] ?? '';
      const width = widthOf(cell);
      if (width !== cell.length) isPlain[column] = false;
      if (width > (widths[column] ?? 0)) widths[column] = width;
    }
  }
  const kept = keptColumns(widths, { columns, cut, drop });
  const cutColumns = narrow(widths, { columns, cut, kept });
  const places = kept.map((column, place) => ({
    column,
    before: place === 0 ? 0 : gap,
    width: widths[column] ?? 0,
    isCut: cutColumns.has(column),
    isRight: right.includes(column),
    isPlain: isPlain[column] === true,
  }));
  const spaces = Array.from({ length: gap + Math.max(0, ...widths) + 1 }, (_, count) => ' '.repeat(count));
  // A line is joined from its parts at once: to grow it part by part leaves garbage with every one.
  const parts: string[] = [];
  const lineOf = (row: readonly string[]): string => {
    parts.fill('');
    // Spaces are written with what stands behind them: none end a line.
    let blank = 0;
    let count = 0;
    for (const { column, before, width, isCut, isRight, isPlain: hasPlainCells } of places) {
      const whole = row[column] ?? '';
      const cell = (isCut ? cutEnd(whole, width) : whole).trimEnd();
      // Colours are part of the text and take no room.
      const left = width - (hasPlainCells ? cell.length : widthOf(cell));
      blank += before + (isRight ? left : 0);
      if (cell !== '') {
        parts[count] = spaces[blank] ?? ' '.repeat(blank);
        parts[count + 1] = cell;
        count += 2;
        blank = 0;
      }
      if (!isRight) blank += left;
    }
    return parts.join('');
  };
  const lines = [lineOf(head)];
  for (const row of rows) lines.push(lineOf(row));
  return lines.join('\n');
}

/** Columns that stay so that the others fit, once those that may be cut are. */
function keptColumns(
  widths: readonly number[],
  {
    columns = Infinity,
    cut,
    drop,
  }: { readonly columns: number | undefined } & Required<Pick<TableOptions, 'cut' | 'drop'>>,
): readonly number[] {
  const least = widths.map((width, column) => (cut.includes(column) ? Math.min(width, leastWidth) : width));
  let kept = [...widths.keys()];
  for (const column of drop) {
    if (widthOfTable(least, kept) <= columns) break;
    kept = kept.filter((one) => one !== column);
  }
  return kept;
}

/** Makes columns narrower until the table fits, or no more can go; says which are. */
function narrow(
  widths: number[],
  {
    columns = Infinity,
    cut,
    kept,
  }: {
    readonly columns: number | undefined;
    readonly cut: readonly number[];
    readonly kept: readonly number[];
  },
): ReadonlySet<number> {
  const narrowed = new Set<number>();
  let excess = widthOfTable(widths, kept) - columns;
  for (const column of cut) {
    const width = widths[column] ?? 0;
    const less = Math.min(excess, width - leastWidth);
    if (less <= 0) continue;
    widths[column] = width - less;
    excess -= less;
    narrowed.add(column);
  }
  return narrowed;
}

function widthOfTable(widths: readonly number[], kept: readonly number[]): number {
  return kept.reduce((sum, column) => sum + (widths[column] ?? 0) + gap, -gap);
}
