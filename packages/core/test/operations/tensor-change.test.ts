import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { changeTally, type TensorChange } from '../../src/operations/tensor-change.ts';

interface Form {
  readonly dtype: string;
  readonly unit: number;
  readonly byteOrder?: 'big';
}

/** The change of all bytes at once. */
function changeOf(form: Form, before: Uint8Array, after: Uint8Array): TensorChange {
  const tally = changeTally(form);
  tally.add(before.slice(), after.slice());
  return tally.result();
}

const bytesOf = (array: ArrayBufferView): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength).slice();

describe('the change of a tensor', () => {
  test('is counted by bits and measured by values', () => {
    const before = Float32Array.of(1, 2, 0, 4, NaN, 6);
    const after = Float32Array.of(1, 2.5, -0, 3, NaN, Infinity);
    expect(changeOf({ dtype: 'F32', unit: 4 }, bytesOf(before), bytesOf(after))).toEqual({
      of: 'elements',
      count: 6,
      changed: 4,
      maxAbs: 1,
      meanAbs: 1.5 / 6,
      notFinite: 1,
    });
  });

  test('of integers is exact, also of 64 bits', () => {
    const pairs = [
      ['I64', BigInt64Array.of(-1n, 2n ** 62n, 5n), BigInt64Array.of(1n, 2n ** 62n + 3n, 5n), 3],
      ['U64', BigUint64Array.of(2n ** 64n - 1n), BigUint64Array.of(2n ** 64n - 8n), 7],
      ['I8', Int8Array.of(-128, 0), Int8Array.of(127, 0), 255],
      ['U8', Uint8Array.of(255, 1), Uint8Array.of(0, 1), 255],
      ['I16', Int16Array.of(-5), Int16Array.of(5), 10],
      ['U32', Uint32Array.of(2 ** 32 - 1), Uint32Array.of(0), 2 ** 32 - 1],
      ['BOOL', Uint8Array.of(0, 1), Uint8Array.of(1, 1), 1],
    ] as const;
    for (const [dtype, before, after, most] of pairs) {
      const change = changeOf({ dtype, unit: before.BYTES_PER_ELEMENT }, bytesOf(before), bytesOf(after));
      expect([dtype, change.maxAbs]).toEqual([dtype, most]);
      expect(change.changed).toBe([...before].filter((value, i) => value !== after[i]).length);
    }
  });

  test('of short floats is that of what they stand for', () => {
    const at = (dtype: string, unit: 1 | 2, a: number, b: number): number | null => {
      const bytes = (bits: number): Uint8Array => bytesOf(unit === 1 ? Uint8Array.of(bits) : Uint16Array.of(bits));
      return changeOf({ dtype, unit }, bytes(a), bytes(b)).maxAbs;
    };
    expect(at('F16', 2, 0x3c00, 0xc000)).toBe(3); // 1 and -2
    expect(at('F16', 2, 0, 1)).toBe(2 ** -24);
    expect(at('F16', 2, 0x7bff, 0)).toBe(65_504);
    expect(at('F16', 2, 0x7c00, 0)).toBe(null);
    expect(at('BF16', 2, 0x3f80, 0xc000)).toBe(3);
    expect(at('F8_E5M2', 1, 0x3c, 0xc0)).toBe(3);
    expect(at('F8_E4M3', 1, 0x38, 0xc0)).toBe(3);
    expect(at('F8_E4M3', 1, 0x7e, 0)).toBe(448);
    expect(at('F8_E4M3', 1, 0x7f, 0)).toBe(null);
    expect(at('F8_E4M3', 1, 1, 0)).toBe(2 ** -9);
  });

  test('of quantised types, and of types nobody knows, is the share of their blocks', () => {
    const before = new Uint8Array(18 * 4);
    const after = before.slice();
    after[0] = 1;
    after[17] = 1;
    after[40] = 1;
    for (const dtype of ['Q4_0', 'odd', 'F32'])
      expect(changeOf({ dtype, unit: 18 }, before, after)).toEqual({
        of: 'blocks',
        count: 4,
        changed: 2,
        maxAbs: null,
        meanAbs: null,
        notFinite: 0,
      });
  });

  test('of numbers with their first byte first is the same', () => {
    const turned = (array: Float32Array): Uint8Array => Buffer.from(bytesOf(array)).swap32();
    const [a, b] = [Float32Array.of(1, 2, 3), Float32Array.of(1, 2.25, 2)];
    expect(changeOf({ dtype: 'F32', unit: 4, byteOrder: 'big' }, turned(a), turned(b))).toEqual(
      changeOf({ dtype: 'F32', unit: 4 }, bytesOf(a), bytesOf(b)),
    );
  });

  test('is the same however it comes in parts, and a part that is the same need not be shown', () => {
    const values = fc.array(fc.float({ noNaN: true }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(
        values,
        fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }),
        fc.nat(59),
        (numbers, flips, cut) => {
          const before = Float32Array.from(numbers);
          const after = before.map((value, i) => (flips[i] === true ? Math.fround(value + 1) : value));
          const whole = changeOf({ dtype: 'F32', unit: 4 }, bytesOf(before), bytesOf(after));
          const tally = changeTally({ dtype: 'F32', unit: 4 });
          const first = Math.min(cut, before.length);
          for (const [from, to] of [
            [0, first],
            [first, before.length],
          ] as const) {
            const parts = [before, after].map((array) => bytesOf(array.subarray(from, to)));
            const [a = new Uint8Array(), b = new Uint8Array()] = parts;
            if (Buffer.compare(a, b) === 0) tally.addSame(a.length);
            else tally.add(a, b);
          }
          expect(tally.result()).toEqual(whole);
        },
      ),
    );
  });

  test('of bytes behind the last whole element is one more that changed', () => {
    const change = changeOf({ dtype: 'F32', unit: 4 }, Uint8Array.of(0, 0, 0, 0, 1), Uint8Array.of(0, 0, 0, 0, 2));
    expect(change).toMatchObject({ count: 2, changed: 1, maxAbs: null });
  });
});
