/** Files that are not what they should be, made from a valid one; the same on every run. */

import type { Reader } from '../reader.ts';
import type { PluginSample } from './sample.ts';

const mostCuts = 300;
/** A file that no memory holds, so that whoever reads on and on is found out. */
const enormous = 2 ** 40;

/** Lengths to cut a file of so many bytes to: nothing, a byte, a few, and about every kilobyte. */
export function cutsOf(length: number): readonly number[] {
  const step = Math.max(1024, Math.ceil(length / mostCuts));
  const cuts = [0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 63, 64, length - 1];
  for (let cut = step; cut < length; cut += step) cuts.push(cut);
  return cuts.filter((cut) => cut >= 0 && cut < length);
}

/** So many changed copies. */
export function* mutationsOf(bytes: Uint8Array, rounds: number): Generator<Uint8Array> {
  const random = uniformNumbers(bytes.length);
  for (let round = 0; round < rounds; round += 1) yield mutated(bytes, random);
}

/** The sample with zeros after or before it, up to a tebibyte. */
export function enormousReader({ bytes, path }: PluginSample, place: 'start' | 'end'): Reader {
  const start = place === 'start' ? 0 : enormous - bytes.length;
  const read: Reader['read'] = async (offset, length, { signal } = {}) => {
    signal?.throwIfAborted();
    const result = new Uint8Array(length);
    const from = Math.max(offset, start);
    const to = Math.min(offset + length, start + bytes.length);
    if (from < to) result.set(bytes.subarray(from - start, to - start), from - offset);
    return result;
  };
  return {
    path,
    size: enormous,
    read,
    async *stream(options) {
      for (let at = 0; at < enormous; at += 1 << 20) yield await read(at, 1 << 20, options);
    },
    sibling: async () => undefined,
  };
}

/** Flips bits, overwrites numbers with extreme ones, and copies, cuts out or inserts a stretch; mostly in headers. */
function mutated(bytes: Uint8Array, random: () => number): Uint8Array {
  const changed = Uint8Array.from(bytes);
  const pick = (below: number): number => Math.floor(random() * below);
  // Headers and directories are at the ends, and a change in the middle of weights is none.
  const place = (): number => {
    const near = pick(Math.min(bytes.length, 4096));
    return [near, bytes.length - 1 - near, pick(bytes.length)][pick(3)] ?? 0;
  };
  for (let change = 0; change <= pick(4); change += 1) {
    const at = place();
    const length = Math.min(1 << pick(10), bytes.length - at);
    switch (pick(4)) {
      case 0:
        changed[at] = (changed[at] ?? 0) ^ (1 << pick(8));
        break;
      case 1:
        changed.fill([0x00, 0x7f, 0x80, 0xff][pick(4)] ?? 0, at, at + (1 << pick(4)));
        break;
      case 2:
        changed.copyWithin(place(), at, at + length);
        break;
      default:
        changed.copyWithin(at, at + length);
    }
  }
  const end = pick(4) === 0 ? bytes.length - pick(Math.min(bytes.length, 64)) : bytes.length;
  return changed.subarray(0, end);
}

/** Numbers in [0, 1), the same for the same seed: xorshift32. */
function uniformNumbers(seed: number): () => number {
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
