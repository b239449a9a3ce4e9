/** What happens when somebody asks the program to stop. */

import { isMbkError, MbkError } from '@mbk/core';

export interface Interruption {
  readonly signal: AbortSignal;
  /** Gives the signals back to Node's defaults. */
  stop(): void;
}

export interface InterruptionListeners {
  /** Called when the work has not ended a moment after the first signal. */
  readonly onLong?: () => void;
  /** Called before a second signal ends the process. */
  readonly onSecond?: () => void;
}

/** What of interrupted work is kept, and how to go on: sentences for people, facts for programs. */
export interface InterruptionAdvice {
  readonly kept: string;
  readonly goOn: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

const longMs = 700;

/**
 * Turns the first SIGINT, SIGTERM or SIGHUP into an abort with the error `interrupted`; a second one ends the process
 * at once, which a repository survives like any crash.
 */
export function watchInterruption(
  process: NodeJS.Process,
  { onLong, onSecond }: InterruptionListeners = {},
): Interruption {
  const controller = new AbortController();
  let long: NodeJS.Timeout | undefined;
  const onSignal = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) {
      onSecond?.();
      process.exit(130);
    }
    controller.abort(new MbkError('interrupted', `interrupted by ${name}`, { details: { signal: name } }));
    if (onLong !== undefined) long = setTimeout(onLong, longMs).unref();
  };
  const names: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const name of names) process.on(name, onSignal);
  return {
    signal: controller.signal,
    stop: () => {
      clearTimeout(long);
      for (const name of names) process.off(name, onSignal);
    },
  };
}

/** The same error with what is kept and how to go on, and the name of the signal. */
export function adviseOn(
  error: MbkError,
  { kept, goOn, details }: InterruptionAdvice,
  { reason }: Pick<AbortSignal, 'reason'>,
): MbkError {
  const cause = isMbkError(reason) ? reason.details : {};
  return new MbkError(error.code, `interrupted; ${kept}`, {
    remedy: goOn,
    details: { ...cause, ...error.details, ...details },
  });
}
