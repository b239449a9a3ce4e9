import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matchesGlob } from '../src/glob.ts';

describe('matchesGlob', () => {
  test.each([
    ['*.yaml', 'a.yaml', true],
    ['*.yaml', 'deep/in/a.yaml', true],
    ['*.yaml', 'a.yaml.bak', false],
    ['lora_?.bin', 'lora_1.bin', true],
    ['lora_?.bin', 'lora_12.bin', false],
    ['data/*.csv', 'data/a.csv', true],
    ['data/*.csv', 'data/x/a.csv', false],
    ['data/**/*.csv', 'data/a.csv', true],
    ['data/**/*.csv', 'data/x/y/a.csv', true],
    ['data/**', 'data/x/y/a.csv', true],
    ['data/**', 'other/a.csv', false],
    ['**/model/*', 'a/model/model/x', true],
    ['*a*b*', 'xxaxxbxx', true],
    ['*a*b*', 'xxbxxaxx', false],
    ['*aab', 'aaab', true],
    ['a.b', 'axb', false],
    ['[a]', 'a', false],
  ])('%s against %s: %s', (glob, path, expected) => {
    expect(matchesGlob(glob, path)).toBe(expected);
  });

  test('agrees with the regular expression that says the same', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 8 });
    const name = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 10 });
    fc.assert(
      fc.property(text, name, (glob, path) => {
        const expression = new RegExp(`^${glob.replaceAll('*', '.*').replaceAll('?', '.')}$`);
        expect(matchesGlob(glob, path)).toBe(expression.test(path));
      }),
    );
  });

  test('compares the last name where it has no slash, whether it is plain or not', () => {
    const glob = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 4 });
    const name = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 4 });
    fc.assert(
      fc.property(glob, fc.array(name, { minLength: 1, maxLength: 3 }), (pattern, names) => {
        expect(matchesGlob(pattern, names.join('/'))).toBe(matchesGlob(pattern, names.at(-1) ?? ''));
      }),
    );
  });

  test('with slashes agrees with the regular expression that says the same', () => {
    const segment = fc.oneof(
      fc.constant('**'),
      fc
        .string({ unit: fc.constantFrom('a', 'b', '*', '?'), minLength: 1, maxLength: 3 })
        .filter((part) => part !== '**'),
    );
    const name = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 3 });
    const part = (text: string): string => text.replaceAll('*', '[^/]*').replaceAll('?', '[^/]');
    fc.assert(
      fc.property(
        fc.array(segment, { minLength: 2, maxLength: 4 }),
        fc.array(name, { minLength: 1, maxLength: 5 }),
        (segments, names) => {
          const expression = segments.map((one) => (one === '**' ? '(?:[^/]+/)*' : `${part(one)}/`)).join('');
          const path = names.join('/');
          const wanted = new RegExp(`^${expression}$`).test(`${path}/`);
          expect(matchesGlob(segments.join('/'), path)).toBe(wanted);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('takes no exponential time', () => {
    expect(matchesGlob(`${'*a'.repeat(100)}b`, 'a'.repeat(5000))).toBe(false);
    expect(matchesGlob(`${'**/a/'.repeat(50)}b`, 'a/'.repeat(1000))).toBe(false);
  });
});
