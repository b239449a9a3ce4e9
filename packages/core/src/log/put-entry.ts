/**
 * The compare-and-swap: putting entry n+1, and knowing for sure whether it is ours (docs/format.md, The log).
 */
import type { Backend } from '../backend/backend.ts';
import { isMbkError } from '../errors.ts';
import { equalBytes } from '../format/bytes.ts';
import { readBounded } from '../backend/read-bounded.ts';

export interface PutEntryOptions {
  /** Waits. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  readonly signal?: AbortSignal | undefined;
}

/** Puts of the same bytes, when the storage fails in passing. */
const maxPuts = 5;
const pauseMs = 200;

/**
 * Puts `bytes` under `key` and says whether they stand there now: 'stored', also when an earlier put of them was not
 * acknowledged; 'lost' when other bytes do.
 *
 * A put that fails is in doubt: it is repeated with the same bytes, and in the end the storage is asked what it holds.
 * The error of the put comes when that is not known, or when the entry is there and may not be on the disk.
 */
export async function putEntry(
  backend: Backend,
  key: string,
  bytes: Uint8Array,
  { sleep, signal }: PutEntryOptions,
): Promise<'stored' | 'lost'> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      if ((await backend.put(key, [bytes], { signal })) === 'stored') return 'stored';
      return (await holds(backend, key, bytes, signal)) === true ? 'stored' : 'lost';
    } catch (error) {
      if (isMbkError(error, 'interrupted')) throw error;
      if (isMbkError(error, 'backend-failed') && attempt < maxPuts) {
        await sleep(pauseMs * attempt, signal);
        continue;
      }
      const held = await holds(backend, key, bytes, signal).catch(() => undefined); // the failed put is the error to tell
      if (held === false) return 'lost';
      if (held === undefined || !(await isDurable(backend, key, bytes, signal))) throw error;
      return 'stored';
    }
  }
}

/**
 * Whether an entry that is there also survives a power cut: only a put that ends well says so. One that failed after it
 * gave the entry its name may not have brought the name to the disk.
 */
async function isDurable(
  backend: Backend,
  key: string,
  bytes: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    await backend.put(key, [bytes], { signal });
    return true;
  } catch (error) {
    if (isMbkError(error)) return false; // the first failure is the error to tell
    throw error;
  }
}

/** Whether the entry has just these bytes; undefined when it is absent. */
async function holds(
  backend: Backend,
  key: string,
  bytes: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<boolean | undefined> {
  const stored = await readBounded(backend, key, bytes.byteLength, signal);
  if (stored === 'absent') return undefined;
  return stored instanceof Uint8Array && equalBytes(stored, bytes);
}
