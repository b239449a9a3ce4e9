/** In which order files are stored so that what was made from others comes after them. */
import type { Layout } from '../../format/layout-record.ts';
import { hasPieces } from './tensor-catalogue.ts';

/**
 * 0 for numbers of 32 bits and more and for all that is small, 1 for BF16, 2 for F16, which is mostly made from BF16 and
 * then has all of it, 3 for what is quantised.
 */
export type Rank = 0 | 1 | 2 | 3;

export const lastRank: Rank = 3;

const ranks: Readonly<Record<string, Rank>> = { F64: 0, F32: 0, I64: 0, I32: 0, BF16: 1, F16: 2 };
/** Less than this in tensors is stored as it comes. */
const leastBytes = 262_144;

/** The rank that most bytes of the tensors of a file have, of equals the first. */
export function rankOf({ tensors }: Layout): Rank {
  const bytes = new Map<Rank, number>();
  for (const span of tensors) {
    const rank = ranks[span.dtype] ?? lastRank;
    if (hasPieces(span)) bytes.set(rank, (bytes.get(rank) ?? 0) + span.length);
  }
  const [first] = [...bytes].sort(([a, of], [b, other]) => other - of || a - b);
  const all = [...bytes.values()].reduce((sum, of) => sum + of, 0);
  return first === undefined || all < leastBytes ? 0 : first[0];
}
