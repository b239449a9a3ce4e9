import type { Backend, CallOptions } from './backend.ts';

export type BackendMethod = 'put' | 'get' | 'stat' | 'list' | 'delete' | 'now';

/** What one method was used for so far. */
export interface MethodMeter {
  /** Calls begun, also those that failed. */
  calls: number;
  /** Of these, those that ended with an error. */
  failures: number;
  /** Bytes of entries that were given to `put` and stored, or returned by `get`. */
  bytes: number;
}

export interface MeteredBackend extends Backend {
  /** Counts since the wrapper was made, kept up to date. */
  readonly meter: Readonly<Record<BackendMethod, Readonly<MethodMeter>>>;
}

/** The same storage, with a count of what it is asked for. */
export function metered(backend: Backend): MeteredBackend {
  const meter: Record<BackendMethod, MethodMeter> = {
    put: newMeter(),
    get: newMeter(),
    stat: newMeter(),
    list: newMeter(),
    delete: newMeter(),
    now: newMeter(),
  };

  return {
    ...backend,
    meter,
    // What threads read would not be counted.
    open: undefined,

    put: (key, bytes, options) =>
      count(meter.put, async () => {
        const result = await backend.put(key, bytes, options);
        if (result === 'stored') meter.put.bytes += bytes.reduce((sum, part) => sum + part.length, 0);
        return result;
      }),

    get: (key, options) =>
      count(meter.get, async () => {
        const bytes = await backend.get(key, options);
        meter.get.bytes += bytes.length;
        return bytes;
      }),

    async *list(prefix, options) {
      meter.list.calls += 1;
      try {
        yield* backend.list(prefix, options);
      } catch (error) {
        meter.list.failures += 1;
        throw error;
      }
    },

    stat: (key, options) => count(meter.stat, () => backend.stat(key, options)),
    delete: (key, options) => count(meter.delete, () => backend.delete(key, options)),
    now: (options?: CallOptions) => count(meter.now, () => backend.now(options)),
  };
}

function newMeter(): MethodMeter {
  return { calls: 0, failures: 0, bytes: 0 };
}

async function count<T>(meter: MethodMeter, call: () => Promise<T>): Promise<T> {
  meter.calls += 1;
  try {
    return await call();
  } catch (error) {
    meter.failures += 1;
    throw error;
  }
}
