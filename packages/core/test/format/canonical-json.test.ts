import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalText, encodeCanonical, parseJson, type JsonValue } from '../../src/format/canonical-json.ts';

describe('canonical JSON (RFC 8785)', () => {
  test('sorts keys by UTF-16 code units, as the example of section 3.2.3', () => {
    const value = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 };
    expect(canonicalText(value)).toBe('{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\ud83d\ude00":5,"\ufb33":3}');
  });

  test('is a fixed point of reading and writing', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false } as fc.JsonSharedConstraints), (value) => {
        fc.pre(isCanonicalisable(value));
        const bytes = encodeCanonical(value as JsonValue);
        expect(encodeCanonical(parseJson(bytes, 'value') as JsonValue)).toEqual(bytes);
      }),
    );
  });

  test.each([1.5, Number.NaN, 2 ** 53, '\ud800'])('refuses %s', (value) => {
    expect(() => canonicalText(value)).toThrow(TypeError);
  });

  test('refuses what is not UTF-8 or not JSON', () => {
    for (const bytes of [Uint8Array.of(0xff), Uint8Array.of(0x7b)]) {
      expect(() => parseJson(bytes, 'record')).toThrow(expect.objectContaining({ code: 'value-invalid' }));
    }
  });
});

function isCanonicalisable(value: unknown): boolean {
  if (typeof value === 'number') return Number.isSafeInteger(value);
  if (typeof value === 'string') return value.isWellFormed();
  if (Array.isArray(value)) return value.every(isCanonicalisable);
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).every(([key, field]) => key.isWellFormed() && isCanonicalisable(field));
  }
  return true;
}
