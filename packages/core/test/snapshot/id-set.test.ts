import fc from 'fast-check';
import { expect, test } from 'vitest';
import { idBound, idSet } from '../../src/snapshot/id-set.ts';

test('has what was added and nothing else', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(200_000)), fc.array(fc.nat(200_000)), (added, asked) => {
      const set = idSet();
      for (const id of added) set.add(id);
      const expected = new Set(added);
      for (const id of [...added, ...asked]) expect(set.has(id)).toBe(expected.has(id));
    }),
  );
});

test.each([-1, 0.5, idBound, Number.NaN])('%d is no id', (id) => {
  expect(() => idSet().add(id)).toThrow(RangeError);
});
