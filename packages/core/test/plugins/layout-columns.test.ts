import type { CheckedLayout } from '@mbk/plugin-sdk';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { packLayout, unpackLayout } from '../../src/plugins/layout-columns.ts';

const tensor = fc.record(
  {
    name: fc.string({ unit: 'grapheme' }),
    dtype: fc.constantFrom('F32', 'Q4_0', 'OWN'),
    shape: fc.array(fc.nat({ max: 3 }), { maxLength: 3 }),
    offset: fc.maxSafeNat(),
    length: fc.maxSafeNat(),
    unit: fc.integer({ min: 1, max: 65_536 }),
    byteOrder: fc.constant('big' as const),
  },
  { requiredKeys: ['name', 'dtype', 'shape', 'offset', 'length', 'unit'], noNullPrototype: true },
);

test('a layout is the same after it was in columns', () => {
  fc.assert(
    fc.property(fc.array(tensor), (tensors) => {
      const layout: CheckedLayout = { container: 'any', tensors };
      expect(unpackLayout(structuredClone(packLayout(layout)))).toEqual(layout);
    }),
  );
});
