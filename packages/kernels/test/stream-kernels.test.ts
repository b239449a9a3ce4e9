/** The kernels for streams: WebAssembly and its twin give the same bytes, and each join undoes its split. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeTableBytes,
  encodeTableBytes,
  kernelMemory,
  laneCountsBytes,
  longestCode,
  type StreamKernels,
  twinStreams,
  wasmStreams,
} from '../src/index.ts';

const memory = kernelMemory(1_048_576);
const wasm = wasmStreams(memory);
const twin = twinStreams(new Uint8Array(memory.buffer.byteLength));

const [tables, lengthsAt, encodeTable, decodeTable] = [0, 8192, 12_288, 16_384];
/** Where ranges of each test lie. */
const [source, target, back] = [65_536, 262_144, 524_288];

/** What both give, which is the same: all of their memory. */
function both<T>(bytes: Uint8Array, run: (kernels: StreamKernels) => T): T {
  const answers = [twin, wasm].map((kernels) => {
    kernels.bytes.fill(0xa5);
    kernels.bytes.set(bytes, source);
    return run(kernels);
  });
  expect(answers[1]).toEqual(answers[0]);
  expect(Buffer.compare(wasm.bytes, twin.bytes)).toBe(0);
  return answers[1] as T;
}

const content = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.uint8Array({ minLength: 1000, maxLength: 5000 }),
  fc.array(fc.constantFrom(0, 1, 0x3f, 0x80, 0xff), { maxLength: 2000 }).map((bytes) => Uint8Array.from(bytes)),
);
const shift = fc.nat(20);

describe('splits', () => {
  const isBack = (bytes: Uint8Array, kernels: StreamKernels): void => {
    expect(Buffer.compare(kernels.bytes.subarray(back, back + bytes.length), bytes)).toBe(0);
  };

  test.each([2, 4])('numbers of %i bytes are joined again', (size) => {
    fc.assert(
      fc.property(content, shift, (bytes, by) => {
        const count = Math.floor(bytes.length / size);
        both(bytes, (kernels) => {
          if (size === 2) {
            kernels.splitFloat16(source, count, target + by, target + by + count);
            kernels.joinFloat16(back, count, target + by, target + by + count);
          } else {
            kernels.splitFloat32(source, count, target + by);
            kernels.joinFloat32(back, count, target + by);
          }
          isBack(bytes.subarray(0, count * size), kernels);
        });
      }),
    );
  });

  test('the first stream of floats has their exponents', () => {
    const floats = Float32Array.of(1, -1, 2 ** -126, 2 ** -127, 0, -0, Infinity, Number.NaN);
    const exponents = [127, 127, 1, 0, 0, 0, 255, 255];
    both(new Uint8Array(floats.buffer), (kernels) => {
      kernels.splitFloat32(source, floats.length, target);
      expect([...kernels.bytes.subarray(target, target + floats.length)]).toEqual(exponents);
    });
    const halves = Float16Array.of(1, -1.875, 2 ** -24, -Infinity);
    both(new Uint8Array(halves.buffer), (kernels) => {
      kernels.splitFloat16(source, halves.length, target, target + 8);
      expect([...kernels.bytes.subarray(target, target + 4)]).toEqual([15 * 8, 15 * 8 + 7, 0, 31 * 8]);
    });
  });

  test.each([2, 4] as const)(
    'numbers of %i bytes that are foretold come back, with 3 · distance before them',
    (size) => {
      const order = fc.constantFrom(1, 2, 3);
      fc.assert(
        fc.property(content, order, fc.integer({ min: 1, max: 40 }), fc.boolean(), (bytes, by, distance, isFloat) => {
          const count = Math.max(0, Math.floor(bytes.length / size) - by * distance);
          const from = source + by * distance * size;
          both(bytes, (kernels) => {
            kernels.differRows(from, count, size, distance, by, isFloat, back + by * distance * size, target);
            kernels.copyRange(source, by * distance * size, back);
            kernels.sumRows(back + by * distance * size, count, size, distance, by, isFloat);
            isBack(count === 0 ? new Uint8Array(0) : bytes.subarray(0, (by * distance + count) * size), kernels);
          });
        }),
      );
    },
  );

  test('what lies on a line or a parabola is foretold', () => {
    for (const [order, numberOf] of [
      [1, () => 7],
      [2, (i: number) => 3 * i + 5],
      [3, (i: number) => i * i - 4],
    ] as const) {
      const numbers = Int32Array.from({ length: 300 }, (_, i) => numberOf(Math.floor(i / 10)));
      both(new Uint8Array(numbers.buffer), (kernels) => {
        kernels.differRows(source + 120, 270, 4, 10, order, false, back, target);
        expect(kernels.bytes.subarray(target, target + 270)).toEqual(new Uint8Array(270));
      });
    }
  });

  test('fields are gathered and scattered, whatever their width', () => {
    const widths = fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(content, widths, (bytes, each) => {
        const stride = each.reduce((sum, width) => sum + width, 0);
        const count = Math.floor(bytes.length / stride);
        both(bytes, (kernels) => {
          let offset = 0;
          for (const width of each) {
            kernels.gatherField(source + offset, stride, width, count, target + offset * count);
            kernels.scatterField(back + offset, stride, width, count, target + offset * count);
            offset += width;
          }
          isBack(bytes.subarray(0, count * stride), kernels);
        });
      }),
    );
  });

  test('nibbles and the bits above them become symbols and are spread again', () => {
    // Two rows over units of 40 bytes: nibbles at 0 to 15, two bits for each at 16 to 31.
    const plan = Uint8Array.of(0, 0, 15, 0, 16, 0, 3, 4, 0, 4, 15, 0, 16, 2, 3, 4);
    fc.assert(
      fc.property(content, (bytes) => {
        const count = Math.floor(bytes.length / 40);
        both(bytes, (kernels) => {
          kernels.bytes.set(plan, tables);
          kernels.mergeBits(source, 40, count, tables, 2, 2, target);
          kernels.bytes.fill(0, back, back + 40 * count);
          kernels.spreadBits(back, 40, count, tables, 2, 2, target);
          for (let unit = 0; unit < count; unit += 1) {
            for (let i = 0; i < 16; i += 1) {
              const low = bytes[40 * unit + i] ?? 0;
              const high = bytes[40 * unit + 16 + i] ?? 0;
              expect(kernels.bytes[target + 32 * unit + i]).toBe((low & 15) | ((high & 3) << 4));
              expect(kernels.bytes[target + 32 * unit + 16 + i]).toBe((low >> 4) | (((high >> 2) & 3) << 4));
              expect(kernels.bytes[back + 40 * unit + i]).toBe(low);
              expect(kernels.bytes[back + 40 * unit + 16 + i]).toBe(high & 15);
            }
          }
        });
      }),
      { numRuns: 30 },
    );
  });

  test('nibbles and a fifth bit become pairs of upper bits and lowest bits, and are spread again', () => {
    fc.assert(
      fc.property(content, (bytes) => {
        const count = Math.floor(bytes.length / 20);
        both(bytes, (kernels) => {
          kernels.mergeFifths(source, 20, count, 0, 4, target, target + 16 * count);
          kernels.spreadFifths(back, 20, count, 0, 4, target, target + 16 * count);
          isBack(bytes.subarray(0, 20 * count), kernels);
        });
      }),
      { numRuns: 50 },
    );
  });

  test('ranges are copied, and are equal when all their bytes are', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (bytes, where, mask) => {
          both(bytes, (kernels) => {
            kernels.copyRange(source, bytes.length, target);
            expect(kernels.equalRanges(source, target, bytes.length)).toBe(true);
            const at = target + (where % bytes.length);
            kernels.bytes[at] = (kernels.bytes[at] ?? 0) ^ mask;
            expect(kernels.equalRanges(source, target, bytes.length)).toBe(false);
            kernels.clearRange(target, bytes.length);
            expect(kernels.bytes.subarray(target, target + bytes.length)).toEqual(new Uint8Array(bytes.length));
          });
        },
      ),
    );
  });
});

/** A complete code of `symbols` symbols, whose lengths differ as far as `seed` says. */
function lengthsOf(symbols: readonly number[], seed: readonly number[]): Uint8Array {
  const lengths = new Uint8Array(256);
  // Splits a leaf again and again, so the code stays complete.
  const leaves = [0];
  for (let i = 0; leaves.length < symbols.length; i += 1) {
    const able = leaves.flatMap((depth, leaf) => (depth < longestCode ? [leaf] : []));
    const leaf = able[(seed[i % seed.length] ?? 0) % able.length] ?? 0;
    const depth = (leaves[leaf] ?? 0) + 1;
    leaves[leaf] = depth;
    leaves.push(depth);
  }
  for (const [i, symbol] of symbols.entries()) lengths[symbol] = leaves[i] ?? 0;
  return lengths;
}

describe('lanes', () => {
  const alphabet = fc.uniqueArray(fc.nat(255), { minLength: 2, maxLength: 256 });
  const seed = fc.array(fc.nat(), { minLength: 1, maxLength: 20 });
  const picks = fc.oneof(
    fc.array(fc.nat(), { maxLength: 40 }),
    fc.array(fc.nat(), { minLength: 200, maxLength: 1500 }),
  );

  test('every quarter is counted in a table of its own', () => {
    fc.assert(
      fc.property(content, (bytes) => {
        both(bytes, (kernels) => {
          kernels.laneCounts(tables, source, bytes.length);
          const view = new DataView(kernels.bytes.buffer, tables, laneCountsBytes);
          const quarter = Math.ceil(bytes.length / 4);
          for (let lane = 0; lane < 4; lane += 1) {
            const wanted = new Uint32Array(256);
            for (const byte of bytes.subarray(lane * quarter, (lane + 1) * quarter))
              wanted[byte] = (wanted[byte] ?? 0) + 1;
            expect(Uint32Array.from(wanted, (_, i) => view.getUint32(1024 * lane + 4 * i, true))).toEqual(wanted);
          }
        });
      }),
      { numRuns: 50 },
    );
  });

  test('codes are read back, and nothing is written outside the lanes', () => {
    fc.assert(
      fc.property(alphabet, seed, picks, fc.boolean(), (symbols, depths, chosen, isShort) => {
        const lengths = lengthsOf(symbols, depths);
        const bytes = Uint8Array.from(chosen, (pick) => symbols[pick % symbols.length] ?? 0);
        both(bytes, (kernels) => {
          const { length } = bytes;
          kernels.bytes.set(lengths, lengthsAt);
          kernels.bytes.fill(0, encodeTable, decodeTable + decodeTableBytes);
          kernels.makeEncodeTable(lengthsAt, encodeTable);
          const quarter = Math.ceil(length / 4);
          const cut = (lane: number): number => Math.min(lane * quarter, length);
          const sizes = [0, 1, 2, 3].map((lane) => {
            const bits = bytes.subarray(cut(lane), cut(lane + 1)).reduce((sum, byte) => sum + (lengths[byte] ?? 0), 0);
            return Math.ceil(bits / 8);
          }) as [number, number, number, number];
          const [s0, s1, s2, s3] = sizes;
          const ends = [s0, s0 + s1, s0 + s1 + s2, s0 + s1 + s2 + s3].map((end) => target + end) as [
            number,
            number,
            number,
            number,
          ];
          kernels.encodeLanes(
            encodeTable,
            source,
            source + cut(1),
            target,
            ends[0],
            source + cut(1),
            source + cut(2),
            ends[0],
            ends[1],
          );
          kernels.encodeLanes(
            encodeTable,
            source + cut(2),
            source + cut(3),
            ends[1],
            ends[2],
            source + cut(3),
            source + length,
            ends[2],
            ends[3],
          );
          expect(kernels.bytes.subarray(ends[3], ends[3] + 16)).toEqual(new Uint8Array(16).fill(0xa5));
          expect(kernels.makeDecodeTable(lengthsAt, decodeTable)).toBe(true);
          expect(kernels.decodeLanes(decodeTable, target, sizes, back, length, isShort)).toBe(true);
          expect(Buffer.compare(kernels.bytes.subarray(back, back + length), bytes)).toBe(0);
          expect(kernels.bytes.subarray(back + length, back + length + 32)).toEqual(new Uint8Array(32).fill(0xa5));
        });
      }),
      { numRuns: 150 },
    );
  });

  test('whatever the lanes hold, both read the same or refuse, and write nothing outside', () => {
    const sizes = fc.tuple(fc.nat(60), fc.nat(60), fc.nat(60), fc.nat(60));
    fc.assert(
      fc.property(
        alphabet,
        seed,
        fc.uint8Array({ minLength: 240, maxLength: 240 }),
        sizes,
        fc.nat(200),
        fc.boolean(),
        (symbols, depths, bytes, each, count, isShort) => {
          const answers = [twin, wasm].map((kernels) => {
            kernels.bytes.fill(0xa5);
            kernels.bytes.set(bytes, source);
            kernels.bytes.set(lengthsOf(symbols, depths), lengthsAt);
            kernels.makeDecodeTable(lengthsAt, decodeTable);
            const isRead = kernels.decodeLanes(decodeTable, source, each, back, count, isShort);
            expect(kernels.bytes.subarray(back - 32, back)).toEqual(new Uint8Array(32).fill(0xa5));
            expect(kernels.bytes.subarray(back + count, back + count + 32)).toEqual(new Uint8Array(32).fill(0xa5));
            return { isRead, symbols: isRead ? kernels.bytes.slice(back, back + count) : undefined };
          });
          expect(answers[1]).toEqual(answers[0]);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('only lengths of a complete code make a table', () => {
    fc.assert(
      fc.property(alphabet, seed, fc.nat(255), fc.nat(255), (symbols, depths, where, length) => {
        const lengths = lengthsOf(symbols, depths);
        lengths[where] = length;
        const sum = lengths.reduce((all, one) => all + (one === 0 ? 0 : 2 ** -one), 0);
        const isComplete = sum === 1 && lengths.every((one) => one <= longestCode);
        both(lengths, (kernels) => {
          expect(kernels.makeDecodeTable(source, decodeTable)).toBe(isComplete);
          // What stands in a table that is refused is nobody's business.
          kernels.bytes.fill(0, decodeTable, decodeTable + decodeTableBytes);
        });
      }),
      { numRuns: 200 },
    );
  });

  test('tables lie apart in these tests', () => {
    expect(encodeTable + encodeTableBytes).toBeLessThanOrEqual(decodeTable);
    expect(decodeTable + decodeTableBytes).toBeLessThanOrEqual(source);
  });
});
