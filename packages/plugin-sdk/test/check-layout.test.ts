import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  blockOf,
  checkLayout,
  isDtype,
  LayoutError,
  layoutLimits,
  type LayoutTensor,
  makeLayout,
} from '../src/index.ts';

const tensor = (change: Partial<Record<keyof LayoutTensor, unknown>> = {}): LayoutTensor =>
  ({ name: 'w', dtype: 'F16', shape: [2, 4], offset: 16, length: 16, ...change }) as LayoutTensor;
const check = (...tensors: readonly unknown[]): ReturnType<typeof checkLayout> =>
  checkLayout({ container: 'test', tensors }, 64);
const codeOf = (...tensors: readonly unknown[]): string => {
  const result = check(...tensors);
  return result.ok ? 'ok' : result.code;
};

describe('checkLayout', () => {
  test('sorts by offset, adds the unit and leaves out what it does not know', () => {
    const sorted = check(
      tensor({ name: 'b', offset: 32 }),
      { ...tensor({ name: 'a' }), extra: 1 },
      tensor({ name: 'empty', shape: [0], offset: 32, length: 0 }),
    );
    expect(sorted).toEqual({
      ok: true,
      layout: {
        container: 'test',
        tensors: [
          { name: 'a', dtype: 'F16', shape: [2, 4], offset: 16, length: 16, unit: 2 },
          { name: 'empty', dtype: 'F16', shape: [0], offset: 32, length: 0, unit: 2 },
          { name: 'b', dtype: 'F16', shape: [2, 4], offset: 32, length: 16, unit: 2 },
        ],
      },
    });
  });

  test('knows the blocks of quantised types, and takes the word of a plugin for others', () => {
    const quantised = check(tensor({ dtype: 'Q8_0', shape: [32], length: 34 }));
    expect(quantised.ok && quantised.layout.tensors[0]?.unit).toBe(34);
    const own = check(tensor({ dtype: 'NF4', shape: [64], length: 36, block: { elements: 64, bytes: 36 } }));
    expect(own.ok && own.layout.tensors[0]).toMatchObject({ unit: 36, block: { elements: 64, bytes: 36 } });
    const free = check(tensor({ dtype: 'STRANGE', shape: [3], length: 48 }));
    expect(free.ok && free.layout.tensors[0]?.unit).toBe(1);
  });

  test.each<[string, unknown]>([
    ['layout/form', null],
    ['layout/form', 'tensor'],
    ['layout/name', tensor({ name: 7 })],
    ['layout/name', tensor({ name: 'é'.repeat(40_000) })],
    ['layout/name', tensor({ name: '\ud800' })],
    ['layout/dtype', tensor({ dtype: 'f16' })],
    ['layout/dtype', tensor({ dtype: '__proto__' })],
    ['layout/shape', tensor({ shape: '2,4' })],
    ['layout/shape', tensor({ shape: [2, -4] })],
    ['layout/shape', tensor({ shape: [1.5] })],
    ['layout/shape', tensor({ shape: Array.from({ length: 65 }, () => 1) })],
    ['layout/out-of-file', tensor({ offset: 49 })],
    ['layout/out-of-file', tensor({ offset: -16 })],
    ['layout/out-of-file', tensor({ offset: 2 ** 53, length: 2 ** 53 })],
    ['layout/out-of-file', tensor({ length: Number.NaN })],
    ['layout/out-of-file', tensor({ offset: '16' })],
    ['layout/length', tensor({ shape: [2, 5] })],
    ['layout/length', tensor({ shape: [2 ** 40, 2 ** 40], length: 0 })],
    ['layout/block', tensor({ dtype: 'Q8_0', shape: [31], length: 34 })],
    ['layout/block', tensor({ block: { elements: 1, bytes: 4 } })],
    ['layout/block', tensor({ dtype: 'NF4', block: { elements: 0, bytes: 4 } })],
    ['layout/byte-order', tensor({ byteOrder: 'middle' })],
  ])('refuses with %s: %o', (code, value) => {
    expect(codeOf(value)).toBe(code);
  });

  test('refuses overlaps and names given twice', () => {
    expect(codeOf(tensor({ name: 'a' }), tensor({ name: 'b', offset: 31, length: 2, shape: [1] }))).toBe(
      'layout/overlap',
    );
    expect(codeOf(tensor({ name: 'a' }), tensor({ name: 'a', offset: 32 }))).toBe('layout/duplicate-name');
  });

  test('refuses more tensors than the limit before looking at one', () => {
    const tensors = Array.from({ length: 11 });
    const result = checkLayout({ container: 'test', tensors }, 64, { ...layoutLimits, tensors: 10 });
    expect(result).toMatchObject({ ok: false, code: 'layout/too-many-tensors' });
  });

  test('survives a value whose members throw', () => {
    const hostile = new Proxy(
      {},
      {
        get: () => {
          throw new Error('boo');
        },
      },
    );
    expect(checkLayout(hostile, 64)).toMatchObject({ ok: false, code: 'layout/unreadable' });
  });

  test('never throws, and what it accepts holds', () => {
    const size = fc.integer({ min: 0, max: 40 });
    const anyTensor = fc.record({
      name: fc.oneof(fc.constantFrom('a', 'b', 'c', 'd'), fc.anything()),
      dtype: fc.constantFrom('U8', 'F16', 'F4', 'OTHER'),
      shape: fc.oneof(fc.array(size, { maxLength: 2 }), fc.anything()),
      offset: size,
      length: size,
    });
    fc.assert(
      fc.property(fc.array(anyTensor, { maxLength: 4 }), (tensors) => {
        const result = checkLayout({ container: 'test', tensors }, 64);
        let end = 0;
        for (const { length, offset, unit } of result.ok ? result.layout.tensors : []) {
          expect(length === 0 || offset >= end).toBe(true);
          expect(offset + length).toBeLessThanOrEqual(64);
          expect(length % unit).toBe(0);
          end = Math.max(end, offset + length);
        }
      }),
    );
  });
});

describe('makeLayout', () => {
  test('gives the tensors sorted, as they were described', () => {
    const big = tensor({ name: 'big', offset: 0, byteOrder: 'big' });
    expect(makeLayout('test', [tensor(), big], 64)).toEqual({ container: 'test', tensors: [big, tensor()] });
  });

  test('throws a LayoutError that says where', () => {
    expect(() => makeLayout('test', [tensor({ name: 'a' }), tensor({ name: 'b' })], 64)).toThrow(LayoutError);
    expect(() => makeLayout('test', [tensor({ name: 'a' }), tensor({ name: 'b' })], 64)).toThrow(/overlap at byte 16/);
  });
});

describe('dtypes', () => {
  test('have blocks of whole bytes', () => {
    expect(blockOf('BF16')).toEqual({ elements: 1, bytes: 2 });
    expect(blockOf('Q6_K')).toEqual({ elements: 256, bytes: 210 });
    expect(blockOf('F6_E2M3')).toEqual({ elements: 4, bytes: 3 });
    expect(blockOf('Q99')).toBeUndefined();
    expect(isDtype('toString')).toBe(false);
  });
});
