import { twinContexts, twinDifferences, twinStreams } from '@mbk/kernels';
import { blockOf, type Dtype } from '@mbk/plugin-sdk';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deltaWorkspaceBytes, deltaWorkspaceIn, segmentBytes } from '../../src/codec/delta/workspace.ts';
import type { Encoded } from '../../src/codec/frame-codec.ts';
import { encodeTensorDelta, estimateDelta, givesTensorDelta, tensorDeltaReader } from '../../src/codec/tensor-delta.ts';
import { gaussian } from './gaussian.ts';

// prettier-ignore
const dtypes: readonly Dtype[] = [
  'BF16', 'F16', 'F32', 'F64', 'F8_E4M3', 'F8_E5M2', 'F8_E8M0', 'I8', 'U8', 'I16', 'I32', 'U64', 'C64', 'C128', 'BOOL', 'F4',
  'F6_E2M3', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0', 'Q8_1', 'Q2_K', 'Q3_K', 'Q4_K', 'Q5_K', 'Q6_K', 'Q8_K', 'IQ1_S', 'IQ2_XS',
  'IQ3_S', 'IQ4_NL', 'IQ4_XS', 'TQ1_0', 'MXFP4', 'NVFP4', 'Q1_0', 'Q2_0',
];

const elementOf = (dtype: Dtype) => ({ dtype, unit: blockOf(dtype).bytes });

/** The stored form, kept: the codec writes over what it gave. */
function stored(plain: Uint8Array, element: { readonly dtype: string; readonly unit: number }, base: Uint8Array) {
  const encoded = encodeTensorDelta(plain, element, base);
  return encoded && { stored: encoded.stored.slice(), parameters: encoded.parameters };
}

function restored({ stored: bytes, parameters }: Encoded, plainLength: number, base: Uint8Array): Uint8Array {
  const options = { plainLength, parameters, bases: [base], what: 'frame 0 of a pack' };
  const plain = tensorDeltaReader.decode(bytes, options);
  const parts: Uint8Array[] = [];
  tensorDeltaReader.decodeParts?.(bytes, options, (part, offset) => {
    expect(offset).toBe(parts.reduce((sum, { length }) => sum + length, 0));
    parts.push(part.slice());
  });
  expect(Buffer.compare(Buffer.concat(parts), plain)).toBe(0);
  return plain;
}

/** What is encoded comes back, and is shorter; whether there was something. */
function expectBack(
  plain: Uint8Array,
  element: { readonly dtype: string; readonly unit: number },
  base: Uint8Array,
): boolean {
  const encoded = stored(plain, element, base);
  if (encoded === undefined) return false;
  expect(encoded.stored.length + encoded.parameters.length).toBeLessThan(plain.length);
  expect(Buffer.compare(restored(encoded, plain.length, base), plain)).toBe(0);
  expect(givesTensorDelta(plain, encoded, base, 'a frame')).toBe(true);
  return true;
}

/** Numbers that are hard for floats of any size, as bytes. */
const edges = fc
  .array(
    fc.constantFrom(0, 0x8000, 0x7f80, 0xff80, 0x7fc0, 0x7f81, 0xffff, 1, 0x8001, 0x7c00, 0xfc01, 0x3f80, 0x3c00),
    { maxLength: 1500 },
  )
  .map((words) => new Uint8Array(Uint16Array.from(words).buffer));
const content = fc.oneof(
  fc.uint8Array({ maxLength: 3000 }),
  edges,
  fc.tuple(fc.nat(255), fc.nat(3000)).map(([byte, length]) => new Uint8Array(length).fill(byte)),
  fc.nat(3000).map((length) => gaussian('F16', length)),
);
/** A base, and what some of its bytes became: none, few, or most, by a little or by anything. */
const pair = fc
  .tuple(content, fc.constantFrom(0, 3, 40, 250), fc.constantFrom(1, 3, 255), fc.nat())
  .map(([base, share, mask, seed]) => {
    const noise = gaussian('noise', 2 * base.length, seed);
    const plain = base.map((byte, i) => ((noise[2 * i] ?? 0) < share ? byte ^ ((noise[2 * i + 1] ?? 0) & mask) : byte));
    return { base, plain };
  });

describe('the delta codec', () => {
  test.each(dtypes)('%s: all bytes come back, whatever they and the base are and however long', (dtype) => {
    let coded = 0;
    fc.assert(
      fc.property(pair, ({ base, plain }) => {
        if (expectBack(plain, elementOf(dtype), base)) coded += 1;
      }),
      { numRuns: 20 },
    );
    expect(coded).toBeGreaterThan(2);
  });

  test('a base that has nothing to do with it costs compression only', () => {
    fc.assert(
      fc.property(content, content, fc.constantFrom(...dtypes), (one, other, dtype) => {
        const length = Math.min(one.length, other.length);
        expectBack(one.subarray(0, length), elementOf(dtype), other.subarray(0, length));
      }),
      { numRuns: 100 },
    );
  });

  test('so does a type nobody knows, a unit that is not its own and units of any size', () => {
    const unit = fc.integer({ min: 1, max: 65_535 });
    fc.assert(
      fc.property(
        pair,
        fc.constantFrom('BF16', 'Q6_K', 'bf16', '', 'toString'),
        unit,
        ({ base, plain }, dtype, own) => {
          expectBack(plain, { dtype, unit: own }, base);
        },
      ),
      { numRuns: 100 },
    );
    const bytes = new Uint8Array(100);
    for (const bad of [0, -1, 1.5, 65_536, Number.NaN])
      expect(encodeTensorDelta(bytes, { dtype: 'F16', unit: bad }, bytes)).toBeUndefined();
  });

  test('floats, their NaNs, infinities and zeros all have a difference', () => {
    const words = Uint16Array.from({ length: 65_536 }, (_, i) => i);
    const turned = words.map((word, i) => word ^ ((i * 40_503) & 0xffff));
    const [plain, base] = [new Uint8Array(words.buffer), new Uint8Array(turned.buffer)];
    // There is too much of it to be shorter; half of it the same, it is.
    base.set(plain.subarray(0, 65_536));
    for (const dtype of ['F16', 'BF16', 'F32', 'F64', 'I16', 'I32', 'I64', 'F8_E4M3'] as const)
      expect(expectBack(plain, elementOf(dtype), base)).toBe(true);
  });

  test('what is the same takes a byte for each part of a segment', () => {
    for (const [dtype, most] of [
      ['F16', 5],
      ['F32', 5],
      ['Q4_K', 40],
    ] as const) {
      const plain = Uint8Array.from({ length: 4 * segmentBytes }, (_, i) => i * i);
      expect(stored(plain, elementOf(dtype), plain)?.stored.length).toBeLessThanOrEqual(most + (plain.length % 144));
    }
  });

  test.each(['BF16', 'F32', 'F64', 'Q8_0', 'Q6_K', 'Q4_0', 'Q2_K'] as const)(
    '%s: frames of several segments',
    (dtype) => {
      const { unit } = elementOf(dtype);
      for (const length of [segmentBytes, segmentBytes + unit, 2 * segmentBytes + 3 * unit - 1]) {
        const base = gaussian('BF16', length);
        const plain = base.map((byte, i) => (i % 7 === 0 ? byte ^ 1 : byte));
        plain.copyWithin(0, segmentBytes);
        expect(expectBack(plain, elementOf(dtype), base)).toBe(true);
      }
    },
  );

  test('the plain twin of the kernels encodes to the same bytes and decodes them', () => {
    const bytes = new Uint8Array(deltaWorkspaceBytes);
    const twin = deltaWorkspaceIn({ ...twinStreams(bytes), ...twinContexts(bytes), ...twinDifferences(bytes) });
    for (const dtype of ['BF16', 'F32', 'F64', 'F8_E4M3', 'I32', 'Q5_0', 'Q3_K', 'Q4_K', 'Q8_0'] as const) {
      const base = gaussian('BF16', 30_001);
      const plain = base.map((byte, i) => (i % 5 === 0 ? byte + (i % 3) : byte));
      const byTwin = encodeTensorDelta(plain, elementOf(dtype), base, () => twin);
      const own = stored(plain, elementOf(dtype), base);
      expect(byTwin && { ...byTwin, stored: byTwin.stored.slice() }).toEqual(own);
      expect(own && givesTensorDelta(plain, own, base, 'x', () => twin)).toBe(true);
      expect(estimateDelta(plain, elementOf(dtype), base, () => twin)).toBe(
        estimateDelta(plain, elementOf(dtype), base),
      );
    }
  });

  test('it encodes the same whatever it encoded before', () => {
    const base = gaussian('F16', 50_000);
    const plain = base.map((byte, i) => (i % 9 === 0 ? byte ^ 3 : byte));
    const first = stored(plain, elementOf('F16'), base);
    stored(gaussian('F32', 80_000), elementOf('Q4_K'), new Uint8Array(80_000));
    estimateDelta(base, elementOf('Q8_0'), plain);
    expect(stored(plain, elementOf('F16'), base)).toEqual(first);
  });

  test('fine-tuned weights take what their differences are', () => {
    // 0.02 and then 0.001 of deviation: about 3 of 16 bits less than alone.
    const numbers = 200_000;
    const base = new Float32Array(gaussian('F32', 4 * numbers).buffer);
    const change = new Float32Array(gaussian('F32', 4 * numbers, 7).buffer);
    const plain = base.map((value, i) => value + (change[i] ?? 0) / 20);
    const bitsOf = (dtype: Dtype, fresh: Uint8Array, old: Uint8Array): number =>
      ((stored(fresh, elementOf(dtype), old)?.stored.length ?? Infinity) * 8) / numbers;
    const halves = (values: Float32Array): Uint8Array => new Uint8Array(Float16Array.from(values).buffer);
    const brains = (values: Float32Array): Uint8Array =>
      new Uint8Array(Uint16Array.from(new Uint32Array(values.buffer), (word) => word >>> 16).buffer);
    expect(bitsOf('F16', halves(plain), halves(base))).toBeLessThan(9.4);
    expect(bitsOf('BF16', brains(plain), brains(base))).toBeLessThan(6.5);
    expect(bitsOf('F32', new Uint8Array(plain.buffer), new Uint8Array(base.buffer))).toBeLessThan(22.5);
    // Two that were trained apart have nothing in common.
    expect(stored(brains(change), elementOf('BF16'), brains(base))?.stored.length ?? Infinity).toBeGreaterThan(
      1.35 * numbers,
    );
  });

  test('other lengths, nothing and more than a piece have no delta', () => {
    const bytes = new Uint8Array(4_194_306);
    const element = elementOf('F16');
    expect(encodeTensorDelta(bytes.subarray(0, 100), element, bytes.subarray(0, 98))).toBeUndefined();
    expect(encodeTensorDelta(bytes.subarray(0, 0), element, bytes.subarray(0, 0))).toBeUndefined();
    expect(encodeTensorDelta(bytes, element, bytes)).toBeUndefined();
    expect(estimateDelta(bytes.subarray(0, 100), element, bytes.subarray(0, 98))).toBe(100);
    expect(encodeTensorDelta(bytes.subarray(2), element, bytes.subarray(2))?.stored.length).toBe(8);
  });

  test('what is not what was encoded, or another base, is told apart', () => {
    const base = gaussian('BF16', 10_000);
    const plain = base.map((byte, i) => (i % 5 === 0 ? byte ^ 1 : byte));
    const encoded = stored(plain, elementOf('BF16'), base);
    if (encoded === undefined) throw new Error('expected a delta');
    const other = plain.slice();
    other[9999] = (other[9999] ?? 0) ^ 1;
    expect(givesTensorDelta(other, encoded, base, 'a frame')).toBe(false);
    expect(() => givesTensorDelta(plain.subarray(2), encoded, base, 'a frame')).toThrow('a frame is no delta frame');
    // The classes of the base are part of the contexts: another base ends in other bytes or in an error.
    let isSame = false;
    try {
      isSame = givesTensorDelta(plain, encoded, gaussian('BF16', 10_000, 3), 'a frame');
    } catch (error) {
      expect(error).toMatchObject({ code: 'value-invalid' });
    }
    expect(isSame).toBe(false);
  });
});

describe('an estimate', () => {
  const base = gaussian('BF16', 400_000);

  test.each(dtypes)('%s: is never more than all, and close where there is much', (dtype) => {
    const element = elementOf(dtype);
    const plain = base.map((byte, i) => ((i * 2_654_435_761) % 11 === 0 ? byte ^ 1 : byte));
    const wanted = stored(plain, element, base)?.stored.length ?? plain.length;
    const given = estimateDelta(plain, element, base);
    expect(given).toBeLessThanOrEqual(plain.length);
    expect(given / wanted).toBeGreaterThan(0.85);
    expect(given / wanted).toBeLessThan(1.15);
  });

  test('is made of anything', () => {
    fc.assert(
      fc.property(pair, fc.constantFrom(...dtypes), ({ base: old, plain }, dtype) => {
        const given = estimateDelta(plain, elementOf(dtype), old);
        expect(Number.isInteger(given)).toBe(true);
        expect(given).toBeGreaterThanOrEqual(0);
        expect(given).toBeLessThanOrEqual(plain.length);
      }),
    );
  });
});

describe('delta frames that are malformed', () => {
  const read = (encoded: Encoded, length: number, bases?: readonly Uint8Array[]): Uint8Array =>
    tensorDeltaReader.decode(encoded.stored, {
      plainLength: length,
      parameters: encoded.parameters,
      ...(bases === undefined ? {} : { bases }),
      what: 'frame 0 of a pack',
    });
  const refusal = expect.objectContaining({
    code: 'value-invalid',
    message: expect.stringContaining('frame 0 of a pack is no delta frame') as string,
  }) as Error;

  const readOrRefuse = (encoded: Encoded, length: number, base: Uint8Array): void => {
    let got = length;
    try {
      got = read(encoded, length, [base]).length;
    } catch (error) {
      expect(error).toMatchObject({ code: 'value-invalid' });
    }
    expect(got).toBe(length);
  };

  test.each(['BF16', 'F64', 'Q4_0', 'Q6_K'] as const)('%s: damage ends in an error or in the right length', (dtype) => {
    const base = gaussian('BF16', 20_000);
    const plain = base.map((byte, i) => (i % 3 === 0 ? byte + (i & 1) : byte));
    const encoded = stored(plain, elementOf(dtype), base);
    if (encoded === undefined) throw new Error('expected a delta');
    fc.assert(
      fc.property(
        fc.constantFrom('stored' as const, 'parameters' as const),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        fc.boolean(),
        fc.boolean(),
        (which, where, mask, cut, isEarly) => {
          const bytes = encoded[which];
          const place = (isEarly ? where % 300 : where) % bytes.length;
          const damaged = cut ? bytes.slice(0, place) : bytes.slice();
          if (!cut) damaged[place] = (damaged[place] ?? 0) ^ mask;
          readOrRefuse({ ...encoded, [which]: damaged }, plain.length, base);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('any base of the right length ends in an error or in the right length', () => {
    const base = gaussian('F16', 6000);
    const encoded = stored(
      base.map((byte) => byte ^ 1),
      elementOf('F16'),
      base,
    );
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 6000, maxLength: 6000 }), (other) => {
        if (encoded !== undefined) readOrRefuse(encoded, 6000, other);
      }),
      { numRuns: 50 },
    );
  });

  test('noise ends in an error or in the right length', () => {
    const parameters = fc.oneof(
      fc.nat(25).map((number) => Uint8Array.of(1, number)),
      fc.uint8Array({ maxLength: 12 }).map((rest) => Uint8Array.of(1, 0, ...rest)),
      fc.uint8Array({ maxLength: 12 }),
    );
    // Modes, and models of one symbol, which are sound and have lanes behind them.
    const noise = fc.oneof(
      fc.tuple(fc.nat(3), fc.uint8Array({ maxLength: 2000 })).map(([mode, rest]) => Uint8Array.of(mode, ...rest)),
      fc.tuple(fc.nat(59), fc.nat(63), fc.uint8Array({ maxLength: 2000 })).map(([symbol, flags, rest]) => {
        const lane = [0, 128, 0, 0];
        const sizes = [4, 0, 0, 4, 0, 0, 4, 0, 0, 4, 0, 0];
        return Uint8Array.of(
          1,
          0,
          flags,
          0,
          0,
          0,
          symbol,
          symbol,
          ...sizes,
          ...lane,
          ...lane,
          ...lane,
          ...lane,
          ...rest,
        );
      }),
    );
    fc.assert(
      fc.property(parameters, noise, fc.nat(3000), (given, bytes, length) => {
        readOrRefuse({ stored: bytes, parameters: given }, length, new Uint8Array(length).fill(200));
      }),
      { numRuns: 400 },
    );
  });

  test('bases that are missing or have another length', () => {
    const base = gaussian('F16', 1000);
    const encoded = stored(base, elementOf('F16'), base);
    if (encoded === undefined) throw new Error('expected a delta');
    expect(() => read(encoded, 1000)).toThrow(refusal);
    expect(() => read(encoded, 1000, [])).toThrow(refusal);
    expect(() => read(encoded, 1000, [base.subarray(1)])).toThrow(refusal);
    expect(read(encoded, 1000, [base, base])).toEqual(base);
  });

  test('parameters of another version, kind or length', () => {
    const bytes = Uint8Array.of(0);
    const bad = [[], [1], [2, 1], [1, 24], [1, 1, 0], [1, 0], [1, 0, 1], [1, 0, 0, 0], [1, 0, 255, 255, 1, 0]];
    bad.push([1, 0, ...Array.from({ length: 17 }, () => [1, 0]).flat()]);
    for (const parameters of bad)
      expect(() =>
        read({ stored: bytes, parameters: Uint8Array.from(parameters) }, 100, [new Uint8Array(100)]),
      ).toThrow(refusal);
  });

  test('bytes behind the end, modes nobody gave, and lanes longer than symbols may be', () => {
    const parameters = Uint8Array.of(1, 1);
    const base = new Uint8Array(100).fill(3);
    expect(read({ stored: Uint8Array.of(0), parameters }, 100, [base])).toEqual(base);
    for (const bytes of [[], [0, 0], [3], [2, 1, 2], [1, 0, 0, 0, 0, 0, 5, 5, 255, 255, 255, 255]])
      expect(() => read({ stored: Uint8Array.from(bytes), parameters }, 100, [base])).toThrow(refusal);
  });
});
