import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeFrame } from '../../../src/codec/encode-frame.ts';
import { decodeFrame } from '../../../src/codec/registry.ts';
import { plannedCodec } from '../../../src/codec/tensor.ts';
import { mostValues, paletteIn, paletteOf } from '../../../src/codec/tensor/palette.ts';
import { palettePlan } from '../../../src/codec/tensor/plan.ts';
import { segmentBytes } from '../../../src/codec/tensor/workspace.ts';
import { seededBytes } from '../../pack/test-keys.ts';

const dtypes = { 2: 'F16', 4: 'F32', 8: 'F64' } as const;

/** Units of some of `count` values, of which two bytes differ and the others are noise, and a rest. */
function fewValues(unit: 2 | 4 | 8, count: number, length: number): Uint8Array {
  const values = seededBytes('values')(unit * count);
  for (let i = 0; i < count; i += 1) values.set([i, (7 * i) & 255], unit * i);
  const choice = seededBytes('choice')(length);
  return Uint8Array.from({ length }, (_, i) => {
    const index = (choice[Math.floor(i / unit)] ?? 0) % count;
    return values[unit * index + (i % unit)] ?? 0;
  });
}

describe.each([2, 4, 8] as const)('units of %i bytes', (unit) => {
  const element = { dtype: dtypes[unit], unit };

  test('of few values come back, whatever the values are', () => {
    const value = fc.oneof(
      fc.uint8Array({ minLength: unit, maxLength: unit }),
      fc.constantFrom(0, 1, 0x80, 0xff).map((byte) => new Uint8Array(unit).fill(byte)),
    );
    const content = fc
      .array(value, { minLength: 1, maxLength: mostValues })
      .chain((values) =>
        fc.tuple(fc.array(fc.constantFrom(...values), { maxLength: 600 }), fc.uint8Array({ maxLength: unit - 1 })),
      )
      .map(([units, rest]) => Uint8Array.from(Buffer.concat([...units, rest])));
    fc.assert(
      fc.property(content, fc.boolean(), (plain, isBest) => {
        const plan = palettePlan(plain, element, isBest);
        expect(plan === undefined).toBe(plain.length < unit);
        if (plan === undefined) return;
        const codec = plannedCodec(plan);
        const { stored, parameters } = codec.encode(plain);
        const encoded = { stored: stored.slice(), parameters };
        expect(codec.gives?.(plain, encoded, 'a frame')).toBe(true);
        const back = decodeFrame(2, encoded.stored, { plainLength: plain.length, parameters, what: 'a frame' });
        expect(Buffer.compare(back, plain)).toBe(0);
      }),
    );
  });

  test('take about as many bits as tell them apart, and no more values than a byte can name', () => {
    const length = segmentBytes + 3 * unit - 1;
    for (const count of [2, 16, mostValues]) {
      const plain = fewValues(unit, count, length);
      const { codec, stored, parameters } = encodeFrame(plain, { element });
      expect([codec, parameters[1]]).toEqual([2, { 2: 22, 4: 23, 8: 24 }[unit]]);
      expect(stored.byteLength).toBeLessThan(
        (length / unit) * ((Math.log2(count) + 0.1) / 8) + mostValues * unit + 600,
      );
    }
    expect(paletteOf(fewValues(unit, mostValues, length), unit)?.values.length).toBe(mostValues * unit);
    const many = Uint8Array.from({ length: 257 * unit }, (_, i) => (i % unit < 2 ? (i / unit) >> (8 * (i % unit)) : 0));
    expect(paletteOf(many, unit)).toBeUndefined();
    expect(palettePlan(many, element, true)).toBeUndefined();
  });

  test('of a palette that does not rise, or that has not all of them, are an error', () => {
    const plain = fewValues(unit, 5, 100 * unit);
    const plan = palettePlan(plain, element, false);
    if (plan === undefined) throw new Error('expected a palette');
    const { stored: written, parameters } = plannedCodec(plan).encode(plain);
    const stored = written.slice();
    const reading = (bytes: Uint8Array) => (): unknown =>
      decodeFrame(2, bytes, { plainLength: plain.length, parameters, what: 'a frame' });
    const values = stored.subarray(1, 1 + 5 * unit);
    const swapped = Uint8Array.from(stored);
    swapped.set(values.subarray(unit, 2 * unit), 1);
    swapped.set(values.subarray(0, unit), 1 + unit);
    expect(reading(swapped)).toThrow(expect.objectContaining({ code: 'value-invalid' }));
    const short = Uint8Array.from([3, ...values.subarray(0, 4 * unit), ...stored.subarray(1 + 5 * unit)]);
    expect(reading(short)).toThrow(expect.objectContaining({ code: 'value-invalid' }));
    expect(reading(stored.subarray(0, unit))).toThrow(expect.objectContaining({ code: 'value-invalid' }));
    expect(paletteIn(new Uint8Array(2 * unit), unit)).toBeUndefined();
  });
});

test('values are told by their numbers, the lower word last', () => {
  const values = new Uint8Array(new BigUint64Array([1n, 2n ** 32n, 2n ** 32n + 1n, 2n ** 63n]).buffer);
  expect(paletteOf(values.toReversed(), 8)).toBeDefined();
  const palette = paletteOf(Uint8Array.from([...values.subarray(16), ...values.subarray(0, 16)]), 8);
  expect(palette?.values).toEqual(values);
  expect([0, 8, 16, 24].map((at) => palette?.indexOf(values, at))).toEqual([0, 1, 2, 3]);
});
