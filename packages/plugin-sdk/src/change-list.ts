/** Changes as an answer: as many as fit, and lines for people. What does not fit is only counted, so memory is bounded. */

import type { Change, Difference } from './difference.ts';
import type { Json } from './json.ts';
import { defaultLimits, type Limits } from './limits.ts';

export interface ChangeList {
  /** Kept where there is room, else counted. */
  add(change: Change): void;
  difference(): Difference;
}

export interface ChangeListOptions {
  readonly limits?: Limits;
  /** Names and values as people may see them: without control characters. */
  readonly shown: (text: string) => string;
}

/** Of a kind of change of a kind of thing, so many lines; the rest is counted. */
const mostLines = 50;
/** Part of an answer's bytes that changes may take; lines take less. */
const share = 0.4;

/** An empty list; `findingList` is its like for findings. */
export function changeList({ limits = defaultLimits, shown }: ChangeListOptions): ChangeList {
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
      if (count <= mostLines) lines.push(lineOf(change, shown));
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

function lineOf({ after, before, change, name, what }: Change, shown: (text: string) => string): string {
  const value = (side: Json): string => shown(typeof side === 'string' ? side : JSON.stringify(side));
  const sides = [before, after].filter((side) => side !== undefined).map(value);
  const text = sides.length === 0 ? 'other values' : sides.join(' → ');
  return `${signs[change]} ${what} ${shown(name)}: ${text}`.slice(0, 1000).toWellFormed();
}
