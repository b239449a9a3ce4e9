import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cutEnd, cutStart, widthOf, wrapWords } from '../src/terminal-width.ts';

test('wide characters take two columns, combining ones and colours none', () => {
  expect(['abc', '模型', '🦙', 'e\u0301', '\u001b[31mred\u001b[39m', '…'].map(widthOf)).toEqual([3, 4, 2, 1, 3, 1]);
});

test('text is cut between characters, and colours end', () => {
  expect(cutEnd('abcdef', 4)).toBe('abc…');
  expect(cutEnd('abcd', 4)).toBe('abcd');
  expect(cutEnd('模型模型', 6)).toBe('模型…');
  expect(cutEnd('\u001b[31mabcdef\u001b[39m', 4)).toBe('\u001b[31mabc…\u001b[0m');
  expect(cutStart('models/医疗/a.gguf', 10)).toBe('…疗/a.gguf');
  expect(cutStart('models/a', 8)).toBe('models/a');
});

test('sentences are broken at spaces and keep their indent; words stay whole', () => {
  expect(wrapWords('one two three\n  four five six', 9)).toBe('one two\nthree\n  four\n  five\n  six');
  expect(wrapWords('short\n\n    a-word-that-is-longer', 8)).toBe('short\n\n    a-word-that-is-longer');
});

test('never wider than it may be, whatever the text', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 60 }).filter((one) => !/\p{Cc}/u.test(one));
  fc.assert(
    fc.property(text, fc.nat(40), (one, columns) => {
      expect(widthOf(cutEnd(one, columns))).toBeLessThanOrEqual(columns);
      expect(widthOf(cutStart(one, columns))).toBeLessThanOrEqual(columns);
    }),
  );
});
