/** Gathers a difference within its limits. */

import type { Change, Difference, Limits } from '@mbk/plugin-sdk';

export interface DifferenceList {
  /** Kept while there is room, then counted. */
  change(change: Change): void;
  line(text: string): void;
  difference(): Difference;
}

/** Half of the limit for changes: names may be long, and an answer has a bound too. */
export function differenceList({ changes: most }: Pick<Limits, 'changes'>): DifferenceList {
  const changes: Change[] = [];
  const lines: string[] = [];
  let omitted = 0;
  let moreLines = 0;
  return {
    change(change) {
      if (changes.length < most / 2) changes.push(change);
      else omitted += 1;
    },
    line(text) {
      if (lines.length < most / 2) lines.push(text);
      else moreLines += 1;
    },
    difference: () => ({
      changes,
      ...(omitted > 0 ? { omitted } : {}),
      lines: moreLines > 0 ? [...lines, `… ${moreLines} more`] : lines,
    }),
  };
}
