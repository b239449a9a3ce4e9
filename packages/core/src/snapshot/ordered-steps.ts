/** Does things in the order in which they came up, though what they wait for comes in any order. */

export interface OrderedSteps {
  /**
   * Does `step` when all steps before it are done and `ready` has settled. Settles, or returns undefined, when the next
   * may be added: at once, unless too many wait. Rejects or throws with what a step or the `ready` of one throws; then
   * the rest is never done.
   */
  add(step: () => Promise<void> | void, ready?: Promise<unknown>): Promise<void> | void;
  /** Settles when all is done. */
  finish(): Promise<void>;
}

export interface OrderedStepsOptions {
  /** How many steps may wait. */
  readonly most: number;
  /** Called when no more is added until something that waits is done. */
  readonly onFull: () => void;
}

interface Step {
  readonly run: () => Promise<void> | void;
  readonly ready: Promise<unknown> | undefined;
  isReady: boolean;
}

export function orderedSteps({ most, onFull }: OrderedStepsOptions): OrderedSteps {
  let steps: Step[] = [];
  /** Those before it are done. */
  let next = 0;

  /** Does the first steps: those that are ready, and as many more as have to be done for `left` to be left. */
  const advance = async (left: number): Promise<void> => {
    for (let step = steps[next]; step !== undefined; step = steps[next]) {
      if (!step.isReady) {
        if (steps.length - next <= left) break;
        await step.ready;
      }
      next += 1;
      const doing = step.run();
      if (doing !== undefined) await doing;
    }
    if (next > most) {
      steps = steps.slice(next);
      next = 0;
    }
  };

  return {
    add(run, ready) {
      // Most steps wait for nothing, and come a million at a time.
      if (ready === undefined && next === steps.length) return run();
      const step: Step = { run, ready, isReady: ready === undefined };
      const settle = (): void => void (step.isReady = true);
      // A rejection is met when its turn comes.
      ready?.then(settle, () => undefined);
      steps.push(step);
      if (steps.length - next <= most) return advance(most);
      onFull();
      return advance(most / 2);
    },
    async finish() {
      onFull();
      await advance(0);
    },
  };
}
