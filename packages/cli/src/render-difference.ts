/** One path that differs, as a line for people: A added, D removed, M modified, R moved, T other mode, owner or time. */

import type { Difference } from '@mbk/core';
import { escapePath } from './escape.ts';
import type { Styler } from './output.ts';
import { formatBytes } from './quantities.ts';

const letters = { added: 'A', removed: 'D', modified: 'M', moved: 'R', metadata: 'T' } as const;
const colours = { added: 'green', removed: 'red', modified: 'yellow', moved: 'cyan', metadata: 'dim' } as const;

export function renderDifference({ kind, path, from, type, sizeBefore, sizeAfter }: Difference, style: Styler): string {
  const name = `${escapePath(path)}${type === 'directory' ? '/' : ''}`;
  const old = from === null ? '' : `${escapePath(from)} → `;
  return `${style(colours[kind], letters[kind])} ${old}${name}${kind === 'modified' ? sizes(sizeBefore, sizeAfter, style) : ''}`;
}

/** Both sizes, if they read differently. */
function sizes(before: number | null, after: number | null, style: Styler): string {
  if (before === null || after === null || formatBytes(before) === formatBytes(after)) return '';
  return `  ${style('dim', `${formatBytes(before)} → ${formatBytes(after)}`)}`;
}
