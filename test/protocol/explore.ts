/**
 * All schedules of a few actors with at most so many preemptions and kills, one after the other:
 * for the named races, which are small enough. An actor that is done is no preemption, so with
 * one preemption every "A slept here while B and C did all their work" is among them.
 */
import type { Rules } from './rules.ts';
import { type Actor, type Chooser, inTurn, runActors } from './scheduler.ts';
import { createWorld, type Weather, type World } from './world.ts';

/** A history and the actors that then run at once. */
export interface Race {
  readonly name: string;
  readonly history: (w: World) => readonly Actor[];
  readonly actors: (w: World) => readonly Actor[];
  readonly preemptions: number;
  /** How many actors may be killed. */
  readonly kills: number;
}

export interface Exploration {
  readonly schedules: number;
  /** Every schedule within the bounds of the race was tried. */
  readonly complete: boolean;
  /** The first loss, and the calls that led to it. */
  readonly found: { readonly loss: string; readonly trace: readonly string[] } | undefined;
}

export interface ExploreOptions {
  readonly rules: Rules;
  /** Give up after this many schedules. */
  readonly limit: number;
}

/** Tries the schedules of a race up to the first loss. */
export function explore(race: Race, { rules, limit }: ExploreOptions): Exploration {
  const path: Choice[] = [];
  for (let schedules = 1; schedules <= limit; schedules++) {
    const { loss, trace } = runRace(race, rules, path);
    if (loss !== undefined) return { schedules, complete: false, found: { loss, trace } };
    if (!toNextPath(path)) return { schedules, complete: true, found: undefined };
  }
  return { schedules: limit, complete: false, found: undefined };
}

/** One decision of a schedule: which of how many ways was taken. */
interface Choice {
  taken: number;
  readonly ways: number;
}

/** Follows the path as far as it goes, and takes the first way from there on. */
function runRace(race: Race, rules: Rules, path: Choice[]): { loss: string | undefined; trace: string[] } {
  const trace: string[] = [];
  const w = createWorld(rules, calm, (line) => trace.push(line));
  const before = runActors(w, race.history(w), inTurn);
  if (before.loss !== undefined) return { loss: before.loss, trace };
  return { loss: runActors(w, race.actors(w), pathChooser(race, path)).loss, trace };
}

function pathChooser(race: Race, path: Choice[]): Chooser {
  let { preemptions, kills } = race;
  let at = 0;
  const decide = (ways: number): number => {
    if (ways === 1) return 0;
    const choice = path[at] ?? { taken: 0, ways };
    path[at++] = choice;
    return choice.taken;
  };
  return {
    next: (count, current) => {
      if (current < 0) return decide(count);
      if (preemptions === 0) return current;
      const way = decide(count);
      if (way === 0) return current;
      preemptions--;
      return way <= current ? way - 1 : way;
    },
    kill: () => {
      if (kills === 0 || decide(2) === 0) return false;
      kills--;
      return true;
    },
  };
}

/** Moves to the path after this one, in the order of an odometer; false after the last. */
function toNextPath(path: Choice[]): boolean {
  for (let last = path.at(-1); last !== undefined; last = path.at(-1)) {
    if (last.taken + 1 < last.ways) {
      last.taken++;
      return true;
    }
    path.pop();
  }
  return false;
}

const calm: Weather = { doubt: () => false, arrived: () => true, stale: () => false };
