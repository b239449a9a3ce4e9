/** What a row tried, and everything that was not as promised. */

/** What can go wrong at a point; each is a column, and each must be zero. */
export const faults = ['lost', 'wrong', 'amiss', 'hung'] as const;

/**
 * - `lost`: a finished snapshot is not there, or cannot be restored.
 * - `wrong`: something was restored as good and is not what was taken.
 * - `amiss`: any other broken promise: `verify` objects to a sound repository or is silent about a damaged one, an
 *   operation cannot be repeated, an error says the wrong thing.
 * - `hung`: a process took longer than its limit.
 */
export type FaultKind = (typeof faults)[number];

export interface Tally {
  readonly points: number;
  readonly counts: Readonly<Record<FaultKind, number>>;
  /** A sentence for each fault, the first ones. */
  readonly stories: readonly string[];
  /** Figures worth printing beside the row. */
  readonly notes: readonly string[];
  /** A point was tried. */
  point(count?: number): void;
  fault(kind: FaultKind, story: string): void;
  note(text: string): void;
}

/** Stories that are kept of one row; the counts know of all. */
const maxStories = 20;

export function newTally(): Tally {
  const counts = { lost: 0, wrong: 0, amiss: 0, hung: 0 };
  const stories: string[] = [];
  const notes: string[] = [];
  let points = 0;
  return {
    get points() {
      return points;
    },
    counts,
    stories,
    notes,
    point(count = 1) {
      points += count;
    },
    fault(kind, story) {
      counts[kind] += 1;
      if (stories.length < maxStories) stories.push(`${kind}: ${story}`);
    },
    note(text) {
      notes.push(text);
    },
  };
}

/** How many faults there were, of all kinds. */
export function faultCount({ counts }: Pick<Tally, 'counts'>): number {
  return faults.reduce((sum, kind) => sum + counts[kind], 0);
}

/** An error for a story: its code if it has one, and its message. */
export function storyOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? `${String(error.code)}: ` : '';
  return `${code}${error.message.slice(0, 400)}`;
}
