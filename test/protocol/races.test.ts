/** The named races, every schedule within their bounds, and again with each watched rule broken. */
import { describe, expect, test } from 'vitest';
import { explore } from './explore.ts';
import { races } from './races.ts';
import { rulesWithout } from './rules.ts';

/** More than any of the races has; a race that grows beyond it fails instead of running on. */
const LIMIT = 100_000;

describe.each(races)('$name', { timeout: 120_000 }, (race) => {
  test('no schedule loses anything', () => {
    const { complete, found, schedules } = explore(race, { rules: rulesWithout(), limit: LIMIT });
    expect(found?.trace.join('\n')).toBeUndefined();
    expect(complete, `${schedules} schedules`).toBe(true);
  });

  test.each(race.watches)('without %s one does', (rule) => {
    expect(explore(race, { rules: rulesWithout(rule), limit: LIMIT }).found).toBeDefined();
  });
});
