/** The moments at which hooks run: a phase of an operation, such as `before-snapshot`. */

export const hookOperations = ['snapshot', 'checkout'] as const;
export type HookOperation = (typeof hookOperations)[number];

/** In the order in which they come; of `after` and `failed` one. */
export const hookPhases = ['before', 'after', 'failed', 'finally'] as const;
export type HookPhase = (typeof hookPhases)[number];

export type HookEvent = `${HookPhase}-${HookOperation}`;

export const hookEvents: readonly HookEvent[] = hookOperations.flatMap((operation) =>
  hookPhases.map((phase): HookEvent => `${phase}-${operation}`),
);

/**
 * What a hook that fails does to the command: `error` makes it fail (a `before` hook stops it before anything is done),
 * `warn` is told and goes on, `ignore` goes on. Its output is shown in any case.
 */
export const hookPolicies = ['error', 'warn', 'ignore'] as const;
export type HookPolicy = (typeof hookPolicies)[number];

/** A `before` hook gates; what comes after the work cannot undo it. */
export function usualPolicy(event: HookEvent): HookPolicy {
  return event.startsWith('before-') ? 'error' : 'warn';
}
