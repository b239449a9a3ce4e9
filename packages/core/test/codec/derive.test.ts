import { twinRecipes } from '@mbk/kernels';
import { blockOf } from '@mbk/plugin-sdk';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { blockBytesOf, numberedRecipe, recipesFor, recipesOf, sourceOf } from '../../src/codec/derive/recipe.ts';
import { workspaceBytes, workspaceIn } from '../../src/codec/derive/workspace.ts';
import { derivedGives, type DeriveSource, encodeDerived } from '../../src/codec/derive.ts';
import type { Encoded } from '../../src/codec/frame-codec.ts';
import { decodeFrame, decodeFrameParts } from '../../src/codec/registry.ts';
import { gaussian } from './gaussian.ts';

type Floats = 'F32' | 'F16' | 'BF16';

const what = 'frame 0 of a pack';
const twin = workspaceIn(twinRecipes(new Uint8Array(workspaceBytes)));

const floatTypes: readonly Floats[] = ['F32', 'F16', 'BF16'];
/** Every source with every recipe: its number, and what it makes. */
const pairs = floatTypes.flatMap((from) => {
  const source = sourceOf(from);
  if (source === undefined) throw new Error(`expected a source ${from}`);
  return recipesOf(source).map(({ name, number, dtype }) => ({ from, name, number, dtype }));
});

/** Parameters as docs/format.md has them. */
function parametersOf(from: Floats, recipe: number, offset = 0): Uint8Array {
  const bytes = Uint8Array.of(1, floatTypes.indexOf(from), recipe, 0, 0, 0, 0);
  new DataView(bytes.buffer).setUint32(3, offset, true);
  return bytes;
}

/** What a recipe makes of a source, in whole units. */
function madeOf(bytes: Uint8Array, from: Floats, recipe: number): Uint8Array {
  const { elements, bytes: unit } = numberedRecipe(recipe) ?? { elements: 1, bytes: 1 };
  const units = Math.floor(bytes.length / blockOf(from).bytes / elements);
  return decodeFrame(4, new Uint8Array(0), {
    plainLength: units * unit,
    parameters: parametersOf(from, recipe),
    bases: [bytes],
    what,
  });
}

function encode(plain: Uint8Array, dtype: string, source: DeriveSource): Encoded | undefined {
  return encodeDerived(plain, { dtype, unit: blockOf(dtype)?.bytes ?? 1 }, source);
}

function restored({ stored, parameters }: Encoded, bases: readonly Uint8Array[], plainLength: number): Uint8Array {
  const options = { plainLength, parameters, bases, what };
  const plain = decodeFrame(4, stored, options);
  const parts: Uint8Array[] = [];
  decodeFrameParts(4, stored, options, (part, offset) => {
    expect(offset).toBe(parts.reduce((sum, { length }) => sum + length, 0));
    parts.push(part.slice());
  });
  expect(Buffer.compare(Buffer.concat(parts), plain)).toBe(0);
  return plain;
}

/** Encodes, restores, and says how many bytes are kept; undefined where there is no derived form. */
function keptOf(plain: Uint8Array, dtype: string, source: DeriveSource): number | undefined {
  const encoded = encode(plain, dtype, source);
  if (encoded === undefined) return undefined;
  const { bases } = source;
  expect(Buffer.compare(restored(encoded, bases, plain.length), plain)).toBe(0);
  expect(derivedGives(plain, encoded, { bases, what })).toBe(true);
  expect(encoded.stored.length).toBeLessThanOrEqual(plain.length / 32);
  return encoded.stored.length;
}

// prettier-ignore
const edges = fc.constantFrom(
  0, 0x8000, 0x7f80, 0xff80, 0x7fc0, 0x7f81, 0xffff, 1, 0x8001, 0x7c00, 0xfc01, 0x3f80, 0x3c00, 0x0080, 0x0400,
);
const halves = (length: fc.ArrayConstraints): fc.Arbitrary<Uint8Array> =>
  fc
    .oneof(
      fc.array(fc.nat(65_535), length),
      fc.array(edges, length),
      fc.array(
        fc.integer({ min: 0x3a00, max: 0x3c00 }).map((word) => word | ((word & 1) << 15)),
        length,
      ),
    )
    .map((words) => new Uint8Array(Uint16Array.from(words).buffer));

/** Cuts bytes into bases at any places; some may be empty. */
function cutAt(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  return ends.map((end, i) => bytes.slice(ends[i - 1] ?? 0, end));
}

describe('the derive codec', () => {
  test.each(pairs)('$name of $from comes back, whatever the bits, wherever they begin and are cut', (pair) => {
    const { from, number, dtype } = pair;
    fc.assert(
      fc.property(
        halves({ minLength: 128, maxLength: 400 }),
        fc.nat(9),
        fc.array(fc.nat(), { maxLength: 5 }),
        fc.nat(40),
        (floats, offset, places, more) => {
          const plain = madeOf(floats, from, number);
          if (plain.length === 0) return;
          const bases = cutAt(Buffer.concat([new Uint8Array(offset), floats, new Uint8Array(more)]), places);
          expect(keptOf(plain, dtype, { dtype: from, bases, offset })).toBe(0);
        },
      ),
      { numRuns: 40 },
    );
  });

  test.each(pairs)('$name of $from is cut between bases at every place', ({ from, number, dtype }) => {
    const floats = gaussian(from, 64 * blockOf(from).bytes, 3);
    const plain = madeOf(floats, from, number);
    const encoded = encode(plain, dtype, { dtype: from, bases: [floats], offset: 0 });
    if (encoded === undefined) throw new Error('expected a derived form');
    for (let cut = 0; cut <= floats.length; cut += 1) {
      expect(Buffer.compare(restored(encoded, cutAt(floats, [cut, cut]), plain.length), plain)).toBe(0);
    }
  });

  test.each(pairs)(
    '$name of $from in several segments, with blocks that differ and a rest',
    ({ from, number, dtype }) => {
      const floats = gaussian(from, 50_016 * blockOf(from).bytes);
      const made = madeOf(floats, from, number);
      const recipe = numberedRecipe(number);
      if (recipe === undefined) throw new Error('expected a recipe');
      const { bytes: unit } = recipe;
      const plain = Uint8Array.from(Buffer.concat([made, made.subarray(0, unit - 1)]));
      const differing = [0, 1, 700, 1562];
      for (const block of differing) {
        const at = Math.min((block + 1) * blockBytesOf(recipe), made.length) - 1;
        plain[at] = (plain[at] ?? 0) ^ 1;
      }
      const kept = differing.length * (4 + blockBytesOf(recipe)) + unit - 1;
      expect(keptOf(plain, dtype, { dtype: from, bases: [floats], offset: 0 })).toBe(kept);
    },
  );

  test('the last block of a cast may be short', () => {
    const floats = gaussian('F32', 4 * 2003);
    const plain = madeOf(floats, 'F32', 1);
    plain[4005] = (plain[4005] ?? 0) ^ 1;
    // Elements 1984 to 2002.
    expect(keptOf(plain, 'F16', { dtype: 'F32', bases: [floats], offset: 0 })).toBe(4 + 2 * 19);
  });

  test('of the recipes for one type the one that gives most is taken', () => {
    const floats = gaussian('F32', 4 * 40_000);
    for (const number of [2, 3]) {
      const plain = madeOf(floats, 'F32', number);
      expect(encode(plain, 'BF16', { dtype: 'F32', bases: [floats], offset: 0 })?.parameters[2]).toBe(number);
    }
    // Both give floats that lose nothing: the first is taken.
    const wide = madeOf(gaussian('BF16', 2000), 'BF16', 0);
    expect(encode(madeOf(wide, 'F32', 3), 'BF16', { dtype: 'F32', bases: [wide], offset: 0 })?.parameters[2]).toBe(2);
    // A number that multiplying and adding with one rounding gives another level.
    const numbers = Uint32Array.from({ length: 32 * 600 }, (_, i) => [0xbd8d_3dd9, 0xbcf7_2c3d][i - 32 * 300] ?? 0);
    const source = { dtype: 'F32', bases: [new Uint8Array(numbers.buffer)], offset: 0 };
    for (const number of [5, 6]) {
      const plain = madeOf(new Uint8Array(numbers.buffer), 'F32', number);
      const encoded = encode(plain, 'Q4_0', source);
      expect(encoded).toEqual({ stored: new Uint8Array(0), parameters: parametersOf('F32', number) });
    }
  });

  test('there is no form where too much differs, the source is short or the types have no recipe', () => {
    const floats = gaussian('F32', 4 * 32_000);
    const q8 = madeOf(floats, 'F32', 4);
    const source = { dtype: 'F32', bases: [floats], offset: 0 };
    const other = { ...source, bases: [gaussian('F32', 4 * 32_000, 9)] };
    for (const dtype of ['F16', 'BF16', 'Q8_0', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1']) {
      expect(encode(q8, dtype, other)).toBeUndefined();
      expect(encode(q8.subarray(0, 3400), dtype, other)).toBeUndefined();
    }
    expect(encode(q8, 'Q8_0', source)).toBeDefined();
    expect(encode(q8, 'Q8_0', { ...source, offset: 1 })).toBeUndefined();
    expect(encode(q8, 'Q8_0', { ...source, offset: 2 ** 40 })).toBeUndefined();
    expect(encode(q8, 'Q8_0', { ...source, bases: [floats.subarray(1)] })).toBeUndefined();
    expect(encode(q8, 'Q8_0', { ...source, bases: [] })).toBeUndefined();
    expect(encode(q8.subarray(0, 33), 'Q8_0', source)).toBeUndefined();
    expect(encode(new Uint8Array(0), 'Q8_0', source)).toBeUndefined();
    expect(encode(q8, 'Q6_K', source)).toBeUndefined();
    expect(encode(floats, 'F32', source)).toBeUndefined();
    expect(encode(floats, 'F32', { ...source, dtype: 'F64' })).toBeUndefined();
    expect(encodeDerived(q8, { dtype: 'Q8_0', unit: 36 }, source)).toBeUndefined();
  });

  test('as many blocks may differ as take 1/32 of the bytes', () => {
    const floats = gaussian('F32', 4 * 32 * 1000);
    const source = { dtype: 'F32', bases: [floats], offset: 0 };
    const most = Math.floor(34_000 / 32 / 38);
    for (const blocks of [most, most + 1]) {
      const plain = madeOf(floats, 'F32', 4);
      for (let i = 0; i < blocks; i += 1) plain[34 * 30 * i] = (plain[34 * 30 * i] ?? 0) ^ 1;
      expect(keptOf(plain, 'Q8_0', source)).toBe(blocks === most ? most * 38 : undefined);
    }
  });

  test('the plain twin of the kernels encodes to the same bytes', () => {
    for (const { from, number, dtype } of pairs) {
      const elements = number === 4 ? 17_000 : 1600;
      const floats = gaussian(from, elements * blockOf(from).bytes, number);
      const plain = madeOf(floats, from, number);
      plain[40] = (plain[40] ?? 0) ^ 1;
      const element = { dtype, unit: blockOf(dtype)?.bytes ?? 0 };
      const source = { dtype: from, bases: [floats], offset: 0 };
      const encoded = encodeDerived(plain, element, source);
      expect(encoded).toBeDefined();
      expect(encodeDerived(plain, element, source, () => twin)).toEqual(encoded);
    }
  });

  test('what is not what was encoded is told apart', () => {
    const floats = gaussian('F16', 4000);
    const plain = madeOf(floats, 'F16', 4);
    const encoded = encode(plain, 'Q8_0', { dtype: 'F16', bases: [floats], offset: 0 });
    if (encoded === undefined) throw new Error('expected a derived form');
    const other = plain.slice();
    other[2000] = (other[2000] ?? 0) ^ 1;
    expect(derivedGives(other, encoded, { bases: [floats], what })).toBe(false);
    expect(derivedGives(plain, encoded, { bases: [gaussian('F16', 4000, 2)], what })).toBe(false);
  });
});

describe('rows in another order', () => {
  /** The rows of a tensor as llama.cpp's converter puts them: reshape to heads, halves and rows, swap the last two. */
  function permuted(floats: Uint8Array, rowBytes: number, groupRows: number): Uint8Array {
    const rows = floats.length / rowBytes;
    const half = groupRows / 2;
    const row = (at: number): Uint8Array => floats.subarray(at * rowBytes, (at + 1) * rowBytes);
    const order: Uint8Array[] = [];
    for (let group = 0; group < rows; group += groupRows)
      for (let at = 0; at < half; at += 1) order.push(row(group + at), row(group + half + at));
    return Uint8Array.from(Buffer.concat(order));
  }

  const kinds = ['interleaved', 'parted'] as const;
  const cases = floatTypes.flatMap((from) =>
    (['F32', 'F16', 'BF16', 'Q8_0', 'Q4_0', 'Q5_1'] as const).flatMap((dtype) =>
      kinds.map((kind) => ({ from, dtype, kind })),
    ),
  );

  test.each(cases)('$dtype of $from, $kind, comes back from any place of it', ({ from, dtype, kind }) => {
    const { bytes } = blockOf(from);
    const block = blockOf(dtype);
    fc.assert(
      fc.property(
        fc.record({
          row: fc.integer({ min: 1, max: 4 }).map((blocks) => 32 * blocks),
          half: fc.integer({ min: 1, max: 5 }),
          groups: fc.integer({ min: 1, max: 4 }),
          start: fc.nat(),
          length: fc.nat(),
          offset: fc.nat(9),
          places: fc.array(fc.nat(), { maxLength: 4 }),
        }),
        ({ row, half, groups, start, length, offset, places }) => {
          const rows = 2 * half;
          const elements = row * rows * groups;
          const plainOrder = gaussian(from, elements * bytes, elements + 1);
          const other = permuted(plainOrder, row * bytes, rows);
          const [floats, wanted] = kind === 'interleaved' ? [plainOrder, other] : [other, plainOrder];
          const number = recipesFor(dtype)[0]?.number ?? 0;
          const whole = from === dtype ? wanted : madeOf(wanted, from, number);
          const units = elements / block.elements;
          const first = start % units;
          const count = 1 + (length % (units - first));
          const plain = whole.slice(first * block.bytes, (first + count) * block.bytes);
          const group = Math.floor((first * block.elements) / (row * rows));
          const order = { kind, elements: row, rows, skip: first * block.elements - group * row * rows };
          const end = Math.ceil(((first + count) * block.elements) / (row * rows));
          const held = floats.subarray(group * row * rows * bytes, end * row * rows * bytes);
          const bases = cutAt(Buffer.concat([new Uint8Array(offset), held]), places);
          expect(keptOf(plain, dtype, { dtype: from, bases, offset, order })).toBe(0);
          const short = cutAt(Buffer.concat([new Uint8Array(offset), held.subarray(1)]), places);
          expect(encode(plain, dtype, { dtype: from, bases: short, offset, order })).toBeUndefined();
        },
      ),
      { numRuns: 40 },
    );
  });

  test('an order that is none of these rows gives nothing, and one that is gives what differs too', () => {
    const floats = gaussian('BF16', 2 * 4096 * 128);
    const order = { kind: 'interleaved', elements: 4096, rows: 64, skip: 0 } as const;
    const plain = madeOf(permuted(floats, 2 * 4096, 64), 'BF16', 4);
    const source = { dtype: 'BF16', bases: [floats], offset: 0 };
    expect(encode(plain, 'Q8_0', source)).toBeUndefined();
    expect(encode(plain, 'Q8_0', { ...source, order: { ...order, rows: 128 } })).toBeUndefined();
    expect(encode(plain, 'Q8_0', { ...source, order: { ...order, kind: 'parted' } })).toBeUndefined();
    expect(keptOf(plain, 'Q8_0', { ...source, order })).toBe(0);
    plain[34 * 9000] = (plain[34 * 9000] ?? 0) ^ 1;
    expect(keptOf(plain, 'Q8_0', { ...source, order })).toBe(38);
  });

  test('parameters that are no order, or of rows that the bases do not hold, are malformed', () => {
    const floats = gaussian('F32', 4 * 64 * 8);
    const plain = madeOf(permuted(floats, 4 * 64, 4), 'F32', 4);
    const order = { kind: 'interleaved', elements: 64, rows: 4, skip: 0 } as const;
    const encoded = encode(plain, 'Q8_0', { dtype: 'F32', bases: [floats], offset: 0, order });
    if (encoded === undefined) throw new Error('expected a derived form');
    expect([...encoded.parameters]).toEqual([2, 0, 4, 0, 0, 0, 0, 0, 64, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0]);
    const read = (at: number, value: number): unknown => {
      const parameters = encoded.parameters.slice();
      parameters[at] = value;
      return restored({ ...encoded, parameters }, [floats], plain.length);
    };
    expect(read(2, 4)).toEqual(plain);
    const wrong: readonly (readonly [at: number, value: number])[] = [
      ...([
        [0, 1],
        [0, 3],
        [3, 1],
        [7, 2],
        [8, 0],
        [8, 63],
        [8, 31],
        [12, 0],
        [12, 3],
        [16, 32],
        [16, 1],
        [11, 1],
      ] as const),
      ...([
        [15, 255],
        [19, 255],
      ] as const),
    ];
    for (const [at, value] of wrong) {
      expect(() => read(at, value), `${at} ${value}`).toThrow('frame 0 of a pack is no derived frame');
    }
    for (let length = 0; length < 20; length += 1) {
      const parameters = encoded.parameters.slice(0, length);
      expect(() => restored({ ...encoded, parameters }, [floats], plain.length)).toThrow('no derived frame');
    }
  });
});

describe('frames that are malformed', () => {
  const floats = gaussian('F32', 4 * 33_000);
  const plain = madeOf(floats.subarray(0, 4 * 32 * 1025), 'F32', 4);
  for (const at of [0, 34 * 600, 34 * 1024]) plain[at] = (plain[at] ?? 0) ^ 1;
  const given = encode(plain, 'Q8_0', { dtype: 'F32', bases: [floats], offset: 0 });
  if (given === undefined) throw new Error('expected a derived form');
  const encoded = given;
  const refusal = expect.objectContaining({
    code: 'value-invalid',
    message: expect.stringContaining('frame 0 of a pack is no derived frame') as string,
  }) as Error;

  const reading =
    (change: Partial<Encoded> & { readonly bases?: readonly Uint8Array[]; readonly length?: number }) => (): unknown =>
      restored({ ...encoded, ...change }, change.bases ?? [floats], change.length ?? plain.length);

  test('damage and noise end in an error or in the right length', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((noise) => ({ stored: noise })),
      fc.uint8Array({ maxLength: 10 }).map((noise) => ({ parameters: noise })),
      fc
        .tuple(fc.nat(3), fc.nat(14), fc.uint8Array({ minLength: 4, maxLength: 4 }))
        .map(([from, recipe, offset]) => ({ parameters: Uint8Array.of(1, from, recipe, ...offset) })),
      fc
        .tuple(fc.nat(3), fc.nat(14), fc.array(fc.nat(200), { minLength: 4, maxLength: 4 }), fc.nat(2))
        .map(([from, recipe, numbers, kind]) => {
          const parameters = Buffer.alloc(20);
          parameters.set([2, from, recipe]);
          [3, 8, 12, 16].forEach((at, i) => parameters.writeUInt32LE((numbers[i] ?? 0) * (i === 1 ? 32 : 1), at));
          parameters[7] = kind;
          return { parameters: Uint8Array.from(parameters) };
        }),
      fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })).map(([where, mask]) => {
        const stored = encoded.stored.slice();
        stored[where % stored.length] = (stored[where % stored.length] ?? 0) ^ mask;
        return { stored };
      }),
      fc.nat(encoded.stored.length).map((length) => ({ stored: encoded.stored.slice(0, length) })),
    );
    const bases = fc.oneof(
      fc.constant([floats]),
      fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 4 }),
      fc.nat(floats.length).map((length) => [floats.subarray(0, length)]),
    );
    fc.assert(
      fc.property(bytes, bases, fc.oneof(fc.constant(plain.length), fc.nat(40_000)), (change, each, length) => {
        try {
          expect((reading({ ...change, bases: each, length })() as Uint8Array).length).toBe(length);
        } catch (error) {
          expect(error).toMatchObject({ code: 'value-invalid' });
        }
      }),
      { numRuns: 500 },
    );
  });

  test('parameters of another version, source, recipe or length', () => {
    const bad = [
      [],
      [1],
      [2, 0, 4, 0, 0, 0, 0],
      [3, 0, 4, 0, 0, 0, 0],
      [1, 3, 4, 0, 0, 0, 0],
      [1, 0, 13, 0, 0, 0, 0],
      [1, 0, 4, 0, 0, 0],
    ];
    for (const parameters of [...bad, [1, 0, 4, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0], [1, 1, 1, 0, 0, 0, 0]]) {
      expect(reading({ parameters: Uint8Array.from(parameters) })).toThrow(refusal);
    }
  });

  test('bases that do not hold what it is made of', () => {
    const end = 4 * 32 * 1025;
    expect(reading({ bases: [floats.subarray(0, end)] })).not.toThrow();
    expect(reading({ bases: [floats.subarray(0, end - 1)] })).toThrow(refusal);
    expect(reading({ bases: [] })).toThrow(refusal);
    expect(() => decodeFrame(4, encoded.stored, { ...encoded, plainLength: plain.length, what })).toThrow(refusal);
    expect(reading({ parameters: parametersOf('F32', 4, floats.length - end) })).not.toThrow();
    expect(reading({ parameters: parametersOf('F32', 4, floats.length - end + 1) })).toThrow(refusal);
    expect(reading({ parameters: parametersOf('F32', 4, 0xffff_ffff) })).toThrow(refusal);
  });

  test('blocks out of order or out of range, and bytes that are left or missing', () => {
    const [a, b, c] = [0, 38, 76].map((start) => encoded.stored.subarray(start, start + 38));
    if (a === undefined || b === undefined || c === undefined) throw new Error('expected three blocks');
    const joined = (...parts: Uint8Array[]): Partial<Encoded> => ({ stored: Uint8Array.from(Buffer.concat(parts)) });
    expect(reading(joined(a, b, c))).not.toThrow();
    const beyond = c.slice();
    beyond[0] = (beyond[0] ?? 0) + 1;
    for (const parts of [
      [b, a, c],
      [a, a],
      [a, c, b],
      [a, b, beyond],
      [a, b, c, b],
      [a, b, c, Uint8Array.of(0)],
    ]) {
      expect(reading(joined(...parts))).toThrow(refusal);
    }
    expect(reading(joined(a, b, c.subarray(1)))).toThrow(refusal);
    expect(reading({ length: plain.length + 1 })).toThrow(refusal);
    expect(reading({ ...joined(), length: 1 })).toThrow(refusal);
    expect(reading({ ...joined(Uint8Array.of(7)), length: 1 })).not.toThrow();
  });
});
