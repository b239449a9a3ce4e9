/** Lines of JSON whose words are as unevenly frequent as those of a language. Any line can be made by itself. */

import { randomSource } from './random-source.ts';

export interface LineMaker {
  /** The longest line, in bytes, its end included. */
  readonly maxBytes: number;
  /** Writes line `number` with its line feed into `target` at `at`; the place behind it. */
  write(number: number, target: Buffer, at: number): number;
}

const vocabulary = 20_000;
const exponent = 1.25;
const promptWords = 25;
const responseWords = 35;
const domains = ['healthcare', 'finance', 'education'];
const streams = { words: 11, lines: 12 };

export function lineMaker(seed: number): LineMaker {
  const words = makeWords(seed);
  const drawWord = zipfTable(vocabulary, exponent);
  return {
    maxBytes: 80 + (promptWords + responseWords) * 12,
    write(number, target, at) {
      const random = randomSource(seed, streams.lines, number);
      const putWords = (start: number, count: number): number => {
        let end = start;
        for (let word = 0; word < count; word += 1) {
          if (word > 0) target[end++] = 0x20;
          const bytes = words[drawWord(random.uniform())] ?? new Uint8Array(0);
          target.set(bytes, end);
          end += bytes.length;
        }
        return end;
      };
      const putText = (start: number, text: string): number => start + target.write(text, start, 'latin1');
      let end = putText(at, `{"id": ${number}, "domain": "${domains[number % domains.length]}", "prompt": "`);
      end = putWords(end, promptWords);
      end = putText(end, '", "response": "');
      end = putWords(end, responseWords);
      return putText(end, '"}\n');
    },
  };
}

function makeWords(seed: number): readonly Uint8Array[] {
  const random = randomSource(seed, streams.words);
  return Array.from({ length: vocabulary }, () =>
    Uint8Array.from({ length: 2 + random.below(9) }, () => 0x61 + random.below(26)),
  );
}

/**
 * From a number in [0, 1) to a rank that is as likely as its power, in constant time (Walker's alias method). What is
 * rarer than the last rank counts as the last.
 */
export function zipfTable(ranks: number, power: number): (uniform: number) => number {
  const shares = Array.from({ length: ranks }, (_, rank) => (rank + 1) ** -power);
  // The rest of the endless sum, as an integral.
  shares[ranks - 1] = (shares[ranks - 1] ?? 0) + (ranks + 0.5) ** (1 - power) / (power - 1);
  const total = shares.reduce((sum, share) => sum + share, 0);
  const scaled = shares.map((share) => (share / total) * ranks);
  const alias = new Uint32Array(ranks);
  const keep = new Float64Array(ranks).fill(1);
  const small = scaled.flatMap((share, rank) => (share < 1 ? [rank] : []));
  const large = scaled.flatMap((share, rank) => (share < 1 ? [] : [rank]));
  for (let few = small.pop(), many = large.at(-1); few !== undefined && many !== undefined; few = small.pop()) {
    keep[few] = scaled[few] ?? 1;
    alias[few] = many;
    scaled[many] = (scaled[many] ?? 0) + (scaled[few] ?? 0) - 1;
    if ((scaled[many] ?? 0) < 1) {
      large.pop();
      small.push(many);
    }
    many = large.at(-1);
  }
  return (uniform) => {
    const place = uniform * ranks;
    const rank = Math.floor(place);
    return place - rank < (keep[rank] ?? 1) ? rank : (alias[rank] ?? 0);
  };
}
