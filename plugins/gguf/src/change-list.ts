/** Changes as an answer: as many as fit, and lines for people. */

import type { Change, Difference, Json, Limits } from '@mbk/plugin-sdk';
import { shownText } from './shown-text.ts';

/** Of a kind of change of a kind of thing, so many lines; the rest is counted. */
const mostLines = 50;
/** Part of an answer's bytes that changes may take; lines take less. */
const share = 0.4;

export function differenceOf(changes: readonly Change[], limits: Limits): Difference {
  const kept: Change[] = [];
  let bytes = 0;
  for (const change of changes) {
    bytes += Buffer.byteLength(JSON.stringify(change));
    if (kept.length === limits.changes || bytes > limits.answerBytes * share) break;
    kept.push(change);
  }
  const omitted = changes.length - kept.length;
  return { changes: kept, ...(omitted > 0 ? { omitted } : {}), lines: linesOf(changes) };
}

function linesOf(changes: readonly Change[]): readonly string[] {
  const counts = new Map<string, number>();
  const lines: string[] = [];
  for (const change of changes) {
    const kind = `${change.change} ${change.what}`;
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    if (count <= mostLines) lines.push(lineOf(change));
  }
  for (const [kind, count] of counts) {
    if (count > mostLines) lines.push(`… and ${count - mostLines} more: ${kind}`);
  }
  return lines;
}

const signs = { added: '+', removed: '-', changed: '~', retyped: '~', moved: '~' } as const;

function lineOf({ after, before, change, name, what }: Change): string {
  const value = (side: Json): string => (typeof side === 'string' ? side : JSON.stringify(side));
  const sides = [before, after].filter((side) => side !== undefined).map(value);
  const text = sides.length === 0 ? 'other values' : sides.join(' → ');
  return `${signs[change]} ${what} ${shownText(name)}: ${text}`.slice(0, 1000).toWellFormed();
}
