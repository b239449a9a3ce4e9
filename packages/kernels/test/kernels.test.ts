/** What every implementation of the kernels keeps, held against definitions and not against another implementation. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type FloatDtype, type GearTable, gearWindow } from '../src/index.ts';
import { implementations } from './implementations.ts';

const shift = fc.nat(70);
const table = fc.int32Array({ minLength: 256, maxLength: 256 });
/** Few kinds of bytes and many, short ranges and such as take several turns of every loop. */
const content = fc.oneof(
  fc.uint8Array({ maxLength: 100 }),
  fc.uint8Array({ minLength: 500, maxLength: 2000 }),
  fc.array(fc.constantFrom(0, 1, 255), { maxLength: 400 }).map((bytes) => Uint8Array.from(bytes)),
);

/** Two numbers as a range of `length` bytes. */
function rangeOf(length: number, a: number, b: number): readonly [number, number] {
  const [x, y] = [a % (length + 1), b % (length + 1)];
  return x < y ? [x, y] : [y, x];
}

describe.each(implementations())('$name', ({ kernels, place }) => {
  describe('gear scanner', () => {
    const step = (words: GearTable, hash: number, byte: number): number =>
      (2 * hash + ((words[byte] ?? 0) >>> 0)) % 2 ** 32;

    const call = fc.record({
      kind: fc.constantFrom('scan', 'scan', 'roll', 'reset'),
      a: fc.nat(),
      b: fc.nat(),
      bits: fc.integer({ min: 0, max: 31 }),
    });

    test('stops behind the first byte after which the hash is below the bound, and goes on from call to call', () => {
      fc.assert(
        fc.property(table, content, shift, fc.array(call, { maxLength: 12 }), (words, bytes, by, calls) => {
          const placed = place(bytes, by);
          const scanner = kernels.gearScanner(words);
          let hash = 0;
          for (const { kind, a, b, bits } of calls) {
            const [start, end] = rangeOf(bytes.length, a, b);
            if (kind === 'reset') {
              scanner.reset();
              hash = 0;
            } else {
              let cut = -1;
              for (let i = start; i < end && cut === -1; i += 1) {
                hash = step(words, hash, bytes[i] ?? 0);
                if (kind === 'scan' && hash < 2 ** bits) cut = i + 1;
              }
              if (kind === 'scan') expect(scanner.scan(placed, start, end, bits)).toBe(cut);
              else scanner.roll(placed, start, end);
            }
          }
        }),
        { numRuns: 300 },
      );
    });

    test('finds every cut of a long range', () => {
      const words = Int32Array.from({ length: 256 }, (_, i) => Math.imul(i + 1, 0x9e37_79b1));
      const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => Math.imul(i, 0x85eb_ca6b) >>> 23);
      const wanted: number[] = [];
      let hash = 0;
      for (const [i, byte] of bytes.entries()) {
        hash = step(words, hash, byte);
        if (hash < 2 ** 22) wanted.push(i + 1);
      }
      const placed = place(bytes, 3);
      const scanner = kernels.gearScanner(words);
      const found: number[] = [];
      for (let at = scanner.scan(placed, 0, bytes.length, 22); at !== -1;) {
        found.push(at);
        at = scanner.scan(placed, at, bytes.length, 22);
      }
      expect(found).toEqual(wanted);
      expect(found.length).toBeGreaterThan(100);
    });

    test('forgets all but the last bytes', () => {
      fc.assert(
        fc.property(table, fc.uint8Array({ minLength: 200, maxLength: 400 }), shift, (words, bytes, by) => {
          const placed = place(bytes, by);
          const far = kernels.gearScanner(words);
          const near = kernels.gearScanner(words);
          far.roll(placed, 0, 100);
          near.roll(placed, 100 - gearWindow, 100);
          expect(far.scan(placed, 100, bytes.length, 28)).toBe(near.scan(placed, 100, bytes.length, 28));
        }),
      );
    });

    test.each([0, 255, 257])('a table has 256 words, not %d', (words) => {
      expect(() => kernels.gearScanner(new Int32Array(words))).toThrow(RangeError);
    });

    test('scanners of several tables may take turns', () => {
      fc.assert(
        fc.property(table, table, fc.uint8Array({ minLength: 100, maxLength: 300 }), (one, other, bytes) => {
          const placed = place(bytes, 0);
          const alone = [one, other].map((words) => kernels.gearScanner(words).scan(placed, 0, bytes.length, 26));
          const scanners = [one, other].map((words) => kernels.gearScanner(words));
          for (const scanner of scanners) scanner.roll(placed, 0, 50);
          const after = scanners.map((scanner) => scanner.scan(placed, 50, bytes.length, 26));
          for (const [i, cut] of alone.entries()) if (cut > 50 || cut === -1) expect(after[i]).toBe(cut);
        }),
      );
    });
  });

  test('zeros end at the first byte that is not zero', () => {
    fc.assert(
      fc.property(fc.nat(600), fc.nat(255), fc.nat(300), shift, fc.nat(), fc.nat(), (zeros, byte, more, by, a, b) => {
        const bytes = new Uint8Array(zeros + 1 + more);
        bytes[zeros] = byte;
        const placed = place(bytes, by);
        const [start, end] = rangeOf(bytes.length, a, b);
        const last = byte !== 0 && zeros >= start && zeros < end ? zeros : end;
        expect(kernels.endOfZeros(placed, start, end)).toBe(last);
        expect(kernels.isZero(placed, start, end)).toBe(last === end);
      }),
      { numRuns: 500 },
    );
  });

  describe.each<FloatDtype>(['F64', 'F32', 'F16', 'BF16'])('elements of %s', (dtype) => {
    const size = { F64: 8, F32: 4, F16: 2, BF16: 2 }[dtype];
    /** What the element is, by JavaScript's own reading of it; BF16 is the upper half of an F32. */
    const numberAt = (view: DataView, at: number): number => {
      if (dtype === 'F64') return view.getFloat64(at, true);
      if (dtype === 'F32') return view.getFloat32(at, true);
      if (dtype === 'F16') return view.getFloat16(at, true);
      const whole = new DataView(new ArrayBuffer(4));
      whole.setUint16(2, view.getUint16(at, true), true);
      return whole.getFloat32(0, true);
    };
    /** Its last two bytes hold the sign and the exponent: noise is seldom infinite, these often are. */
    const edge = fc.constantFrom(0x7ff0, 0x7fef, 0xfff0, 0xfff8, 0x7f80, 0x7f7f, 0xff81, 0x7c00, 0x7bff, 0xfc01);

    test('are found and counted when they are not finite', () => {
      fc.assert(
        fc.property(
          fc.uint8Array({ maxLength: 1200 }),
          fc.array(fc.tuple(fc.nat(), edge), { maxLength: 6 }),
          shift,
          fc.nat(9),
          (bytes, edges, by, start) => {
            const count = Math.max(0, Math.floor((bytes.length - start) / size));
            const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
            for (const [where, value] of edges) {
              if (count > 0) view.setUint16(start + (where % count) * size + size - 2, value, true);
            }
            const odd = Array.from({ length: count }, (_, i) => i).filter(
              (i) => !Number.isFinite(numberAt(view, start + i * size)),
            );
            const from = Math.min(start, bytes.length);
            const placed = place(bytes, by);
            expect(kernels.firstNonFinite(dtype, placed, from, count)).toBe(odd[0] ?? -1);
            expect(kernels.countNonFinite(dtype, placed, from, count)).toBe(odd.length);
          },
        ),
        { numRuns: 200 },
      );
    });

    test('are counted beyond what a lane of 16 bits holds', () => {
      const count = 900_000 / size;
      const placed = place(new Uint8Array(count * size).fill(0xff), 1);
      expect(kernels.countNonFinite(dtype, placed, 0, count)).toBe(count);
      expect(kernels.firstNonFinite(dtype, placed, 0, count)).toBe(0);
    });
  });

  test('a histogram counts every byte of the range and no other', () => {
    fc.assert(
      fc.property(content, shift, fc.nat(), fc.nat(), (bytes, by, a, b) => {
        const [start, end] = rangeOf(bytes.length, a, b);
        const range = [...bytes.subarray(start, end)];
        const counted = kernels.histogram(place(bytes, by), start, end);
        expect([...counted]).toEqual(
          Array.from({ length: 256 }, (_, byte) => range.filter((other) => other === byte).length),
        );
      }),
    );
  });

  test('a histogram is its own: the next one leaves it alone', () => {
    const placed = place(new Uint8Array(1000).fill(7), 0);
    const first = kernels.histogram(placed, 0, 1000);
    kernels.histogram(placed, 0, 1);
    expect(first[7]).toBe(1000);
  });
});
