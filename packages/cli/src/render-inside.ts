/** What changed inside of one asset, for people: lines of its plugin, and by how much tensors changed. */

import type { ChangedTensor, DifferenceInside, TensorDifference } from '@mbk/core';
import { escapeForTerminal, escapePath } from './escape.ts';
import type { Styler } from './output.ts';
import { formatCount } from './quantities.ts';
import { renderFinding } from './render-finding.ts';
import { renderTable } from './render-table.ts';
import { wrapWords } from './terminal-width.ts';

/** An asset as its plugin sees it, as its tensors say, or both. */
export interface InsideOfAsset {
  readonly inside: DifferenceInside | undefined;
  readonly tensors: TensorDifference | undefined;
}

export interface RenderInsideOptions {
  readonly style: Styler;
  /** Width of the terminal; undefined where nothing is to be broken. */
  readonly columns: number | undefined;
}

/** Both sides of each asset, in the order of the plugins' words; assets that no plugin compares come last. */
export function joinInside(
  inside: readonly DifferenceInside[],
  tensors: readonly TensorDifference[],
): readonly InsideOfAsset[] {
  const key = ({ path }: Pick<DifferenceInside, 'path'>): string => JSON.stringify(path);
  const byPath = new Map(tensors.map((one) => [key(one), one]));
  const told = inside.map((one): InsideOfAsset => {
    const found = byPath.get(key(one));
    byPath.delete(key(one));
    return { inside: one, tensors: found };
  });
  return [...told, ...[...byPath.values()].map((one) => ({ inside: undefined, tensors: one }))];
}

/** Lines below a head that names the asset; none where there is nothing to say. */
export function renderInside({ inside, tensors }: InsideOfAsset, { columns, style }: RenderInsideOptions): string[] {
  const path = inside?.path ?? tensors?.path;
  if (path === undefined) return [];
  const head = style('bold', `${escapePath(path)}  ${inside?.kind ?? escapeForTerminal(tensors?.container ?? '')}`);
  const wrapped = (line: string): string => wrapWords(`  ${line}`, columns ?? Infinity);
  const body = [
    ...linesOfPlugin({ inside, tensors }, { columns, style }).map(wrapped),
    ...(tensors === undefined ? [] : linesOfTensors(tensors, { columns, style })),
  ];
  return body.length === 0 ? [] : [head, ...body];
}

/** Lines of one asset that people see. */
const mostLines = 100;

function linesOfPlugin({ inside, tensors }: InsideOfAsset, { style }: RenderInsideOptions): string[] {
  if (inside === undefined) return [];
  const { difference, path, problem } = inside;
  if (problem !== null) return [renderFinding(path, problem, style)];
  if (difference === null) return [];
  const lines = tensors?.problem === null ? withoutChanged(difference) : difference.lines;
  const shown = lines.slice(0, mostLines).map((line) => escapeForTerminal(line));
  // Tensors that are told below are not left out.
  const told = tensors?.problem === null ? tensors.changed.length + tensors.omitted : 0;
  const more = lines.length - shown.length + Math.max((difference.omitted ?? 0) - told, 0);
  return [...shown, ...(more > 0 ? [style('dim', `… and ${more} more: --json lists them`)] : [])];
}

/** Without the lines that say only that the values of a tensor are others: by how much is said below. */
function withoutChanged({ changes, lines }: NonNullable<DifferenceInside['difference']>): readonly string[] {
  const isOther = changes.some(
    ({ after, before, change, what }) =>
      what === 'tensor' && change === 'changed' && (before !== undefined || after !== undefined),
  );
  return lines.filter((line) => {
    if (line.startsWith('~ tensor ') && line.endsWith(': other values')) return false;
    return isOther || !/^… and \d+ more: changed tensor$/.test(line);
  });
}

function linesOfTensors(difference: TensorDifference, { columns, style }: RenderInsideOptions): string[] {
  const { changed, compared, omitted, problem } = difference;
  const width = columns === undefined ? undefined : Math.max(columns - 2, 1);
  const lines: string[] = [];
  if (changed.length > 0) {
    const shown = changed.slice(0, mostLines);
    const isMeasured = shown.some(({ of }) => of === 'elements');
    const rows = shown.map((tensor) => [
      escapeForTerminal(tensor.name),
      escapeForTerminal(tensor.dtype),
      shareOf(tensor),
      ...(isMeasured
        ? [
            tensor.maxAbs === null ? '-' : formatNumber(tensor.maxAbs),
            tensor.meanAbs === null ? '-' : formatNumber(tensor.meanAbs),
            tensor.notFinite === 0 ? '' : style('red', `${formatCount(tensor.notFinite, 'value')} not finite`),
          ]
        : []),
    ]);
    const head = ['TENSOR', 'TYPE', 'CHANGED', ...(isMeasured ? ['LARGEST', 'MEAN', ''] : [])];
    lines.push(
      wrapWords(sumOf(difference), width ?? Infinity),
      ...renderTable(head, rows, { right: [2, 3, 4], columns: width, cut: [0], drop: [5, 1] }).split('\n'),
    );
    const more = changed.length - rows.length + omitted;
    if (more > 0) lines.push(style('dim', `… and ${formatCount(more, 'more tensor')}: --json lists them`));
  }
  if (problem !== null)
    lines.push(wrapWords(style('red', `compared ${compared}; ${escapeForTerminal(problem)}`), width ?? Infinity));
  return lines.flatMap((line) => line.split('\n')).map((line) => `  ${line}`);
}

/** `Other values in 3 of 12 tensors; the largest change is 0.0123`. */
function sumOf({ changed, compared, omitted }: TensorDifference): string {
  const sentence = `Other values in ${changed.length + omitted} of ${formatCount(compared, 'tensor')}`;
  const measured = changed.flatMap(({ maxAbs }) => maxAbs ?? []);
  if (measured.length === 0) return sentence;
  return `${sentence}; the largest change is ${formatNumber(measured.reduce((most, one) => Math.max(most, one), 0))}`;
}

function shareOf({ changed, count, of }: ChangedTensor): string {
  const share = count === 0 ? 0 : changed / count;
  const digits = (share * 100).toFixed(share < 0.01 ? 2 : 1);
  // Neither none nor all is said of what is a part.
  const percent = share < 0.0001 ? '<0.01 %' : digits === '100.0' && share < 1 ? '>99.9 %' : `${digits} %`;
  return of === 'blocks' ? `${percent} of blocks` : percent;
}

/** Three digits that count. */
function formatNumber(value: number): string {
  return String(Number(value.toPrecision(3)));
}
