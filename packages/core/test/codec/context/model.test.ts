/** Models of symbols in contexts: joined, weighed, written and read. */
import { contextWeightSum } from '@mbk/kernels';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clusterContexts } from '../../../src/codec/context/cluster.ts';
import { selfBits } from '../../../src/codec/context/entropy.ts';
import {
  type ContextModel,
  contextsOf,
  lengthOfSymbol,
  lengthOfToken,
  mapOf,
  mostModelBytes,
  nextOf,
  readModel,
  writeModel,
} from '../../../src/codec/context/model.ts';
import { mostTables } from '../../../src/codec/context/tables.ts';
import { setWeights } from '../../../src/codec/context/weights.ts';

const counts256 = fc
  .array(fc.tuple(fc.nat(255), fc.oneof(fc.nat(5), fc.nat(1_000_000))), { minLength: 1, maxLength: 256 })
  .map((pairs) => {
    const counts = new Uint32Array(256);
    for (const [symbol, count] of pairs) counts[symbol] = count;
    counts[pairs[0]?.[0] ?? 0] = 1 + (pairs[0]?.[1] ?? 0);
    return counts;
  });

describe('entropy', () => {
  test('n · log2 n is what it is, to a millionth', () => {
    fc.assert(
      fc.property(fc.oneof(fc.nat(5000), fc.nat(2_147_483_647)), (n) => {
        const wanted = n === 0 ? 0 : n * Math.log2(n);
        expect(Math.abs(selfBits(n) - wanted)).toBeLessThanOrEqual(1e-6 * Math.max(wanted, 1));
      }),
    );
  });
});

describe('weights', () => {
  test('add up, and everything that occurs has one', () => {
    fc.assert(
      fc.property(counts256, (counts) => {
        const weights = new Uint16Array(256);
        setWeights(counts, weights);
        expect(weights.reduce((sum, weight) => sum + weight, 0)).toBe(contextWeightSum);
        for (const [symbol, count] of counts.entries()) expect((weights[symbol] ?? 0) > 0).toBe(count > 0);
      }),
    );
  });

  test('of nothing there are none', () => {
    expect(() => setWeights(new Uint32Array(256), new Uint16Array(256))).toThrow(RangeError);
  });
});

describe('contexts that share a table', () => {
  const cluster = (each: readonly Uint32Array[], most: number) => {
    const counts = new Uint32Array(256 * each.length);
    for (const [i, own] of each.entries()) counts.set(own, 256 * i);
    const sums = Uint32Array.from(each, (own) => own.reduce((sum, count) => sum + count, 0));
    return clusterContexts({ counts, symbols: 256, sums }, most);
  };
  const seen = (symbol: number, times: number): Uint32Array => {
    const counts = new Uint32Array(256);
    for (let i = 0; i < 8; i += 1) counts[symbol + i] = times * (i + 1);
    return counts;
  };

  test('are those that are alike; what was not seen goes along with the one before', () => {
    const none = new Uint32Array(256);
    const { tableOf, counts } = cluster([none, seen(0, 500), none, seen(50, 500), seen(0, 400), seen(51, 300)], 8);
    expect([...tableOf]).toEqual([0, 0, 0, 1, 0, 2]);
    expect(counts[0]?.subarray(0, 8)).toEqual(seen(0, 900).subarray(0, 8));
  });

  test('are joined to as many tables as there may be, and nothing is lost', () => {
    fc.assert(
      fc.property(
        fc.array(counts256, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 5 }),
        (each, most) => {
          const { tableOf, counts } = cluster(each, most);
          expect(counts.length).toBeLessThanOrEqual(most);
          const wanted = counts.map(() => new Uint32Array(256));
          for (const [context, own] of each.entries()) {
            for (const [symbol, count] of own.entries()) {
              const table = wanted[tableOf[context] ?? -1];
              if (table !== undefined) table[symbol] = (table[symbol] ?? 0) + count;
            }
          }
          expect(counts.map((own) => Uint32Array.from(own))).toEqual(wanted);
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('states and maps', () => {
  test('a state is a mean of how long symbols were', () => {
    const next = nextOf(lengthOfToken, 2);
    const after = (symbols: readonly number[]): number =>
      symbols.reduce((state, symbol) => next[256 * state + symbol] ?? 0, 0);
    expect(after([])).toBe(0);
    // Token 12 has 5 bits: the mean of many is 5, times 4.
    expect(after(Array.from({ length: 50 }, () => 12))).toBe(19);
    expect(after(Array.from({ length: 50 }, () => 59))).toBe(63);
    expect(after([...Array.from({ length: 50 }, () => 59), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])).toBeLessThan(
      3,
    );
  });

  test('symbols and tokens have the length of their z', () => {
    expect([0, 1, 2, 3, 4, 7, 8, 255].map(lengthOfSymbol)).toEqual([0, 1, 2, 2, 3, 3, 4, 8]);
    expect([0, 1, 2, 3, 4, 7, 8, 59, 123, 251].map(lengthOfToken)).toEqual([0, 1, 2, 2, 3, 3, 4, 16, 32, 64]);
  });

  test('classes and states that lie outside count as the nearest', () => {
    const shape = { hasClasses: true, lowClass: 0, hasStates: true, stateShift: 1, lowState: 3, gain: 2 };
    const map = mapOf(shape);
    expect([0, 7, 8, 36, 37, 63].map((state) => map[64 * 2 + state])).toEqual([32, 32, 33, 47, 47, 47]);
    expect(mapOf({ ...shape, hasClasses: false })[64 * 9 + 8]).toBe(1);
    expect(mapOf({ ...shape, hasStates: false })[64 * 9 + 8]).toBe(9);
  });
});

const model: fc.Arbitrary<ContextModel> = fc
  .tuple(
    fc.record({
      hasClasses: fc.boolean(),
      lowClass: fc.nat(65_535),
      hasStates: fc.boolean(),
      stateShift: fc.nat(3),
      lowState: fc.nat(255),
      gain: fc.nat(2),
    }),
    fc.array(counts256, { minLength: 1, maxLength: mostTables }),
    fc.array(fc.nat(), { minLength: 1, maxLength: 20 }),
  )
  .map(([shape, counts, picks]) => {
    const weights = counts.map((each) => {
      const own = new Uint16Array(256);
      setWeights(each, own);
      return own;
    });
    const tableOf = Uint8Array.from(
      { length: contextsOf(shape) },
      (_, i) => (picks[(i >> 2) % picks.length] ?? 0) % weights.length,
    );
    return { shape, tableOf, weights };
  });

describe('models', () => {
  test('are read as they were written, whatever stands behind them', () => {
    fc.assert(
      fc.property(model, fc.uint8Array({ maxLength: 20 }), (given, behind) => {
        const bytes = new Uint8Array(mostModelBytes + 20);
        const end = writeModel(bytes, given, 3);
        expect(end - 3).toBeLessThanOrEqual(mostModelBytes);
        bytes.set(behind, end);
        const read = readModel(bytes.subarray(3, end + behind.length), 256);
        expect(read).toEqual({ model: given, length: end - 3 });
      }),
    );
  });

  test('noise is a model or a text that says why not', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 600 }),
        fc.nat(3),
        fc.integer({ min: 1, max: 256 }),
        (noise, tables, symbols) => {
          const read = readModel(Uint8Array.of(tables, 3, ...noise), symbols);
          if (typeof read === 'string') return;
          expect(read.length).toBeLessThanOrEqual(noise.length + 2);
          for (const weights of read.model.weights) {
            expect(weights.reduce((sum, weight) => sum + weight, 0)).toBe(contextWeightSum);
            expect(weights.findLastIndex((weight) => weight > 0)).toBeLessThan(symbols);
          }
          expect(Math.max(...read.model.tableOf)).toBeLessThan(read.model.weights.length);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('that end early, or whose symbols are too many, are none', () => {
    const weights = new Uint16Array(256);
    weights.set([2048, 2048], 9);
    const shape = { hasClasses: false, lowClass: 0, hasStates: false, stateShift: 0, lowState: 0, gain: 0 };
    const bytes = new Uint8Array(mostModelBytes);
    const end = writeModel(bytes, { shape, tableOf: new Uint8Array(1), weights: [weights] }, 0);
    expect(typeof readModel(bytes.subarray(0, end), 11)).toBe('object');
    expect(readModel(bytes.subarray(0, end), 10)).toBe('a table has symbols 9 to 10 of 10');
    for (let length = 0; length < end; length += 1)
      expect(typeof readModel(bytes.subarray(0, length), 11)).toBe('string');
  });
});
