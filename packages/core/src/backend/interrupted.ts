import { MbkError } from '../errors.ts';

/** Throws 'interrupted', with the signal's reason as its cause, once `signal` is aborted. */
export function throwIfInterrupted(signal: AbortSignal | undefined, doing: string): void {
  if (signal?.aborted === true)
    throw new MbkError('interrupted', `interrupted while ${doing}`, { cause: signal.reason });
}
