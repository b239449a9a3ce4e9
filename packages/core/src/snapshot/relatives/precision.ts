/** In which order files are stored so that what was made from others comes after them. */
import type { Layout } from '../../format/layout-record.ts';
import { hasPieces } from './tensor-catalogue.ts';

/** 0 for numbers of 32 bits and more and for all that is small, 1 for those of 16 bits, 2 for what is quantised. */
export type Rank = 0 | 1 | 2;

const ranks: Readonly<Record<string, Rank>> = { F64: 0, F32: 0, I64: 0, I32: 0, F16: 1, BF16: 1 };
/** Less than this in tensors is stored as it comes. */
const leastBytes = 1_048_576;

/** The rank that most bytes of the tensors of a file have. */
export function rankOf({ tensors }: Layout): Rank {
  const bytes: [number, number, number] = [0, 0, 0];
  for (const span of tensors) if (hasPieces(span)) bytes[ranks[span.dtype] ?? 2] += span.length;
  const [wide, half, quantised] = bytes;
  if (wide + half + quantised < leastBytes || (wide >= half && wide >= quantised)) return 0;
  return half >= quantised ? 1 : 2;
}
