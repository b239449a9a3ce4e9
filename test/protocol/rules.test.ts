/** Each rule of the protocol is there for a reason: without it something is lost. */
import { describe, expect, test } from 'vitest';
import { explore } from './explore.ts';
import { type FoundLoss, replaySchedule, runModel } from './model.ts';
import { races } from './races.ts';
import { comfortNames, type Rule, ruleNames, RULES, type Rules, rulesWithout } from './rules.ts';

/** Any seed will do; this one is printed with what it found, so that it can be run again. */
const SEED = 2026;
/** The rarest loss takes a few thousand schedules to find. */
const SEARCH_LIMIT = 60_000;

describe('without one rule something is lost', () => {
  test.each(ruleNames)('%s', { timeout: 120_000 }, (rule) => {
    const found = searchLoss(rule);
    console.log(`without ${rule}: ${found ?? 'nothing is lost'}`);
    expect(found, `nothing is lost without: ${RULES[rule]}`).toBeDefined();
  });
});

describe('without a comfort nothing is lost', () => {
  test.each(comfortNames)('%s', { timeout: 60_000 }, (comfort) => {
    const report = runModel({ seed: SEED, schedules: 10_000, rules: rulesWithout(comfort) });
    expect(report).toMatchObject({ losses: 0, shortest: undefined });
  });
});

/** What a random schedule loses without this rule, else what a named race that watches it loses. */
function searchLoss(rule: Rule): string | undefined {
  const rules = rulesWithout(rule);
  const race = races.find(({ watches }) => watches[0] === rule);
  // Chance needs long for what a race was made to show.
  const schedules = race === undefined ? SEARCH_LIMIT : SEARCH_LIMIT / 10;
  const { shortest } = runModel({ seed: SEED, schedules, rules, stopAfter: 3 });
  if (shortest !== undefined) return describeAgain(shortest, rules);
  const found = race === undefined ? undefined : explore(race, { rules, limit: SEARCH_LIMIT }).found;
  return found === undefined ? undefined : `${found.loss}, after ${found.trace.length} calls of a named race`;
}

/** Runs the schedule again from its seed alone: what is printed must be what anybody finds. */
function describeAgain({ seed }: FoundLoss, rules: Rules): string | undefined {
  const { loss, steps } = replaySchedule(seed, rules);
  return loss === undefined ? undefined : `${loss}, after ${steps} calls of schedule ${seed}`;
}
