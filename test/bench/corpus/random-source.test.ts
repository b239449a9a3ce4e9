import { expect, test } from 'vitest';
import { randomSource } from './random-source.ts';

const sample = 1 << 18;

test('the same seed gives the same numbers, for ever', () => {
  const source = randomSource(7, 1);
  const bytes = new Uint8Array(8);
  source.fillBytes(bytes);
  const normal = new Float32Array(3);
  source.fillNormal(normal, 1);
  expect({ bytes: Buffer.from(bytes).toString('hex'), normal: [...normal], below: source.below(1000) }).toEqual({
    bytes: '3a077afd28c423fe',
    normal: [-1.0978984832763672, 0.06476777791976929, 0.577459454536438],
    below: 552,
  });
});

test('pieces of any length are the same stream', () => {
  const whole = new Float32Array(100_000);
  randomSource(1, 2).fillNormal(whole, 0.02);
  const source = randomSource(1, 2);
  const pieces = [1, 31, 40_000, 59_968].flatMap((length) => {
    const piece = new Float32Array(length);
    source.fillNormal(piece, 0.02);
    return [...piece];
  });
  expect(pieces).toEqual([...whole]);
});

test('seeds that differ in any word give streams that share nothing', () => {
  const firstOf = (...seed: number[]): number => randomSource(...seed).below(2 ** 32);
  const seeds = [[], [0], [1], [0, 0], [0, 1], [1, 0], [7, 21, 5], [7, 22, 5], [7, 21, 6]];
  expect(new Set(seeds.map((seed) => firstOf(...seed))).size).toBe(seeds.length);
});

test('normal numbers have the moments and the tails of the normal distribution', () => {
  const numbers = new Float32Array(sample);
  randomSource(3).fillNormal(numbers, 2);
  const mean = (values: Iterable<number>): number => [...values].reduce((sum, value) => sum + value, 0) / sample;
  expect(mean(numbers)).toBeCloseTo(0, 1);
  expect(mean(numbers.map((value) => value ** 2))).toBeCloseTo(4, 1);
  expect(mean(numbers.map((value) => (value / 2) ** 4))).toBeCloseTo(3, 1);
  // Beyond the end of the ziggurat's layers, and between its steps.
  expect(numbers.filter((value) => Math.abs(value) > 2 * 3.442619855899).length / sample).toBeCloseTo(0.000576, 3);
  expect(numbers.filter((value) => Math.abs(value) < 2).length / sample).toBeCloseTo(0.6827, 2);
});

test('bytes are filled to the last one', () => {
  for (const length of [0, 1, 2, 3, 4, 5, 63]) {
    const bytes = new Uint8Array(length + 1);
    randomSource(length).fillBytes(bytes.subarray(0, length));
    expect(bytes[length]).toBe(0);
  }
  const counts = new Uint32Array(256);
  const many = new Uint8Array(sample);
  randomSource(5).fillBytes(many);
  for (const byte of many) counts[byte] = (counts[byte] ?? 0) + 1;
  for (const count of counts) expect(Math.abs(count - sample / 256)).toBeLessThan(6 * Math.sqrt(sample / 256));
});

test('whole numbers stay below their limit and reach all of it', () => {
  const source = randomSource(9);
  const seen = new Set(Array.from({ length: 1000 }, () => source.below(7)));
  expect([...seen].toSorted()).toEqual([0, 1, 2, 3, 4, 5, 6]);
});
