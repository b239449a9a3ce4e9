/** Lengths of the codes of a canonical Huffman code (docs/format.md, Frames and codecs): whole numbers only, so the same everywhere. */
import { longestCode } from '@mbk/kernels';

/** Room for what one call works with; nothing is kept from call to call. */
const keys = new Uint32Array(256);
const weights = new Uint32Array(512);
const parents = new Uint16Array(512);
const depths = new Uint8Array(512);

/** Of all codes of `longestCode` bits, how many a code of `length` bits takes. */
function shareOf(length: number): number {
  return 1 << (longestCode - length);
}

/**
 * Sets `lengths` to those of the shortest code for these counts, or nearly where that would have longer codes than
 * `longestCode`; 0 for what does not occur. There are two symbols at least, and less than 2^24 in all.
 */
export function setCodeLengths(counts: Uint32Array, lengths: Uint8Array): void {
  lengths.fill(0);
  let used = 0;
  for (let symbol = 0; symbol < 256; symbol += 1) {
    const count = counts[symbol] ?? 0;
    if (count === 0) continue;
    keys[used] = count * 256 + symbol;
    used += 1;
  }
  if (used < 2) throw new RangeError(`expected two symbols or more, got ${used}`);
  const rising = keys.subarray(0, used).sort();
  joinLightest(rising);
  let taken = 0;
  for (let i = 0; i < used; i += 1) {
    const length = Math.min(depths[i] ?? 0, longestCode);
    lengths[(rising[i] ?? 0) & 255] = length;
    taken += shareOf(length);
  }
  if (taken !== shareOf(0)) complete(rising, lengths, taken);
}

/** Huffman's tree with two queues: leaves 0 to n-1 by weight, then the nodes in the order in which they are made. */
function joinLightest(rising: Uint32Array): void {
  const n = rising.length;
  for (let i = 0; i < n; i += 1) weights[i] = (rising[i] ?? 0) >>> 8;
  let leaf = 0;
  let node = n;
  const root = 2 * n - 2;
  for (let made = n; made <= root; made += 1) {
    let weight = 0;
    for (let child = 0; child < 2; child += 1) {
      const isLeaf = leaf < n && (node >= made || (weights[leaf] ?? 0) <= (weights[node] ?? 0));
      const lightest = isLeaf ? leaf : node;
      if (isLeaf) leaf += 1;
      else node += 1;
      weight += weights[lightest] ?? 0;
      parents[lightest] = made;
    }
    weights[made] = weight;
  }
  depths[root] = 0;
  for (let i = root - 1; i >= 0; i -= 1) depths[i] = (depths[parents[i] ?? 0] ?? 0) + 1;
}

/** Lengths were cut to `longestCode`, so they take too much: rare symbols give, then frequent ones get what is over. */
function complete(rising: Uint32Array, lengths: Uint8Array, before: number): void {
  const all = shareOf(0);
  let taken = before;
  for (let i = 0; taken > all; i = (i + 1) % rising.length) {
    const symbol = (rising[i] ?? 0) & 255;
    while (taken > all && (lengths[symbol] ?? 0) < longestCode) {
      const length = (lengths[symbol] ?? 0) + 1;
      lengths[symbol] = length;
      taken -= shareOf(length);
    }
  }
  for (let i = rising.length - 1; taken < all; i = (i === 0 ? rising.length : i) - 1) {
    const symbol = (rising[i] ?? 0) & 255;
    const length = lengths[symbol] ?? 0;
    if (length < 2 || taken + shareOf(length) > all) continue;
    lengths[symbol] = length - 1;
    taken += shareOf(length);
  }
}
