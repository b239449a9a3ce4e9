import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PersistentList, PersistentMap } from '../../src/log/persistent-map.ts';

describe('PersistentMap', () => {
  type Rows = readonly (readonly [number, number])[];
  test.each([
    ['at once', (rows: Rows) => PersistentMap.of(rows)],
    ['later', (rows: Rows) => PersistentMap.later<number, number>((map) => rows.forEach((row) => map.set(...row)))],
  ])('made %s is at every version what a Map would be', (_, make) => {
    const step = fc.oneof(
      fc.record({ set: fc.array(fc.tuple(fc.nat(40), fc.nat())) }),
      fc.record({ remove: fc.array(fc.nat(40)) }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(200), fc.nat())), fc.array(step, { maxLength: 30 }), (rows, steps) => {
        let map = make(rows);
        let model = new Map(rows);
        const versions = [{ map, model }];
        for (const one of steps) {
          model = new Map(model);
          if ('set' in one) {
            map = map.with(one.set);
            for (const [key, value] of one.set) model.set(key, value);
          } else {
            map = map.without(one.remove);
            for (const key of one.remove) model.delete(key);
          }
          versions.push({ map, model });
        }
        for (const version of versions) {
          expect(version.map.size).toBe(version.model.size);
          expect(new Map(version.map.entries())).toEqual(version.model);
          for (let key = 0; key <= 40; key += 1) {
            expect(version.map.get(key)).toBe(version.model.get(key));
            expect(version.map.has(key)).toBe(version.model.has(key));
          }
        }
      }),
    );
  });
});

describe('PersistentList', () => {
  test('a version never sees what was added to another', () => {
    const base = PersistentList.of([1, 2]);
    const left = base.with([3]);
    const right = base.with([4, 5]);
    expect([...base.values()]).toEqual([1, 2]);
    expect([...left.values()]).toEqual([1, 2, 3]);
    expect([...right.values()]).toEqual([1, 2, 4, 5]);
    expect([...left.with([6]).values()]).toEqual([1, 2, 3, 6]);
    expect(base.at(2)).toBeUndefined();
  });

  test('items that are made when they are looked at grow as others do', () => {
    const asked: number[] = [];
    const base = PersistentList.later(3, (index) => {
      asked.push(index);
      return index * 10;
    });
    const longer = base.with([30]);
    const other = base.with([31, 32]);
    expect(asked).toEqual([]);
    expect([longer.at(2), longer.at(3), longer.at(4), longer.at(-1), base.at(3)]).toEqual([
      20,
      30,
      undefined,
      undefined,
      undefined,
    ]);
    expect(asked).toEqual([2]);
    expect([...other.values()]).toEqual([0, 10, 20, 31, 32]);
    expect([base.length, longer.length, other.length]).toEqual([3, 4, 5]);
  });
});
