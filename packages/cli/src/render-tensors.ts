/** The tensors of a stored file as a table: what each takes, and what it is stored over. */

import type { NamedBase, ShownTensor, ShownTensors } from '@mbk/core';
import { escapeForTerminal, escapePath } from './escape.ts';
import { shortId } from './moment.ts';
import type { Styler } from './output.ts';
import { formatBytes, formatCount } from './quantities.ts';
import { renderTable } from './render-table.ts';
import { wrapWords } from './terminal-width.ts';

export interface RenderTensorsOptions {
  readonly style: Styler;
  readonly columns: number | undefined;
}

export function renderTensors(name: string, file: ShownTensors, { style, columns }: RenderTensorsOptions): string {
  const { tensors } = file;
  const hasBases = tensors.some(({ depth }) => depth > 0);
  const rows = tensors.map((tensor) => [
    escapeForTerminal(tensor.name),
    escapeForTerminal(tensor.dtype),
    tensor.shape.join(' × '),
    formatBytes(tensor.bytes),
    formatBytes(tensor.stored),
    howOf(tensor),
    ...(hasBases ? [tensor.depth === 0 ? '' : String(tensor.depth), baseOf(tensor, file)] : []),
  ]);
  const head = ['TENSOR', 'TYPE', 'SHAPE', 'SIZE', 'STORED', 'HOW', ...(hasBases ? ['DEPTH', 'BASE'] : [])];
  const table = renderTable(head, rows, { right: [3, 4, 6], columns, cut: [7, 0], drop: [6, 2, 1] });
  return [
    style('yellow', escapeForTerminal(name)),
    wrapWords(sumOf(file), columns ?? Infinity),
    ...(tensors.length === 0 ? [] : ['', table]),
  ].join('\n');
}

/** `12 tensors, 1.00 GiB in a safetensors file of 1.01 GiB, stored in 690 MiB`. */
function sumOf({ container, size, tensors }: ShownTensors): string {
  const sum = (of: (tensor: ShownTensor) => number): number => tensors.reduce((total, one) => total + of(one), 0);
  const bytes = sum((one) => one.bytes);
  const stored = sum((one) => one.stored);
  const where = `in a file of ${formatBytes(size)} (${escapeForTerminal(container)})`;
  return `${formatCount(tensors.length, 'tensor')}, ${formatBytes(bytes)} ${where}, stored in ${formatBytes(stored)}`;
}

/** `tensor, raw`, and where small tensors lie. */
function howOf({ how, inSkeleton }: ShownTensor): string {
  return `${how.join(', ')}${inSkeleton && how.length > 0 ? ' (skeleton)' : ''}`;
}

/** What the first base is: by name where another tensor is meant, and where it lies unless in this file. */
function baseOf({ base, bases, name }: ShownTensor, { commit, path }: ShownTensors): string {
  if (base === null) return '';
  const more = bases > 1 ? ` and ${bases - 1} more` : '';
  return `${placeOf(base, { name, commit, path })}${more}`;
}

function placeOf(
  { blob, commit, path, tensor }: NamedBase,
  here: Pick<ShownTensors, 'commit' | 'path'> & { readonly name: string },
): string {
  if (path === null || commit === null) return `blob ${blob.slice(0, 12)}`;
  const isHere = commit === here.commit;
  const isSamePath = JSON.stringify(path) === JSON.stringify(here.path);
  const parts = [
    ...(tensor === null ? [`blob ${blob.slice(0, 12)}`] : tensor === here.name ? [] : [escapeForTerminal(tensor)]),
    ...(isSamePath ? [] : [`in ${escapePath(path)}`]),
    ...(isHere ? [] : [`of ${shortId(commit)}`]),
  ];
  return parts.length === 0 ? 'itself' : parts.join(' ');
}
