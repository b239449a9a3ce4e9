import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openDocument, sealDocument } from '../../src/crypto/sealed-document.ts';
import { MbkError } from '../../src/errors.ts';
import { padmeLength } from '../../src/format/bytes.ts';
import { asKeysetId, asRepositoryId } from '../../src/format/ids.ts';

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
const repository = asRepositoryId('ab'.repeat(16));
const keyset = asKeysetId('cd'.repeat(16));
const subkey = random(32);
const seal = (body: Uint8Array): Uint8Array =>
  sealDocument({ magic: 'mbkC', repository, keyset, subkey, body, random });
const open = (bytes: Uint8Array, magic: 'mbkC' | 'mbkS' = 'mbkC'): Uint8Array =>
  openDocument(bytes, { magic, repository, subkeyOf: () => subkey, what: 'document' }).body;

describe('sealed documents', () => {
  test('open to what was sealed, at a Padmé length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), (body) => {
        const bytes = seal(body);
        expect(open(bytes)).toEqual(body);
        expect(bytes.byteLength).toBe(padmeLength(bytes.byteLength));
      }),
      { numRuns: 200 },
    );
  });

  test('no byte can be changed or cut without an error', () => {
    const bytes = seal(new TextEncoder().encode('something to keep'));
    for (let place = 0; place < bytes.byteLength; place++) {
      const flipped = bytes.slice();
      flipped[place] = (flipped[place] ?? 0) ^ 1;
      expect(() => open(flipped)).toThrow(MbkError);
      expect(() => open(bytes.subarray(0, place))).toThrow(MbkError);
    }
  });

  test('a document of one kind is not accepted as another', () => {
    expect(() => open(seal(new Uint8Array(5)), 'mbkS')).toThrow(expect.objectContaining({ code: 'entry-damaged' }));
  });
});

test('Padmé lengths cost at most 12 % and leak O(log log n) bits', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 40 }), (length) => {
      const padded = padmeLength(length);
      expect(padded).toBeGreaterThanOrEqual(length);
      expect(padded).toBeLessThanOrEqual(length * 1.12 + 1);
      expect(padmeLength(padded)).toBe(padded);
    }),
  );
});
