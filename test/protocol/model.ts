/**
 * The protocol of the log as a model: writers, prunes, merges, repairs, readers and crashes in
 * random interleavings, with grace 0 and min-age 0 (`docs/format.md`, "The log").
 *
 * `runModel` tries many schedules; `replaySchedule` runs one again and tells what happened.
 */
import { drawActors, drawEnd, drawHistory } from './mix.ts';
import { type Random, scheduleSeed, seededRandom } from './random.ts';
import { type Rules, rulesWithout } from './rules.ts';
import { type Chooser, inTurn, type Outcome, runActors } from './scheduler.ts';
import { createWorld, type Weather } from './world.ts';

export interface ModelOptions {
  readonly seed: number;
  /** How many schedules to try. */
  readonly schedules: number;
  /** Rules to keep; all by default. */
  readonly rules?: Rules;
  /** Stop after this many losses; at none by default. */
  readonly stopAfter?: number;
}

export interface ModelReport {
  readonly schedules: number;
  /** Calls of the backend, over all schedules. */
  readonly steps: number;
  readonly losses: number;
  /** The loss with the shortest schedule. */
  readonly shortest: FoundLoss | undefined;
}

export interface FoundLoss {
  /** Seed of the one schedule, for `replaySchedule`. */
  readonly seed: number;
  readonly loss: string;
  readonly steps: number;
}

/** Tries schedules and counts losses. */
export function runModel(options: ModelOptions): ModelReport {
  const { seed, schedules, rules = rulesWithout(), stopAfter = Infinity } = options;
  let steps = 0;
  let losses = 0;
  let tried = 0;
  let shortest: FoundLoss | undefined;
  while (tried < schedules && losses < stopAfter) {
    const own = scheduleSeed(seed, tried++);
    const outcome = runSchedule(own, rules);
    steps += outcome.steps;
    if (outcome.loss === undefined) continue;
    losses++;
    if (shortest === undefined || outcome.steps < shortest.steps) {
      shortest = { seed: own, loss: outcome.loss, steps: outcome.steps };
    }
  }
  return { schedules: tried, steps, losses, shortest };
}

/** Runs one schedule again; `trace` has a line for every call. */
export function replaySchedule(seed: number, rules: Rules): Outcome & { readonly trace: string[] } {
  const trace: string[] = [];
  return { ...runSchedule(seed, rules, (line) => trace.push(line)), trace };
}

/** A history, the actors at once, and a tidy end; all of it follows from the seed. */
function runSchedule(seed: number, rules: Rules, note?: (line: string) => void): Outcome {
  const random = seededRandom(seed);
  const weather = drawWeather(random);
  const w = createWorld(rules, weather.calls, note);
  const parts = [
    () => runActors(w, drawHistory(w, random), inTurn),
    () => {
      weather.begin();
      return runActors(w, drawActors(w, random), randomChooser(random));
    },
    () => {
      weather.end();
      return runActors(w, drawEnd(w), inTurn);
    },
  ];
  let steps = 0;
  for (const run of parts) {
    const outcome = run();
    steps += outcome.steps;
    if (outcome.loss !== undefined) return { loss: outcome.loss, steps };
  }
  return { loss: undefined, steps };
}

/** Fair weather in history and end, in between as bad as the seed says. */
function drawWeather(random: Random): { calls: Weather; begin: () => void; end: () => void } {
  let doubt = 0;
  let stale = 0;
  return {
    calls: {
      doubt: () => doubt > 0 && random.chance(doubt),
      arrived: () => random.chance(0.5),
      stale: () => stale > 0 && random.chance(stale),
    },
    begin: () => {
      doubt = random.chance(0.4) ? 0.15 : 0;
      stale = random.chance(0.4) ? 0.5 : 0;
    },
    end: () => {
      doubt = 0;
      stale = 0;
    },
  };
}

/** Some schedules switch at every call, others let each actor run on: long sleeps lie there. */
function randomChooser(random: Random): Chooser {
  const switching = [0.08, 0.25, 0.6, 1][random.below(4)] ?? 1;
  const killing = random.chance(0.4) ? 0.03 : 0;
  return {
    next: (count, current) => (current >= 0 && !random.chance(switching) ? current : random.below(count)),
    kill: () => killing > 0 && random.chance(killing),
  };
}
