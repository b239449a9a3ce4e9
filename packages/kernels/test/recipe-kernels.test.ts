/** The kernels for casts and quantisations: WebAssembly and its twin give the same bytes, and those that ggml gives. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { kernelMemory, type RecipeKernels, twinRecipes, wasmRecipes } from '../src/index.ts';

const memory = kernelMemory(131_072);
const wasm = wasmRecipes(memory);
const twin = twinRecipes(new Uint8Array(memory.buffer.byteLength));
const [source, target] = [1024, 65_000];
/** Bytes on either side of what is written. */
const around = new Uint8Array(64).fill(0xa5);

/** What both give, which is the same: `length` bytes, and none beside them. */
function both(bytes: Uint8Array, length: number, run: (kernels: RecipeKernels) => void): Uint8Array {
  const [wanted, got] = [twin, wasm].map((kernels) => {
    kernels.bytes.set(bytes, source);
    kernels.bytes.set(around, target - 64);
    kernels.bytes.set(around, target + length);
    run(kernels);
    expect(Buffer.compare(kernels.bytes.subarray(source, source + bytes.length), bytes)).toBe(0);
    for (const at of [target - 64, target + length]) {
      expect(Buffer.compare(kernels.bytes.subarray(at, at + 64), around)).toBe(0);
    }
    return kernels.bytes.slice(target, target + length);
  });
  expect(Buffer.compare(got ?? around, wanted ?? around)).toBe(0);
  return got ?? new Uint8Array(0);
}

const bytesOf = (numbers: ArrayBufferView): Uint8Array =>
  new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
const floats = (...numbers: number[]): Uint8Array => bytesOf(Float32Array.from(numbers));
const bits = (...words: number[]): Uint8Array => bytesOf(Uint32Array.from(words));

/** Numbers as F32 that are hard: signed zeros, subnormals, halves between neighbours, infinities, NaNs with payloads. */
const hard = fc.constantFrom(
  ...[0, 1, 0x0000_8000, 0x007f_ffff, 0x0080_0000, 0x0100_0000, 0x3300_0000, 0x3300_0001, 0x3380_0000, 0x387f_e000],
  ...[0x3880_0000, 0x3f80_0000, 0x3f80_8000, 0x3f81_8000, 0x3f80_1000, 0x3f80_3000, 0x3eff_ffff, 0x3f00_0000],
  ...[0x477f_efff, 0x477f_f000, 0x4780_0000, 0x7f7f_7fff, 0x7f7f_ffff, 0x7f80_0000, 0x7f80_0001, 0x7fbf_ffff],
  ...[0x7fc0_0000, 0x7fff_ffff, 0x0020_0000, 0x0000_0005],
);
const sign = fc.constantFrom(0, 0x8000_0000);
const signed = fc.tuple(hard, sign).map(([word, bit]) => (word | bit) >>> 0);
const any = fc.nat(0xffff_ffff);
const weight = fc
  .float({ min: -2, max: 2, noNaN: true })
  .map((value) => new Uint32Array(Float32Array.of(value).buffer)[0] ?? 0);
/** Blocks are of one kind mostly, so that one hard number does not hide the others. */
const words = (length: fc.ArrayConstraints): fc.Arbitrary<Uint8Array> =>
  fc
    .oneof(
      fc.array(weight, length),
      fc.array(signed, length),
      fc.array(any, length),
      fc.array(fc.oneof(signed, weight), length),
      fc.array(fc.constantFrom(0, 0x8000_0000, 0x3f80_0000, 0xbf80_0000), length),
      // Powers of two and their odd multiples: every tie.
      fc.array(
        fc.integer({ min: -510, max: 510 }).map((n) => new Uint32Array(Float32Array.of(n / 32).buffer)[0] ?? 0),
        length,
      ),
    )
    .map((each) => bits(...each));

describe('casts', () => {
  const casts = ['roundBF16', 'roundF16', 'cutBF16'] as const;

  test.each(casts)('%s: the twins agree on all bits', (cast) => {
    fc.assert(
      fc.property(words({ maxLength: 70 }), (bytes) => {
        both(bytes, bytes.length / 2, (kernels) => kernels[cast](source, bytes.length / 4, target));
      }),
      { numRuns: 300 },
    );
  });

  test.each(['widenBF16', 'widenF16'] as const)('%s: the twins agree on every number there is', (cast) => {
    for (let first = 0; first < 65_536; first += 8192) {
      const bytes = bytesOf(Uint16Array.from({ length: 8192 }, (_, i) => first + i));
      both(bytes, 32_768, (kernels) => kernels[cast](source, 8192, target));
    }
    both(new Uint8Array(26), 52, (kernels) => kernels[cast](source, 13, target));
  });

  test('what was widened is what it was when it is rounded back, but for the quiet bit of NaNs', () => {
    for (const kind of ['BF16', 'F16'] as const) {
      const quiet = kind === 'F16' ? 0x200 : 0x40;
      const [magnitude, infinity] = kind === 'F16' ? [0x7fff, 0x7c00] : [0x7fff, 0x7f80];
      for (let first = 0; first < 65_536; first += 8192) {
        const all = Uint16Array.from({ length: 8192 }, (_, i) => first + i);
        const wide = both(bytesOf(all), 32_768, (kernels) => kernels[`widen${kind}`](source, all.length, target));
        const back = both(wide, 16_384, (kernels) => kernels[`round${kind}`](source, all.length, target));
        const wanted = all.map((word) => ((word & magnitude) > infinity ? word | quiet : word));
        expect(Buffer.compare(back, bytesOf(wanted))).toBe(0);
      }
    }
  });

  test('numbers are rounded to the nearest, and ties to even', () => {
    const rounded = (cast: (typeof casts)[number], bytes: Uint8Array): number[] => [
      ...new Uint16Array(
        both(bytes, bytes.length / 2, (kernels) => kernels[cast](source, bytes.length / 4, target)).buffer,
      ),
    ];
    const ties = bits(
      0x3f80_8000,
      0x3f81_8000,
      0x3f80_8001,
      0x7f7f_8000,
      0xffff_ffff,
      0x7f80_0001,
      0x0000_8001,
      0x8000_0000,
    );
    expect(rounded('roundBF16', ties)).toEqual([0x3f80, 0x3f82, 0x3f81, 0x7f80, 0xffff, 0x7fc0, 1, 0x8000]);
    expect(rounded('cutBF16', ties)).toEqual([0x3f80, 0x3f81, 0x3f80, 0x7f7f, 0xffff, 0x7f80, 0, 0x8000]);
    const halves = floats(
      65_519.996,
      65_520,
      2 ** -25,
      2 ** -25 * 1.5,
      3 * 2 ** -25,
      1 + 2 ** -11,
      1 + 3 * 2 ** -11,
      -Infinity,
    );
    expect(rounded('roundF16', halves)).toEqual([0x7bff, 0x7c00, 0, 1, 2, 0x3c00, 0x3c02, 0xfc00]);
    expect(rounded('roundF16', bits(0x7f80_0001, 0xffc0_2000))).toEqual([0x7e00, 0xfe01]);
  });
});

describe('blocks', () => {
  const sizes = { quantiseQ8_0: 34, quantiseQ4_0: 18, quantiseQ4_1: 20, quantiseQ5_0: 22, quantiseQ5_1: 24 } as const;
  const kinds = Object.keys(sizes) as (keyof typeof sizes)[];

  test.each(kinds)('%s: the twins agree on all bits', (kind) => {
    fc.assert(
      fc.property(words({ minLength: 96, maxLength: 96 }), fc.nat(3), fc.boolean(), (bytes, blocks, isFused) => {
        both(bytes, blocks * sizes[kind], (kernels) => kernels[kind](source, blocks, target, isFused));
      }),
      { numRuns: 400 },
    );
  });

  /** The bytes of one block, which begins with `first` and goes on with zeros. */
  const block = (kind: keyof typeof sizes, first: readonly number[], isFused = false): number[] => {
    const bytes = bytesOf(Float32Array.from({ length: 32 }, (_, i) => first[i] ?? 0));
    return [...both(bytes, sizes[kind], (kernels) => kernels[kind](source, 1, target, isFused))];
  };

  test('Q8_0: halves go away from zero', () => {
    const levels = block('quantiseQ8_0', [127, 0.5, -0.5, 0.499_999_97, 1.5, -2.5, -127]).slice(2, 9);
    expect(levels).toEqual([127, 1, 255, 0, 2, 253, 129]);
    expect(block('quantiseQ8_0', [])).toEqual(new Array(34).fill(0));
  });

  test('Q4_0: the first of the largest size is the lowest level, and zeros have a scale of -0', () => {
    expect(block('quantiseQ4_0', [8, -8]).slice(0, 4)).toEqual([0x00, 0xbc, 0x80, 0x8f]);
    expect(block('quantiseQ4_0', [-8, 8]).slice(0, 4)).toEqual([0x00, 0x3c, 0x80, 0x8f]);
    expect(block('quantiseQ4_0', [])).toEqual([0, 0x80, ...new Array<number>(16).fill(0x88)]);
  });

  test('Q4_1 and Q5_1 begin at the least number, and keep the sign of a zero that is first', () => {
    expect(block('quantiseQ4_1', [-0, 15]).slice(0, 6)).toEqual([0, 0x3c, 0, 0x80, 0, 0x0f]);
    expect(block('quantiseQ4_1', [0, 15]).slice(0, 4)).toEqual([0, 0x3c, 0, 0]);
    expect(block('quantiseQ5_1', [31, 16]).slice(0, 10)).toEqual([0, 0x3c, 0, 0, 3, 0, 0, 0, 0x0f, 0]);
  });

  test('Q5_0: the fifth bits are in 32 bits of their own', () => {
    expect(block('quantiseQ5_0', [-16, 15]).slice(0, 8)).toEqual([0, 0x3c, 0xfe, 0xff, 0xff, 0xff, 0, 0x0f]);
  });

  test('multiplying and adding with one rounding can give another level', () => {
    const bytes = new Uint8Array(128);
    bytes.set(bits(0xbd8d_3dd9, 0xbcf7_2c3d));
    const [plain, fused] = [false, true].map((isFused) =>
      both(bytes, 18, (kernels) => kernels.quantiseQ4_0(source, 1, target, isFused)),
    );
    expect([plain?.[3], fused?.[3]]).toEqual([0x85, 0x84]);
  });

  test('scales too small for an inverse, infinities and NaNs give level 0', () => {
    expect(block('quantiseQ8_0', [2 ** -140, 1e-40]).slice(2)).toEqual(new Array(32).fill(0));
    expect(block('quantiseQ4_0', [2 ** -140, 1e-40]).slice(2)).toEqual(new Array(16).fill(0));
    expect(block('quantiseQ4_0', [Infinity, 1, Number.NaN]).slice(0, 5)).toEqual([0, 0xfc, 0x80, 0x88, 0x80]);
    expect(block('quantiseQ8_0', [Number.NaN, 127]).slice(0, 4)).toEqual([0, 0x3c, 0, 127]);
  });
});
