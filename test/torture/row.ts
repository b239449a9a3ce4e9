import type { Random } from '../protocol/random.ts';
import type { Tally } from './tally.ts';

/** What a row is given. */
export interface RowOptions {
  readonly tally: Tally;
  /** Where it may write; removed afterwards. Absolute. */
  readonly folder: string;
  /** Decides everything that is left to chance but keys and salts. */
  readonly random: Random;
  readonly seed: number;
  /** Share of the points that are tried, from 0 to 1: of those in a list a part, of those by chance fewer. */
  readonly share: number;
  /** Says what is being done, for people who wait. */
  readonly progress: (text: string) => void;
}

/** Of `count` points by chance, those of the row's share: at least one. */
export function shareOf(count: number, { share }: Pick<RowOptions, 'share'>): number {
  return Math.max(1, Math.round(count * share));
}

/** Whether the point with this number, of a list, is of the row's share; over many numbers they lie evenly. */
export function isInShare(index: number, { share, seed }: Pick<RowOptions, 'share' | 'seed'>): boolean {
  const offset = (seed % 97) / 97;
  return Math.floor((index + 1) * share + offset) > Math.floor(index * share + offset);
}
