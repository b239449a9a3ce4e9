/**
 * A storage that answers with passing errors, made into one that rarely does.
 *
 * Every call is repeated up to `attempts` times while its error is transient. A listing goes on behind the last entry it
 * gave. A put whose answer was lost and that then finds the key taken reads what is there: its own bytes mean 'stored'.
 */

import { isMbkError } from '../errors.ts';
import type { Backend, CallOptions, Entry, ListOptions, PutResult } from './backend.ts';
import { throwIfInterrupted } from './interrupted.ts';

export interface RetryingOptions {
  /** How often a call is tried in all, at least 1. */
  readonly attempts: number;
  /** Milliseconds to wait after the failed attempt `attempt`, counted from 1. */
  readonly delay: (attempt: number) => number;
  /** Waits; returns early or throws when `signal` is aborted. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Whether an error may go away by itself; by default 'backend-failed' does. */
  readonly isTransient?: (error: unknown) => boolean;
}

/** The backend whose calls are repeated when they fail for a reason that may pass; a put in doubt is settled by comparing. */
export function retrying(backend: Backend, options: RetryingOptions): Backend {
  const { attempts, delay, sleep, isTransient = isTransientFailure } = options;
  if (!Number.isSafeInteger(attempts) || attempts < 1) {
    throw new RangeError(`expected attempts to be a whole number from 1, got ${attempts}`);
  }
  const { open, sweepTemporaries } = backend;

  return {
    ...backend,
    put,
    get: (key, call) => retry(call, () => backend.get(key, call)),
    stat: (key, call) => retry(call, () => backend.stat(key, call)),
    list,
    delete: (key, call) => retry(call, () => backend.delete(key, call)),
    now: (call) => retry(call, () => backend.now(call)),
    ...(open && { open: (key, call) => retry(call, () => open(key, call)) }),
    ...(sweepTemporaries && {
      sweepTemporaries: (olderThanMs, call) => retry(call, () => sweepTemporaries(olderThanMs, call)),
    }),
  };

  async function put(key: string, bytes: readonly Uint8Array[], call?: CallOptions): Promise<PutResult> {
    let inDoubt = false;
    return retry(call, async () => {
      const wasInDoubt = inDoubt;
      inDoubt = true;
      const result = await backend.put(key, bytes, call);
      if (result === 'stored' || !wasInDoubt) return result;
      return (await holds(key, bytes, call)) ? 'stored' : 'exists';
    });
  }

  /** Whether the entry has just these bytes; its size is compared before it is read. */
  async function holds(key: string, parts: readonly Uint8Array[], call?: CallOptions): Promise<boolean> {
    const size = parts.reduce((sum, part) => sum + part.length, 0);
    if ((await backend.stat(key, call))?.size !== size) return false;
    const stored = await backend.get(key, { ...call, offset: 0, length: size });
    let offset = 0;
    return parts.every((part) => {
      const end = offset + part.length;
      const same = Buffer.compare(stored.subarray(offset, end), part) === 0;
      offset = end;
      return same;
    });
  }

  async function* list(prefix: string, call: ListOptions = {}): AsyncGenerator<Entry> {
    const limit = call.limit ?? Infinity;
    let last: string | undefined;
    let count = 0;
    for (let attempt = 1; ; attempt += 1) {
      try {
        // When asked again, those up to `last` come once more and are passed over, whatever was put among them.
        for await (const entry of backend.list(prefix, last === undefined ? call : { ...call, limit: undefined })) {
          if (last !== undefined && entry.key <= last) continue;
          yield entry;
          last = entry.key;
          attempt = 1;
          count += 1;
          if (count >= limit) return;
        }
        return;
      } catch (error) {
        await pauseOrThrow(error, attempt, call);
      }
    }
  }

  async function retry<T>(call: CallOptions | undefined, attemptOnce: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await attemptOnce();
      } catch (error) {
        await pauseOrThrow(error, attempt, call);
      }
    }
  }

  async function pauseOrThrow(error: unknown, attempt: number, call: CallOptions | undefined): Promise<void> {
    if (attempt >= attempts || !isTransient(error)) throw error;
    await sleep(delay(attempt), call?.signal);
    throwIfInterrupted(call?.signal, `waiting to try ${backend.name} again`);
  }
}

/** The one error of a backend that the same call may not meet again. */
export function isTransientFailure(error: unknown): boolean {
  return isMbkError(error, 'backend-failed');
}
