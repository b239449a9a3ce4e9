import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeDerived, deriveReader } from '../../src/codec/derive.ts';
import { partsDeriver } from '../../src/codec/derive-parts.ts';
import { seededBytes } from '../pack/test-keys.ts';

/** BF16 numbers around 1, and what is cut off of F32 numbers that begin with them. */
function floats(elements: number): { readonly wide: Uint8Array; readonly half: Uint8Array } {
  const noise = seededBytes('floats')(elements);
  const half = Uint16Array.from(noise, (byte) => 0x3f80 + (byte & 31));
  const wide = Uint32Array.from(half, (word) => word * 0x10000);
  return { wide: new Uint8Array(wide.buffer), half: new Uint8Array(half.buffer) };
}

function splitAt(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  return [0, ...cuts].map((cut, at) => bytes.slice(cut, cuts[at] ?? bytes.length));
}

const { wide, half } = floats(1000);
const element = { dtype: 'BF16', unit: 2 };

describe('a source that comes base by base', () => {
  test('gives what it gives at once, wherever elements are cut', () => {
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: 999 }), { maxLength: 5 });
    fc.assert(
      fc.property(cuts, fc.integer({ min: 0, max: 900 }), (elements, skipped) => {
        const sorted = elements.toSorted((a, b) => a - b).filter((cut) => cut > skipped);
        const bases = splitAt(
          wide,
          sorted.map((cut) => cut * 4),
        );
        const plain = half.subarray(skipped * 2);
        const source = { dtype: 'F32', offset: skipped * 4 };
        const deriver = partsDeriver(plain, element, source);
        for (const base of bases) expect(deriver.push(base)).toBe(true);
        const encoded = deriver.finish();
        expect(encoded).toEqual(encodeDerived(plain, element, { ...source, bases }));
        const options = { plainLength: plain.length, parameters: encoded?.parameters ?? half, bases, what: 'a frame' };
        expect(deriveReader.decode(encoded?.stored ?? half, options)).toEqual(plain);
      }),
    );
  });

  test('gives nothing where an element is cut in two, differs, or is missing', () => {
    const derive = (plain: Uint8Array, bases: readonly Uint8Array[], dtype = 'F32'): unknown => {
      const deriver = partsDeriver(plain, element, { dtype, offset: 0 });
      for (const base of bases) deriver.push(base);
      return deriver.finish();
    };
    expect(derive(half, splitAt(wide, [2002]))).toBeUndefined();
    expect(derive(half, [wide.subarray(0, 2000)])).toBeUndefined();
    expect(derive(half, [wide], 'strange')).toBeUndefined();
    expect(derive(half, [])).toBeUndefined();
    const other = half.slice();
    other[100] = (other[100] ?? 0) ^ 1;
    expect(derive(other, splitAt(wide, [2000]))).toBeUndefined();
  });
});
