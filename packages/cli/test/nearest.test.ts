import { expect, test } from 'vitest';
import { nearest } from '../src/nearest.ts';

const verbs = ['snapshot', 'checkout', 'log', 'ls', 'show', 'key add', 'self-test'];

test.each([
  ['snapshto', 'snapshot'],
  ['chekout', 'checkout'],
  ['sl', 'ls'],
  ['lgo', 'log'],
  ['key ad', 'key add'],
  ['selftest', 'self-test'],
  ['frobnicate', undefined],
  ['', undefined],
])('%j is probably %j', (word, meant) => {
  expect(nearest(word, verbs)).toBe(meant);
});
