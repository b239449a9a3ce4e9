/** Weights of symbols for the context coder: whole numbers that add up, the same everywhere. */
import { contextWeightSum } from '@mbk/kernels';

/**
 * Sets `weights` of 256 symbols as `counts` counts the first of them, so that their sum is `contextWeightSum` and each that
 * occurs has 1 at least. One occurs at least, and all of them less than 2^31 times.
 */
export function setWeights(counts: Uint32Array, weights: Uint16Array): void {
  let total = 0;
  for (const count of counts) total += count;
  if (total === 0) throw new RangeError('expected one symbol at least, got none');
  let left = contextWeightSum;
  for (let symbol = 0; symbol < 256; symbol += 1) {
    const count = counts[symbol] ?? 0;
    const weight = count === 0 ? 0 : Math.max(1, Math.floor((count * contextWeightSum) / total + 0.5));
    weights[symbol] = weight;
    left -= weight;
  }
  // What is over goes to the largest; what is missing comes from the largest, one after the other.
  while (left !== 0) {
    const largest = indexOfLargest(weights);
    const weight = weights[largest] ?? 0;
    const change = left > 0 ? left : -Math.min(-left, Math.max(1, weight >> 4));
    weights[largest] = weight + change;
    left -= change;
  }
}

function indexOfLargest(weights: Uint16Array): number {
  let best = 0;
  for (let symbol = 1; symbol < 256; symbol += 1) if ((weights[symbol] ?? 0) > (weights[best] ?? 0)) best = symbol;
  return best;
}
