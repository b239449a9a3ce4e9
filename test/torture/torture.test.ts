/** A small share of the torture with every run of the tests; `pnpm torture` tries all of it. */
import { describe, expect, test } from 'vitest';
import { rowNames, runRow, type RowName } from './rows.ts';
import { faultCount } from './tally.ts';

const seed = 2026;

/** Chosen so that each takes a few seconds; `protocol/model.test.ts` tries all schedules of that seed. */
const shares: Readonly<Record<RowName, number>> = {
  'crash-points': 0.015,
  'failing-writes': 0.015,
  'random-kills': 0.015,
  'power-cuts': 0.03,
  damage: 0.03,
  crowd: 0.12,
  protocol: 0.01,
  'rolled-back': 0.5,
};

describe('of the torture nothing is lost, wrongly restored, amiss or hung', () => {
  test.concurrent.for(rowNames)('%s', { timeout: 300_000 }, async (name) => {
    const tally = await runRow(name, { seed, share: shares[name] });
    expect(tally.points).toBeGreaterThan(0);
    expect(tally.stories).toEqual([]);
    expect(faultCount(tally)).toBe(0);
  });
});
