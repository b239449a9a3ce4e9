import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PackId } from '../../../src/format/ids.ts';
import type { PackRow } from '../../../src/format/segment-rows.ts';
import { choosePacks } from '../../../src/operations/verify/choose-packs.ts';

/** Only what is looked at. */
const pack = (id: string, size: number): PackRow => ({ id, size }) as unknown as PackRow;
const day = 86_400_000;
const now = 100 * day;

describe('choosePacks', () => {
  test('takes all without limits', () => {
    const rows = [pack('a', 1), pack('b', 2)];
    expect(choosePacks(rows, { verifiedAt: new Map(), now, pick: Math.random })).toEqual(rows);
  });

  test('takes by age what was not verified for so long, or never, or at a time to come', () => {
    const rows = ['old', 'new', 'never', 'ahead'].map((id) => pack(id, 1));
    const verifiedAt = new Map([
      ['old', now - 30 * day],
      ['new', now - 29 * day],
      ['ahead', now + day],
    ]) as unknown as ReadonlyMap<PackId, number>;
    const chosen = choosePacks(rows, { maxAgeMs: 30 * day, verifiedAt, now, pick: Math.random });
    expect(chosen.map(({ id }) => id)).toEqual(['old', 'never', 'ahead']);
  });

  test('samples taken again and again get round to every pack, and none is larger than asked by more than one pack', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 40 }),
        fc.double({ min: 0.05, max: 1, noNaN: true }),
        (sizes, sample) => {
          const rows = sizes.map((size, id) => pack(String(id), size));
          const verifiedAt = new Map<PackId, number>();
          const wanted = sizes.reduce((sum, size) => sum + size, 0) * sample;
          for (let round = 1; verifiedAt.size < rows.length; round += 1) {
            const before = verifiedAt.size;
            const chosen = choosePacks(rows, { sample, verifiedAt, now: now + round, pick: () => 0.5 });
            const bytes = chosen.reduce((sum, { size }) => sum + size, 0);
            expect(bytes - (chosen.at(-1)?.size ?? 0)).toBeLessThan(wanted);
            for (const { id } of chosen) verifiedAt.set(id, now + round);
            expect(verifiedAt.size).toBeGreaterThan(before);
          }
        },
      ),
    );
  });
});
