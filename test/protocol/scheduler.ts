/** Runs actors one call at a time, in an order that a chooser picks, and watches the invariants. */
import { findLoss } from './invariants.ts';
import type { Steps, World } from './world.ts';

export interface Actor {
  readonly name: string;
  readonly steps: Steps;
  /** It may be killed before any of its calls. */
  readonly mortal?: boolean;
  /** Who comes after it when it was killed. */
  readonly successor?: () => Actor | undefined;
}

/** Decides who goes on. */
export interface Chooser {
  /** Index of the actor to go on; `current` is who went last, -1 if that one is done. */
  readonly next: (count: number, current: number) => number;
  /** Whether the one to go on is killed instead. */
  readonly kill: () => boolean;
}

/** What was lost, if anything, and how many calls the schedule had until then. */
export interface Outcome {
  readonly loss: string | undefined;
  readonly steps: number;
}

/** A schedule longer than this hangs; the longest real ones have a few hundred calls. */
const MAX_STEPS = 5000;

/** Runs all actors to their end, or to the first loss. */
export function runActors(w: World, actors: readonly Actor[], chooser: Chooser): Outcome {
  const alive = actors.flatMap(start);
  let current = -1;
  let steps = 0;
  for (; alive.length > 0; steps++) {
    if (steps > MAX_STEPS) throw new Error(`schedule did not end within ${String(MAX_STEPS)} calls`);
    current = chooser.next(alive.length, current);
    const running = alive[current];
    if (running === undefined) throw new RangeError(`expected an actor, got index ${String(current)}`);
    const after = goOn(w, running, chooser);
    alive.splice(current, 1, ...after);
    if (after.length === 0) current = -1;
    const loss = lookForLoss(w);
    if (loss !== undefined) return { loss, steps: steps + 1 };
  }
  return { loss: undefined, steps };
}

/** An actor that stands before its next call. */
interface Running {
  readonly actor: Actor;
  call: string;
}

/** Up to its first yield an actor only thinks. */
function start(actor: Actor): Running[] {
  const { done, value } = actor.steps.next();
  return done === true ? [] : [{ actor, call: value as string }];
}

/** Lets the next call happen, or kills the actor before it; returns who stands there then. */
function goOn(w: World, running: Running, chooser: Chooser): Running[] {
  const { actor, call } = running;
  if (actor.mortal === true && chooser.kill()) {
    w.note?.(`${actor.name} is killed before: ${call}`);
    const successor = actor.successor?.();
    return successor === undefined ? [] : start(successor);
  }
  w.note?.(`${actor.name}: ${call}`);
  const { done, value } = actor.steps.next();
  if (done === true) return [];
  running.call = value as string;
  return [running];
}

/** Only some calls can break a promise; after the others there is nothing to look for. */
function lookForLoss(w: World): string | undefined {
  if (!w.changed && w.losses.length === 0) return undefined;
  w.changed = false;
  return findLoss(w);
}

/** One after the other, each to its end. */
export const inTurn: Chooser = { next: () => 0, kill: () => false };
