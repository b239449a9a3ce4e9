import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { checkKey, checkPrefix, isKey, maxKeyLength } from '../../src/backend/key.ts';

const segment = fc
  .string({ unit: fc.constantFrom(...'abz059._-'.split('')), minLength: 1, maxLength: 12 })
  .filter((name) => !name.includes('..') && name !== '.' && name !== 'tmp');
const key = fc.array(segment, { minLength: 1, maxLength: 5 }).map((segments) => segments.join('/'));

describe('keys', () => {
  test('segments of the allowed characters joined by slashes are a key, and each start of it is a prefix', () => {
    fc.assert(
      fc.property(key, (text) => {
        expect(isKey(text)).toBe(true);
        for (let end = 0; end <= text.length; end += 1) {
          const start = text.slice(0, end);
          expect(() => checkPrefix(start)).not.toThrow();
        }
      }),
    );
  });

  test('a text with any other character is no key', () => {
    fc.assert(
      fc.property(key, fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }), fc.nat(), (text, other, place) => {
        fc.pre(!/^[a-z0-9._/-]$/.test(other));
        const at = place % (text.length + 1);
        expect(isKey(text.slice(0, at) + other + text.slice(at))).toBe(false);
      }),
    );
  });

  test('a key joined to a folder stays below it', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'a./t'.split('')), maxLength: 8 }), (text) => {
        fc.pre(isKey(text));
        expect(new URL(text, 'file:///srv/backups/').pathname).toBe(`/srv/backups/${text}`);
      }),
    );
  });

  test('the longest key is a prefix too, one character more is neither', () => {
    const longest = 'k'.repeat(maxKeyLength);
    expect(() => checkKey(longest)).not.toThrow();
    expect(() => checkPrefix(longest)).not.toThrow();
    expect(() => checkKey(`${longest}k`)).toThrow(TypeError);
    expect(() => checkPrefix(`${longest}k`)).toThrow(TypeError);
  });

  test('the message shows what was given', () => {
    expect(() => checkKey('../x')).toThrow('expected a key such as "packs/3f/3f01", got "../x"');
  });
});
