/** Changes as an answer: as many as fit, and lines for people. What does not fit is only counted, so memory is bounded. */

import type { Change, Difference, Json, Limits } from '@mbk/plugin-sdk';
import { shownText } from './shown-text.ts';

export interface ChangeList {
  add(change: Change): void;
  difference(): Difference;
}

/** Of a kind of change of a kind of thing, so many lines; the rest is counted. */
const mostLines = 50;
/** Part of an answer's bytes that changes may take; lines take less. */
const share = 0.4;

export function changeList(limits: Limits): ChangeList {
  const kept: Change[] = [];
  const counts = new Map<string, number>();
  const lines: string[] = [];
  let bytes = 0;
  let omitted = 0;
  return {
    add(change) {
      const kind = `${change.change} ${change.what}`;
      const count = (counts.get(kind) ?? 0) + 1;
      counts.set(kind, count);
      if (count <= mostLines) lines.push(lineOf(change));
      if (omitted === 0 && kept.length < limits.changes) {
        bytes += Buffer.byteLength(JSON.stringify(change));
        if (bytes <= limits.answerBytes * share) return void kept.push(change);
      }
      omitted += 1;
    },
    difference() {
      const more = [...counts]
        .filter(([, count]) => count > mostLines)
        .map(([kind, count]) => `… and ${count - mostLines} more: ${kind}`);
      return { changes: kept, ...(omitted > 0 ? { omitted } : {}), lines: [...lines, ...more] };
    },
  };
}

const signs = { added: '+', removed: '-', changed: '~', retyped: '~', moved: '~' } as const;

function lineOf({ after, before, change, name, what }: Change): string {
  const value = (side: Json): string => (typeof side === 'string' ? side : JSON.stringify(side));
  const sides = [before, after].filter((side) => side !== undefined).map(value);
  const text = sides.length === 0 ? 'other values' : sides.join(' → ');
  return `${signs[change]} ${what} ${shownText(name)}: ${text}`.slice(0, 1000).toWellFormed();
}
