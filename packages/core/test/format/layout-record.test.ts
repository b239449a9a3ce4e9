import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MbkError } from '../../src/errors.ts';
import { encodeCanonical, parseJson, type JsonValue } from '../../src/format/canonical-json.ts';
import { checkLayout, decodeLayout, encodeLayout, type Layout } from '../../src/format/layout-record.ts';
import { byteChanges, decodeChanged } from './hostile.ts';

const tensors = fc.array(
  fc.record({
    gap: fc.nat(1000),
    length: fc.nat(100_000),
    name: fc.string({ unit: 'grapheme', maxLength: 30 }),
    dtype: fc.constantFrom('BF16', 'Q8_0'),
    shape: fc.array(fc.nat(1000), { maxLength: 4 }),
    unit: fc.integer({ min: 1, max: 65_536 }),
    byteOrder: fc.option(fc.constant('big' as const), { nil: undefined }),
    probes: fc.option(fc.constant({ BF16: '01234567', 'Q4_0-fused': '89abcdef' }), { nil: undefined }),
    sketch: fc.option(fc.constant('0123456789abcdef'.repeat(4)), { nil: undefined }),
  }),
  { maxLength: 8 },
);

const layouts = tensors.map((items): { layout: Layout; size: number } => {
  let size = 0;
  const placed = items.map(({ gap, byteOrder, probes, sketch, ...tensor }) => {
    const offset = size + gap;
    size = offset + tensor.length;
    return {
      ...tensor,
      offset,
      ...(byteOrder && { byteOrder }),
      ...(probes && { probes }),
      ...(sketch !== undefined && { sketch }),
    };
  });
  return { layout: { container: 'gguf', tensors: placed }, size };
});

const encoded = (layout: Layout): Uint8Array => encodeLayout(layout) ?? new Uint8Array(0);

describe('layout', () => {
  test('comes back as it went in, and is canonical', () => {
    fc.assert(
      fc.property(layouts, ({ layout, size }) => {
        expect(checkLayout(layout, size, 'layout')).toBe(layout);
        const bytes = encoded(layout);
        expect(decodeLayout(bytes, size, 'layout')).toEqual(layout);
        expect(encodeCanonical(parseJson(bytes, 'layout') as JsonValue)).toEqual(bytes);
      }),
    );
  });

  test('damaged bytes are refused, or are a layout inside the file all the same', () => {
    fc.assert(
      fc.property(layouts, byteChanges, ({ layout, size }, changes) => {
        const read = decodeChanged(encoded(layout), changes, (bytes) => decodeLayout(bytes, size, 'layout'));
        if (read !== undefined) checkLayout(read, size, 'layout');
      }),
      { numRuns: 300 },
    );
  });

  const tensor = { name: 'w', dtype: 'F32', shape: [25], offset: 100, length: 100, unit: 4 };
  const layoutOf = (...list: (typeof tensor)[]): Layout => ({ container: 'npy', tensors: list });

  test.each<[string, Layout]>([
    ['leaves the file', layoutOf({ ...tensor, length: 901 })],
    ['begins before it', layoutOf({ ...tensor, offset: -1 })],
    [
      'ends beyond all numbers',
      layoutOf({ ...tensor, offset: Number.MAX_SAFE_INTEGER, length: Number.MAX_SAFE_INTEGER }),
    ],
    ['overlaps', layoutOf(tensor, { ...tensor, offset: 199 })],
    ['is out of order', layoutOf(tensor, { ...tensor, offset: 0 })],
    ['has no unit', layoutOf({ ...tensor, unit: 0 })],
    ['has a unit longer than a piece', layoutOf({ ...tensor, unit: 4_194_305 })],
  ])('a span that %s is refused', (_, layout) => {
    expect(() => checkLayout(layout, 1000, 'layout')).toThrow(MbkError);
  });

  test('a tensor without bytes may lie anywhere in the file', () => {
    const layout = layoutOf(tensor, { ...tensor, offset: 150, length: 0 }, { ...tensor, offset: 200 });
    expect(checkLayout(layout, 1000, 'layout')).toBe(layout);
  });

  test('one that no blob can hold is none', () => {
    const long = 'n'.repeat(60_000);
    const many = Array.from({ length: 280 }, (_, i) => ({ ...tensor, name: long, offset: i * 100 }));
    expect(encodeLayout(layoutOf(...many))).toBeUndefined();
  });
});
