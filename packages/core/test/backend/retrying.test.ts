import { describe, expect, test } from 'vitest';

import type { Backend } from '../../src/backend/backend.ts';
import { faultAt, faulty, type Fault, type FaultPlan } from '../../src/backend/faulty.ts';
import { memoryBackend } from '../../src/backend/memory.ts';
import { metered, type BackendMethod } from '../../src/backend/metered.ts';
import { retrying, type RetryingOptions } from '../../src/backend/retrying.ts';
import { MbkError } from '../../src/errors.ts';
import { keysOf } from './keys-of.ts';
import { seededRandom } from './random.ts';

const noWait = { attempts: 3, delay: () => 0, sleep: async () => {} };

describe('a retrying backend', () => {
  test('repeats a call as often as it was told, waiting longer each time, then gives the last error', async () => {
    const waits: number[] = [];
    const { backend, below } = make(failFirst('get', 9), {
      attempts: 4,
      delay: (attempt) => 100 * 2 ** attempt,
      sleep: async (ms) => void waits.push(ms),
    });
    await below.put('a', [bytes(1)]);
    await expect(backend.get('a')).rejects.toMatchObject({ code: 'backend-failed' });
    expect(waits).toEqual([200, 400, 800]);
  });

  test.each(['get', 'stat', 'delete', 'now', 'put', 'list'] as const)(
    'a passing error of %s goes unnoticed',
    async (method) => {
      const { backend, below } = make(failFirst(method, 2), noWait);
      await below.put('a', [bytes(1)]);
      expect([...(await backend.get('a'))]).toEqual([1]);
      expect(await backend.stat('a')).toEqual({ size: 1 });
      expect(await backend.put('b', [bytes(2)])).toBe('stored');
      expect(await keysOf(backend)).toEqual(['a', 'b']);
      expect(await backend.now()).toBeGreaterThan(0);
      await backend.delete('a');
      expect(await keysOf(below)).toEqual(['b']);
    },
  );

  test.each([
    ['entry-absent', (backend: Backend) => backend.get('missing')],
    ['backend-read-short', (backend: Backend) => backend.get('a', { length: 99 })],
  ])('%s is an answer, not a failure: it is not asked for again', async (code, call) => {
    const below = metered(memoryBackend());
    await below.put('a', [bytes(1)]);
    await expect(call(retrying(below, noWait))).rejects.toMatchObject({ code });
    expect(below.meter.get.calls).toBe(1);
  });

  test('what counts as transient is the caller’s choice', async () => {
    const plan = failFirst('get', 1, { kind: 'error', code: 'backend-full' });
    const isTransient = (error: unknown): boolean => error instanceof MbkError && error.code === 'backend-full';
    const { backend, below } = make(plan, { ...noWait, isTransient });
    await below.put('a', [bytes(1)]);
    expect([...(await backend.get('a'))]).toEqual([1]);
  });

  test('a put whose answer was lost is stored when its own bytes are there', async () => {
    const { backend, below } = make(faultAt('put', 1, { kind: 'lost-acknowledgement' }), noWait);
    expect(await backend.put('log/1', [bytes(1, 2), bytes(3)])).toBe('stored');
    expect([...(await below.get('log/1'))]).toEqual([1, 2, 3]);
  });

  test.each([
    ['longer', [bytes(1, 2, 3, 4)]],
    ['other', [bytes(1, 2, 9)]],
    ['empty', []],
  ])('a put in doubt that finds %s bytes of another exists', async (_, other) => {
    const below = memoryBackend();
    // The first attempt fails; before the second, another writer takes the key.
    const sleep = async (): Promise<void> => void (await below.put('log/1', other));
    const plan = faultAt('put', 1, { kind: 'error' });
    const backend = retrying(faulty(below, { plan, random: seededRandom(1) }), { ...noWait, sleep });
    expect(await backend.put('log/1', [bytes(1, 2), bytes(3)])).toBe('exists');
  });

  test('a first answer of "exists" is taken as it is', async () => {
    const below = metered(memoryBackend());
    await below.put('log/1', [bytes(1)]);
    expect(await retrying(below, noWait).put('log/1', [bytes(1)])).toBe('exists');
    expect(below.meter.get.calls).toBe(0);
  });

  test('the comparison of a put in doubt is repeated like any call', async () => {
    const plan: FaultPlan = ({ method, count }) => {
      if (method === 'put' && count === 1) return { kind: 'lost-acknowledgement' };
      return method === 'get' && count === 1 ? { kind: 'error' } : undefined;
    };
    const { backend } = make(plan, noWait);
    expect(await backend.put('log/1', [bytes(1, 2)])).toBe('stored');
  });

  test('a listing that breaks off goes on behind its last entry, once each and up to its limit', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    const { backend, below } = make(failFirst('list', 2, { kind: 'lost-acknowledgement' }), noWait);
    for (const name of names) await below.put(name, []);
    expect(await keysOf(backend)).toEqual(names);
    const limited = make(failFirst('list', 2, { kind: 'lost-acknowledgement' }), noWait);
    for (const name of names) await limited.below.put(name, []);
    expect(await keysOf(limited.backend, '', { limit: 4 })).toEqual(['a', 'b', 'c', 'd']);
  });

  test('a listing may break off any number of times while it comes forward, and only so often where it stands', async () => {
    const below = memoryBackend();
    for (const name of 'abcdefgh') await below.put(name, []);
    let given = 0;
    const breaking: Backend = {
      ...below,
      // Each listing gives one entry more than the one before, up to `e`.
      async *list(prefix, options) {
        let count = 0;
        for await (const entry of below.list(prefix, options)) {
          if (count > given || entry.key > 'e') break;
          count += 1;
          yield entry;
        }
        given += 1;
        throw new MbkError('backend-failed', 'broken off');
      },
    };
    const seen: string[] = [];
    const reading = (async () => {
      for await (const { key } of retrying(breaking, noWait).list('')) seen.push(key);
    })();
    await expect(reading).rejects.toThrow('broken off');
    expect(seen).toEqual(['a', 'b', 'c', 'd', 'e']);
    // One listing for each entry, and those of the last one's further attempts.
    expect(given).toBe(5 + noWait.attempts - 1);
  });

  test('a listing whose limit others have filled meanwhile still gives its number', async () => {
    const below = memoryBackend();
    for (const key of ['c', 'd', 'e', 'f']) await below.put(key, []);
    const plan = faultAt('list', 1, { kind: 'lost-acknowledgement' });
    const sleep = async (): Promise<void> => {
      for (const key of ['a', 'b', 'bb', 'bbb']) await below.put(key, []);
    };
    const backend = retrying(faulty(below, { plan, random: seededRandom(1) }), { ...noWait, sleep });
    expect(await keysOf(backend, '', { limit: 4 })).toEqual(['c', 'd', 'e', 'f']);
  });

  test('an error of the reader of a listing is its own', async () => {
    const below = metered(memoryBackend());
    await below.put('a', []);
    const reading = (async () => {
      for await (const _ of retrying(below, noWait).list('')) throw new MbkError('backend-failed', 'of the reader');
    })();
    await expect(reading).rejects.toThrow('of the reader');
    expect(below.meter.list.calls).toBe(1);
  });

  test('an abort while waiting ends the call', async () => {
    const controller = new AbortController();
    const { backend } = make(failFirst('get', 9), { ...noWait, attempts: 100, sleep: async () => controller.abort() });
    await expect(backend.get('a', { signal: controller.signal })).rejects.toMatchObject({ code: 'interrupted' });
  });

  test('fewer than one attempt is a programming mistake', () => {
    expect(() => retrying(memoryBackend(), { ...noWait, attempts: 0 })).toThrow(RangeError);
  });
});

/** The plan under which the first `count` calls of `method` fail. */
function failFirst(method: BackendMethod, count: number, fault: Fault = { kind: 'error' }): FaultPlan {
  return (call) => (call.method === method && call.count <= count ? fault : undefined);
}

function make(plan: FaultPlan, options: RetryingOptions): { backend: Backend; below: Backend } {
  const below = memoryBackend();
  return { backend: retrying(faulty(below, { plan, random: seededRandom(42) }), options), below };
}

function bytes(...values: number[]): Uint8Array {
  return Uint8Array.from(values);
}
