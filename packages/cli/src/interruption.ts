import { MbkError } from '@mbk/core';

export interface Interruption {
  readonly signal: AbortSignal;
  /** Gives the signals back to Node's defaults. */
  stop(): void;
}

/**
 * Turns the first SIGINT, SIGTERM or SIGHUP into an abort with the error `interrupted`; a second one ends the process
 * at once, which a repository survives like any crash.
 */
export function watchInterruption(process: NodeJS.Process): Interruption {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort(new MbkError('interrupted', `interrupted by ${name}`));
  };
  const names: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const name of names) process.on(name, onSignal);
  return {
    signal: controller.signal,
    stop: () => {
      for (const name of names) process.off(name, onSignal);
    },
  };
}
