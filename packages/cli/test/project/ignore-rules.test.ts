import fc from 'fast-check';
import ignore from 'ignore';
import { expect, test } from 'vitest';
import { ignoreRules } from '../../src/project/ignore-rules.ts';

const names = fc.constantFrom('a', 'b', 'ab', 'a.tmp', 'b.tmp', 'a-b', 'tmp', 'é', 'a b');
const paths = fc
  .tuple(fc.array(names, { minLength: 1, maxLength: 4 }), fc.constantFrom('', '/'))
  .map(([parts, end]) => parts.join('/') + end);
const parts = fc.constantFrom(
  'a',
  'b',
  '*',
  '**',
  '***',
  '*.tmp',
  'a*',
  '*b',
  '?',
  'a?',
  'a**b',
  '[ab]',
  '\\a',
  'é',
  'a b',
  'tmp',
);
const patterns = fc
  .tuple(
    fc.constantFrom('', '', '!', '/', '!/', '#', ' '),
    fc.array(parts, { minLength: 1, maxLength: 3 }),
    fc.constantFrom('', '', '/', ' '),
  )
  .map(([start, middle, end]) => start + middle.join('/') + end);

test('rules say what the ignore package says, asked or not', () => {
  fc.assert(
    fc.property(
      fc.array(patterns, { maxLength: 4 }),
      fc.array(paths, { minLength: 1, maxLength: 8 }),
      (lines, asked) => {
        const rules = ignoreRules(lines);
        const text = ignoreRules(lines.join('\n'));
        for (const path of asked) {
          const { ignored, unignored } = ignore({ ignorecase: false }).add(lines).test(path);
          expect(rules.test(path), path).toMatchObject({ ignored, unignored });
          expect(text.test(path), path).toMatchObject({ ignored, unignored });
        }
      },
    ),
    { numRuns: 2000 },
  );
});

test('a name decides in a folder of many as in one of few', () => {
  const rules = ignoreRules(['*.tmp', '!keep*']);
  for (let i = 0; i < 10_000; i += 1) {
    expect(rules.test(`data/${i}.tmp`).ignored).toBe(true);
    expect(rules.test(`data/keep-${i}.tmp`).unignored).toBe(true);
    expect(rules.test(`data/${i}.json`).ignored).toBe(false);
  }
});
