/**
 * A storage that misbehaves by plan, to try what stands on it: passing errors, lost answers, waits, old listings, and the
 * damage that a backend must never do and a reader must always notice.
 */

import { MbkError, type ErrorCode } from '../errors.ts';
import type { Backend, CallOptions, Entry, GetOptions, ListOptions, PutResult } from './backend.ts';
import { throwIfInterrupted } from './interrupted.ts';
import type { BackendMethod } from './metered.ts';

/** What goes wrong with one call. */
export type Fault =
  /** Fails before anything happens. */
  | { readonly kind: 'error'; readonly code?: ErrorCode }
  /** Does all, then fails. A listing gives its first half, then fails. */
  | { readonly kind: 'lost-acknowledgement' }
  /** Waits first. */
  | { readonly kind: 'slow'; readonly ms: number }
  /** `list` leaves out the `missing` entries that were put last through this wrapper. */
  | { readonly kind: 'stale-list'; readonly missing: number }
  /** `put` stores only a start of the bytes, then fails: no sound backend does. */
  | { readonly kind: 'partial-write' }
  /** `get` returns bytes with one bit changed. */
  | { readonly kind: 'bit-flip' }
  /** `get` returns fewer bytes than it should. */
  | { readonly kind: 'short-read' };

export interface PlannedCall {
  readonly method: BackendMethod;
  /** Which call of this method it is, from 1. */
  readonly count: number;
  /** The key, or the prefix of a listing; '' for `now`. */
  readonly key: string;
}

/** Decides before each call what goes wrong with it; a fault that the method cannot have is passed over. */
export type FaultPlan = (call: PlannedCall) => Fault | undefined;

export interface FaultyOptions {
  readonly plan: FaultPlan;
  /** Numbers in [0, 1): where bits flip and writes end. */
  readonly random: () => number;
  /** Waits for 'slow' faults. */
  readonly sleep?: (ms: number) => Promise<void>;
}

export function faulty(backend: Backend, options: FaultyOptions): Backend {
  const { plan, random, sleep = async (): Promise<void> => {} } = options;
  const counts: Record<BackendMethod, number> = { put: 0, get: 0, stat: 0, list: 0, delete: 0, now: 0 };
  const putOrder: string[] = [];

  return {
    ...backend,
    // Threads would read past what is planned.
    open: undefined,
    put,
    get,
    list,
    stat: (key, call) => run('stat', key, () => backend.stat(key, call)),
    delete: (key, call) => run('delete', key, () => backend.delete(key, call)),
    now: (call) => run('now', '', () => backend.now(call)),
  };

  function put(key: string, bytes: readonly Uint8Array[], call?: CallOptions): Promise<PutResult> {
    return run('put', key, async (fault) => {
      if (fault?.kind === 'partial-write') {
        await backend.put(key, [startOf(Buffer.concat(bytes))], call);
        throw failure('put', key);
      }
      const result = await backend.put(key, bytes, call);
      if (result === 'stored') putOrder.push(key);
      return result;
    });
  }

  function get(key: string, call?: GetOptions): Promise<Uint8Array> {
    return run('get', key, async (fault) => {
      const bytes = await backend.get(key, call);
      if (fault?.kind === 'bit-flip') return flipBit(bytes);
      return fault?.kind === 'short-read' ? startOf(bytes) : bytes;
    });
  }

  async function* list(prefix: string, call?: ListOptions): AsyncGenerator<Entry> {
    const fault = await begin('list', prefix);
    const stale = new Set(fault?.kind === 'stale-list' ? putOrder.slice(-fault.missing) : []);
    const { limit = Infinity, ...unlimited } = call ?? {};
    const entries: Entry[] = [];
    // With entries left out a storage still gives as many as were asked for.
    for await (const entry of backend.list(prefix, stale.size === 0 ? call : unlimited)) {
      if (!stale.has(entry.key) && entries.length < limit) entries.push(entry);
    }
    const lost = fault?.kind === 'lost-acknowledgement';
    for (const entry of lost ? entries.slice(0, entries.length / 2) : entries) {
      throwIfInterrupted(call?.signal, `listing ${backend.name}`);
      yield entry;
    }
    if (lost) throw failure('list', prefix);
  }

  async function run<T>(
    method: BackendMethod,
    key: string,
    work: (fault: Fault | undefined) => Promise<T>,
  ): Promise<T> {
    const fault = await begin(method, key);
    const result = await work(fault);
    if (fault?.kind === 'lost-acknowledgement') throw failure(method, key);
    return result;
  }

  /** Counts the call, and does what of its fault comes first. */
  async function begin(method: BackendMethod, key: string): Promise<Fault | undefined> {
    counts[method] += 1;
    const fault = plan({ method, count: counts[method], key });
    if (fault?.kind === 'error') throw failure(method, key, fault.code);
    if (fault?.kind === 'slow') await sleep(fault.ms);
    return fault;
  }

  function failure(method: BackendMethod, key: string, code: ErrorCode = 'backend-failed'): MbkError {
    return new MbkError(code, `${method} ${key} in ${backend.name} failed by plan`, { details: { method, key } });
  }

  /** A start of `bytes` that lacks at least the last one. */
  function startOf(bytes: Uint8Array): Uint8Array {
    return bytes.slice(0, Math.floor(random() * bytes.length));
  }

  function flipBit(bytes: Uint8Array): Uint8Array {
    const damaged = bytes.slice();
    const bit = Math.floor(random() * bytes.length * 8);
    const byte = damaged[bit >> 3];
    if (byte !== undefined) damaged[bit >> 3] = byte ^ (1 << (bit & 7));
    return damaged;
  }
}

/** The plan under which only the `count`-th call of `method` has `fault`. */
export function faultAt(method: BackendMethod, count: number, fault: Fault): FaultPlan {
  return (call) => (call.method === method && call.count === count ? fault : undefined);
}

/** The plan under which each call has, with probability `rate`, one of `faults`. */
export function randomFaults(rate: number, faults: readonly Fault[], random: () => number): FaultPlan {
  return () => (random() < rate ? faults[Math.floor(random() * faults.length)] : undefined);
}
