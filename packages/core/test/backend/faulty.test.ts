import { describe, expect, test } from 'vitest';

import type { Backend } from '../../src/backend/backend.ts';
import { faultAt, faulty, randomFaults, type FaultPlan } from '../../src/backend/faulty.ts';
import { memoryBackend } from '../../src/backend/memory.ts';
import { keysOf } from './keys-of.ts';
import { seededRandom } from './random.ts';

describe('a faulty backend', () => {
  test('an error comes before anything happens', async () => {
    const { backend, below } = make(faultAt('put', 1, { kind: 'error' }));
    await expect(backend.put('a', [bytes(1)])).rejects.toMatchObject({ code: 'backend-failed' });
    expect(await below.stat('a')).toBeUndefined();
    expect(await backend.put('a', [bytes(1)])).toBe('stored');
  });

  test('an error may have any code', async () => {
    const { backend } = make(faultAt('now', 1, { kind: 'error', code: 'backend-full' }));
    await expect(backend.now()).rejects.toMatchObject({ code: 'backend-full' });
  });

  test('a lost acknowledgement comes after all has happened', async () => {
    const { backend, below } = make(faultAt('put', 1, { kind: 'lost-acknowledgement' }));
    await expect(backend.put('a', [bytes(1)])).rejects.toMatchObject({ code: 'backend-failed' });
    expect([...(await below.get('a'))]).toEqual([1]);
  });

  test('a listing that is lost gives its first half', async () => {
    const { backend } = make(faultAt('list', 1, { kind: 'lost-acknowledgement' }));
    for (const key of ['a', 'b', 'c', 'd']) await backend.put(key, []);
    const seen: string[] = [];
    const reading = (async () => {
      for await (const { key } of backend.list('')) seen.push(key);
    })();
    await expect(reading).rejects.toMatchObject({ code: 'backend-failed' });
    expect(seen).toEqual(['a', 'b']);
  });

  test('a stale list lacks what was put last, and gives as many as were asked for', async () => {
    const { backend } = make((call) => (call.method === 'list' ? { kind: 'stale-list', missing: 2 } : undefined));
    for (const key of ['d', 'c', 'b', 'a']) await backend.put(key, []);
    expect(await keysOf(backend)).toEqual(['c', 'd']);
    expect(await keysOf(backend, '', { limit: 1 })).toEqual(['c']);
    expect([...(await backend.get('a'))]).toEqual([]);
  });

  test('a partial write leaves a start of the bytes for good', async () => {
    const { backend, below } = make(faultAt('put', 1, { kind: 'partial-write' }));
    await expect(backend.put('a', [bytes(1, 2), bytes(3, 4)])).rejects.toMatchObject({ code: 'backend-failed' });
    const stored = await below.get('a');
    expect(stored.length).toBeLessThan(4);
    expect([...stored]).toEqual([1, 2, 3, 4].slice(0, stored.length));
    expect(await backend.put('a', [bytes(1, 2, 3, 4)])).toBe('exists');
  });

  test('a flipped bit is one bit of what is returned, not of what is stored', async () => {
    const { backend, below } = make(faultAt('get', 1, { kind: 'bit-flip' }));
    await below.put('a', [new Uint8Array(64)]);
    const damaged = await backend.get('a');
    expect(damaged.reduce((count, byte) => count + byte.toString(2).replaceAll('0', '').length, 0)).toBe(1);
    expect([...(await backend.get('a'))]).toEqual([...new Uint8Array(64)]);
  });

  test('a short read returns less than was asked for', async () => {
    const { backend } = make(faultAt('get', 2, { kind: 'short-read' }));
    await backend.put('a', [bytes(1, 2, 3, 4)]);
    expect((await backend.get('a')).length).toBe(4);
    expect((await backend.get('a', { offset: 1, length: 3 })).length).toBeLessThan(3);
  });

  test('a slow call waits and then does its work', async () => {
    const waits: number[] = [];
    const plan = faultAt('stat', 1, { kind: 'slow', ms: 250 });
    const sleep = async (ms: number): Promise<void> => void waits.push(ms);
    const backend = faulty(memoryBackend(), { plan, random: seededRandom(1), sleep });
    expect(await backend.stat('a')).toBeUndefined();
    expect(waits).toEqual([250]);
  });

  test('random faults are the same for the same seed, and as frequent as they should be', async () => {
    const draw = (seed: number): (string | undefined)[] => {
      const plan = randomFaults(0.25, [{ kind: 'error' }, { kind: 'bit-flip' }], seededRandom(seed));
      return Array.from({ length: 4000 }, (_value, count) => plan({ method: 'get', count, key: 'a' })?.kind);
    };
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
    const faults = draw(7).filter((kind) => kind !== undefined).length;
    expect(faults).toBeGreaterThan(800);
    expect(faults).toBeLessThan(1200);
  });
});

function make(plan: FaultPlan): { backend: Backend; below: Backend } {
  const below = memoryBackend();
  return { backend: faulty(below, { plan, random: seededRandom(42) }), below };
}

function bytes(...values: number[]): Uint8Array {
  return Uint8Array.from(values);
}
