/** Whether a plugin heeds its signal. */

import { isLayoutError } from '../layout.ts';
import type { Reader } from '../reader.ts';

/** `stopped` where the plugin heeds a signal that is aborted once so many reads were made, or had finished by then. */
export async function abortedAfter(
  ask: (reader: Reader, signal: AbortSignal) => Promise<unknown>,
  inner: Reader,
  reads: number,
): Promise<string> {
  const controller = new AbortController();
  if (reads === 0) controller.abort();
  let made = 0;
  let ignored = 0;
  const count = (signal: AbortSignal | undefined): void => {
    made += 1;
    if (controller.signal.aborted && signal?.aborted !== true) ignored += 1;
    if (made >= reads) controller.abort();
  };
  const reader: Reader = {
    ...inner,
    async read(offset, length, { signal } = {}) {
      const bytes = await inner.read(offset, length);
      count(signal);
      signal?.throwIfAborted();
      return bytes;
    },
    async *stream({ signal } = {}) {
      for await (const piece of inner.stream()) {
        count(signal);
        signal?.throwIfAborted();
        yield piece;
      }
    },
  };
  try {
    await ask(reader, controller.signal);
  } catch (error) {
    if (error !== controller.signal.reason && !isLayoutError(error)) return `threw ${String(error)}`;
    return ignored > 0 ? 'read without passing the signal on' : 'stopped';
  }
  return made > reads || ignored > 0 ? `made ${made} reads, aborted after ${reads}` : 'stopped';
}
