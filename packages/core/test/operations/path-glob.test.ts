import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePathGlob } from '../../src/operations/path-glob.ts';

const matches = (glob: string, path: string, isDirectory = false): boolean =>
  parsePathGlob(glob).matches(path, isDirectory);

describe('a glob', () => {
  test.each([
    ['a.txt', 'a.txt', true],
    ['a.txt', 'deep/down/a.txt', true],
    ['*.gguf', 'models/x.gguf', true],
    ['*.gguf', 'models/x.gguf/y', false],
    ['models/*.gguf', 'models/x.gguf', true],
    ['/x.gguf', 'models/x.gguf', false],
    ['models/*', 'models/a/b', false],
    ['models/**', 'models', false],
    ['models/**', 'models/a/b', true],
    ['**/b', 'b', true],
    ['a/**/b', 'a/b', true],
    ['a/**/b', 'a/x/y/b', true],
    ['a/**/b', 'ab/b', false],
    ['**', 'anything/at/all', true],
    ['?.txt', 'é.txt', true],
    ['[a-c]x', 'bx', true],
    ['[!a-c]x', 'bx', false],
    ['[!a-c]x', 'dx', true],
    ['[]]', ']', true],
    ['[*]', '*', true],
    ['[*]', 'a', false],
    ['a\\nb', 'a\\nb', true],
    ['.*', '.git', true],
    ['*', '.git', true],
  ])('%s and %s: %s', (glob, path, expected) => {
    expect(matches(glob, path)).toBe(expected);
  });

  test('with a slash at its end means folders', () => {
    expect(matches('data/', 'data', true)).toBe(true);
    expect(matches('data/', 'data', false)).toBe(false);
    expect(matches('data/', 'deep/data', true)).toBe(true);
  });

  test('that means nothing is a usage error', () => {
    for (const glob of ['', '/', './', '[a']) expect(() => parsePathGlob(glob)).toThrow(/glob|\[/);
  });

  test('of many stars takes no time on a long name', () => {
    expect(matches(`${'*a'.repeat(60)}b`, 'a'.repeat(255))).toBe(false);
    expect(matches(`${'**/'.repeat(60)}b`, Array(500).fill('a').join('/'))).toBe(false);
  });

  test('goes into every folder that leads to what it matches', () => {
    const name = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 3 });
    const part = fc.oneof(name, fc.constant('*'), fc.constant('**'), fc.constant('?b'));
    fc.assert(
      fc.property(
        fc.array(part, { minLength: 1, maxLength: 4 }),
        fc.array(name, { minLength: 1, maxLength: 5 }),
        (parts, names) => {
          const glob = parsePathGlob(parts.join('/'));
          if (!glob.matches(names.join('/'), false)) return;
          for (let depth = 0; depth < names.length; depth += 1)
            expect(glob.mayMatchBelow(names.slice(0, depth).join('/'))).toBe(true);
        },
      ),
    );
  });
});
