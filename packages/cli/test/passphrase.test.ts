import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makePassphrase, strengthHint, strengthOf } from '../src/passphrase.ts';

test.each([
  ['', 'weak'],
  ['password1', 'weak'],
  ['Tr0ub4dor&3', 'weak'],
  ['aaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'weak'],
  ['abcabcabcabcabcabcabcabc', 'weak'],
  ['abcdefghijklmnopqrstuvwxyz', 'weak'],
  ['correct horse battery staple', 'fair'],
  ['seven violet engines argue quietly about moss', 'strong'],
  ['k7x9-m2pq-8vzt-w4nd-3hrb', 'strong'],
])('%j looks %s', (passphrase, strength) => {
  expect(strengthOf(passphrase)).toBe(strength);
});

test('only a strong one gets no hint', () => {
  expect([strengthHint('weak'), strengthHint('fair')].map((hint) => typeof hint)).toEqual(['string', 'string']);
  expect(strengthHint('strong')).toBeUndefined();
});

test('one that is made has five groups, each random byte decides one character, and it is strong', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 25, maxLength: 25 }), (bytes) => {
      const made = makePassphrase(() => bytes);
      expect(made).toMatch(/^[a-km-np-z2-9]{5}(?:-[a-km-np-z2-9]{5}){4}$/);
    }),
  );
  const letters = new Set(
    Array.from({ length: 256 }, (_, byte) => makePassphrase(() => new Uint8Array(25).fill(byte))[0]),
  );
  expect(letters.size).toBe(32);
  expect(strengthOf('di8fd-gt4ph-z6gez-x88rp-4hnk4')).toBe('strong');
});
