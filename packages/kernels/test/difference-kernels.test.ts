/** Differences of numbers: WebAssembly and its twin give the same bytes, and what was taken apart comes back. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DifferenceKernels, kernelMemory, twinDifferences, wasmDifferences } from '../src/index.ts';

const memory = kernelMemory(131_072);
const wasm = wasmDifferences(memory);
const twin = twinDifferences(new Uint8Array(memory.buffer.byteLength));

const [numbers, base, tokens, rest, z, classes] = [4096, 20_480, 36_864, 53_248, 69_632, 90_112];

/** What both give, which is the same: their answer and all of their memory. */
function both<T>(fresh: Uint8Array, old: Uint8Array, run: (kernels: DifferenceKernels) => T): T {
  const answers = [twin, wasm].map((kernels) => {
    kernels.bytes.fill(0xa5);
    kernels.bytes.set(fresh, numbers);
    kernels.bytes.set(old, base);
    return run(kernels);
  });
  expect(answers[1]).toEqual(answers[0]);
  expect(Buffer.compare(wasm.bytes, twin.bytes)).toBe(0);
  return answers[1] as T;
}

/** Patterns that are hard for floats of some size. */
const edge = fc.constantFrom(0, 1, 0x7f, 0x80, 0xff, 0x7c, 0x3f, 0x3c, 0xfe);
const bytesOf = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.oneof(
    fc.uint8Array({ minLength: length, maxLength: length }),
    fc.array(edge, { minLength: length, maxLength: length }).map((bytes) => Uint8Array.from(bytes)),
  );
/** A base, and numbers that are near it, far from it or the same. */
const pair = fc.nat(700).chain((length) =>
  fc.tuple(bytesOf(length), bytesOf(length), fc.constantFrom('near', 'far', 'same')).map(([old, other, how]) => {
    if (how === 'same') return { old, fresh: old };
    return {
      old,
      fresh: how === 'far' ? other : old.map((byte, i) => ((other[i] ?? 0) < 64 ? (other[i] ?? 0) : byte)),
    };
  }),
);

const sizes = [
  { size: 2, differ: 'differ16', undiffer: 'undiffer16', writeRest: 'writeRest16', readRest: 'readRest16' },
  { size: 4, differ: 'differ32', undiffer: 'undiffer32', writeRest: 'writeRest32', readRest: 'readRest32' },
  { size: 8, differ: 'differ64', undiffer: 'undiffer64', writeRest: 'writeRest64', readRest: 'readRest64' },
] as const;

describe('differences', () => {
  test.each(sizes)('numbers of $size bytes come back from tokens and rests', (names) => {
    const { size } = names;
    fc.assert(
      fc.property(pair, fc.boolean(), ({ old, fresh }, isFloat) => {
        const count = Math.floor(fresh.length / size);
        both(fresh, old, (kernels) => {
          const { bytes } = kernels;
          kernels[names.differ](numbers, base, count, isFloat, tokens);
          const differences = bytes.slice(numbers, numbers + count * size);
          const end = kernels[names.writeRest](numbers, tokens, count, rest);
          expect(end - rest).toBe(Math.ceil(kernels.restBits(tokens, count) / 8));
          bytes.fill(0, end, end + 8);
          kernels[names.readRest](tokens, count, rest, z);
          expect(Buffer.compare(bytes.subarray(z, z + count * size), differences)).toBe(0);
          kernels[names.undiffer](z, base, count, isFloat);
          expect(Buffer.compare(bytes.subarray(z, z + count * size), fresh.subarray(0, count * size))).toBe(0);
          expect(bytes.subarray(z + count * size, z + count * size + 32)).toEqual(new Uint8Array(32).fill(0xa5));
        });
      }),
      { numRuns: 150 },
    );
  });

  test('numbers of 1 to 8 bits come back', () => {
    fc.assert(
      fc.property(pair, fc.integer({ min: 1, max: 9 }), ({ old, fresh }, kind) => {
        const bits = Math.min(kind, 8);
        const cut = (bytes: Uint8Array): Uint8Array => bytes.map((byte) => byte & ((1 << bits) - 1));
        both(cut(fresh), cut(old), (kernels) => {
          kernels.differ8(numbers, base, fresh.length, bits, kind === 9);
          const most = Math.max(0, ...kernels.bytes.subarray(numbers, numbers + fresh.length));
          expect(most).toBeLessThan(2 ** bits);
          kernels.undiffer8(numbers, base, fresh.length, bits, kind === 9);
          const back = kernels.bytes.subarray(numbers, numbers + fresh.length);
          expect(Buffer.compare(back, cut(fresh))).toBe(0);
        });
      }),
      { numRuns: 150 },
    );
  });

  test('floats that follow each other differ by one, also across zero', () => {
    const halves = Uint16Array.of(0x3c00, 0x8000, 0x0000, 0x0001, 0x8001, 0x7c00);
    const before = Uint16Array.of(0x3bff, 0x0000, 0x8000, 0x0000, 0x8000, 0xfc00);
    both(new Uint8Array(halves.buffer), new Uint8Array(before.buffer), (kernels) => {
      kernels.differ16(numbers, base, halves.length, true, tokens);
      const view = new DataView(kernels.bytes.buffer, kernels.bytes.byteOffset);
      const each = Array.from({ length: halves.length }, (_, i) => view.getUint16(numbers + 2 * i, true));
      // +1, −1 (0 and −0 follow each other), +1, +1, −1; from −∞ to ∞ it is 63,489 floats: −2047 modulo 65,536.
      expect(each).toEqual([2, 1, 2, 2, 1, 4093]);
    });
  });

  test('tokens tell the length and the next two bits', () => {
    const each = [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 0xffff_ffff, 0x8000_0000, 0x01ff_ffff];
    const fresh = Uint32Array.from(each, (value) => ((value & 1) === 1 ? -(value >>> 1) - 1 : value >>> 1));
    both(new Uint8Array(fresh.buffer), new Uint8Array(4 * each.length), (kernels) => {
      kernels.differ32(numbers, base, each.length, false, tokens);
      expect([...kernels.bytes.subarray(tokens, tokens + each.length)]).toEqual([
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 123, 120, 95,
      ]);
    });
  });

  test('classes of numbers of any size, and upper bits', () => {
    const low = fc.oneof(fc.nat(40), fc.nat(2047));
    fc.assert(
      fc.property(pair, low, ({ fresh }, from) => {
        both(fresh, fresh, (kernels) => {
          for (const [size, shift] of [
            [1, 3],
            [2, 10],
            [2, 7],
            [4, 23],
            [8, 52],
          ] as const) {
            kernels.classesOf(numbers, Math.floor(fresh.length / size), size, shift, from, classes);
          }
          for (const bits of [2, 4, 6, 8]) kernels.upperBits(numbers, fresh.length, bits, classes + 1024);
        });
      }),
    );
    both(new Uint8Array(Float32Array.of(1, 2, -4, 0, Infinity).buffer), new Uint8Array(0), (kernels) => {
      kernels.classesOf(numbers, 5, 4, 23, 127, classes);
      expect([...kernels.bytes.subarray(classes, classes + 5)]).toEqual([0, 1, 2, 0, 15]);
    });
  });
});
