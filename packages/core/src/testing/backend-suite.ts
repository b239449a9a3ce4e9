/** The suite that every backend passes: each test is a sentence of the interface's doc comment. */

import type { Backend, CallOptions, Entry, ListOptions } from '../backend/backend.ts';
import { maxKeyLength } from '../backend/key.ts';
import { isMbkError } from '../errors.ts';
import type { SuiteRunner } from './runner.ts';

/** Declares the tests for the backends that `makeBackend` makes, each of them empty and of its own. */
export function backendConformance(
  { describe, test, expect }: SuiteRunner,
  name: string,
  makeBackend: () => Backend | Promise<Backend>,
): void {
  const backendTest = (rule: string, body: (backend: Backend) => Promise<void>): void => {
    test(rule, async () => {
      const backend = await makeBackend();
      try {
        await body(backend);
      } finally {
        await backend.close?.();
      }
    });
  };

  describe(`${name} is a backend`, () => {
    backendTest('an entry comes back as the parts that were put, in order', async (backend) => {
      expect(await backend.put('packs/3f/a', [bytes(1, 2), bytes(), bytes(3)])).toBe('stored');
      expect([...(await backend.get('packs/3f/a'))]).toEqual([1, 2, 3]);
      expect(await backend.stat('packs/3f/a')).toEqual({ size: 3 });
    });

    backendTest('an empty entry is an entry', async (backend) => {
      expect(await backend.put('none', [])).toBe('stored');
      expect(await backend.put('nothing', [bytes()])).toBe('stored');
      expect((await backend.get('none')).length).toBe(0);
      expect(await backend.stat('nothing')).toEqual({ size: 0 });
      expect(await backend.put('none', [bytes(1)])).toBe('exists');
      expect(await entries(backend, '')).toEqual([
        { key: 'none', size: 0 },
        { key: 'nothing', size: 0 },
      ]);
    });

    backendTest('a large entry comes back whole', async (backend) => {
      const part = noise(3 * 1024 * 1024 + 17, 1);
      await backend.put('large', [part, part.subarray(1, 5)]);
      const stored = await backend.get('large');
      expect(stored.length).toBe(part.length + 4);
      expect(Buffer.compare(stored, Buffer.concat([part, part.subarray(1, 5)]))).toBe(0);
    });

    backendTest('put keeps nothing of the arrays it was given, get gives an array of its own', async (backend) => {
      const given = bytes(1, 2, 3);
      await backend.put('a', [given]);
      given.fill(9);
      const got = await backend.get('a');
      got.fill(8);
      expect([...(await backend.get('a'))]).toEqual([1, 2, 3]);
    });

    backendTest('a part may be a view into a larger or shared buffer', async (backend) => {
      const shared = new Uint8Array(new SharedArrayBuffer(8));
      shared.set([1, 2, 3, 4, 5, 6, 7, 8]);
      await backend.put('a', [shared.subarray(2, 4), bytes(0, 9, 0).subarray(1, 2)]);
      expect([...(await backend.get('a'))]).toEqual([3, 4, 9]);
    });

    backendTest('a taken key keeps its bytes, and put says so', async (backend) => {
      expect(await backend.put('log/1', [bytes(1)])).toBe('stored');
      expect(await backend.put('log/1', [bytes(2, 2)])).toBe('exists');
      expect(await backend.put('log/1', [])).toBe('exists');
      expect([...(await backend.get('log/1'))]).toEqual([1]);
    });

    backendTest('of concurrent puts of one key exactly one is stored, and its bytes stay', async (backend) => {
      for (let round = 0; round < 5; round += 1) {
        const key = `log/${round}`;
        const writers = Array.from({ length: 8 }, (_, writer) => bytes(round, writer));
        const results = await Promise.all(writers.map((writer) => backend.put(key, [writer])));
        expect(results.filter((result) => result === 'stored').length).toBe(1);
        const winner = results.indexOf('stored');
        expect([...(await backend.get(key))]).toEqual([round, winner]);
      }
    });

    backendTest('a range gives exactly its bytes, also at the edges', async (backend) => {
      await backend.put('a', [bytes(0, 1, 2, 3), bytes(4, 5)]);
      const range = async (offset?: number, length?: number): Promise<number[]> => [
        ...(await backend.get('a', { offset, length })),
      ];
      expect(await range()).toEqual([0, 1, 2, 3, 4, 5]);
      expect(await range(0, 6)).toEqual([0, 1, 2, 3, 4, 5]);
      expect(await range(undefined, 2)).toEqual([0, 1]);
      expect(await range(2, 3)).toEqual([2, 3, 4]);
      expect(await range(5, 1)).toEqual([5]);
      expect(await range(4)).toEqual([4, 5]);
      expect(await range(6)).toEqual([]);
      expect(await range(6, 0)).toEqual([]);
      expect(await range(0, 0)).toEqual([]);
    });

    backendTest('memory of the caller may be used, and what it gets is right either way', async (backend) => {
      await backend.put('a', [bytes(0, 1, 2, 3)]);
      const into = new Uint8Array(3).fill(9);
      expect([...(await backend.get('a', { offset: 1, length: 2, into }))]).toEqual([1, 2]);
      expect([...(await backend.get('a', { into }))]).toEqual([0, 1, 2, 3]);
      into.fill(7);
      expect([...(await backend.get('a'))]).toEqual([0, 1, 2, 3]);
    });

    backendTest("a range that passes the end is 'backend-read-short'", async (backend) => {
      await backend.put('a', [bytes(0, 1, 2)]);
      expect(await failure(backend.get('a', { offset: 0, length: 4 }))).toBe('backend-read-short');
      expect(await failure(backend.get('a', { offset: 2, length: 2 }))).toBe('backend-read-short');
      expect(await failure(backend.get('a', { offset: 4 }))).toBe('backend-read-short');
      // A length from a hostile record: refused, not allocated.
      expect(await failure(backend.get('a', { offset: 1, length: 2 ** 50 }))).toBe('backend-read-short');
    });

    backendTest('a range that is no range is a programming mistake', async (backend) => {
      await backend.put('a', [bytes(0, 1, 2)]);
      expect(await failure(backend.get('a', { offset: -1 }))).toBe('RangeError');
      expect(await failure(backend.get('a', { length: 0.5 }))).toBe('RangeError');
      expect(await failure(entries(backend, '', { limit: 0 }))).toBe('RangeError');
    });

    backendTest("an absent entry is 'entry-absent' to get and undefined to stat", async (backend) => {
      await backend.put('packs/3f/a', [bytes(1)]);
      for (const key of ['b', 'packs/3f/b', 'packs/3f', 'packs', 'packs/3f/a/b', 'other/3f/a']) {
        expect(await failure(backend.get(key))).toBe('entry-absent');
        expect(await failure(backend.get(key, { offset: 0, length: 1 }))).toBe('entry-absent');
        expect(await backend.stat(key)).toBe(undefined);
      }
    });

    backendTest('a list is in ascending byte order, over folders and names alike', async (backend) => {
      const ordered = ['a-b', 'a.b', 'a/b', 'a/c/d', 'a0', 'a_', 'aa/a', 'b', 'packs/00/1', 'packs/0f/1', 'packs/f0/1'];
      for (const key of [...ordered].reverse()) await backend.put(key, [bytes(1)]);
      expect(await keys(backend, '')).toEqual(ordered);
      expect(await keys(backend, 'packs/')).toEqual(['packs/00/1', 'packs/0f/1', 'packs/f0/1']);
    });

    backendTest('a list holds what starts with its prefix, wherever that ends', async (backend) => {
      for (const key of ['log/0a', 'log/0b', 'log/1a', 'logs', 'packs/3f/a', 'packs/3e/a']) {
        await backend.put(key, [bytes(1, 2)]);
      }
      expect(await keys(backend, 'log')).toEqual(['log/0a', 'log/0b', 'log/1a', 'logs']);
      expect(await keys(backend, 'log/')).toEqual(['log/0a', 'log/0b', 'log/1a']);
      expect(await keys(backend, 'log/0')).toEqual(['log/0a', 'log/0b']);
      expect(await keys(backend, 'log/0b')).toEqual(['log/0b']);
      expect(await keys(backend, 'log/0b/')).toEqual([]);
      expect(await keys(backend, 'packs/3')).toEqual(['packs/3e/a', 'packs/3f/a']);
      expect(await keys(backend, 'packs/3f/')).toEqual(['packs/3f/a']);
      expect(await keys(backend, 'zzz/')).toEqual([]);
      expect(await entries(backend, 'logs')).toEqual([{ key: 'logs', size: 2 }]);
    });

    backendTest('a list of a storage that holds nothing yet is empty', async (backend) => {
      expect(await keys(backend, '')).toEqual([]);
      expect(await keys(backend, 'packs/')).toEqual([]);
      expect(await backend.stat('mbk.json')).toBe(undefined);
      expect(await failure(backend.get('mbk.json'))).toBe('entry-absent');
    });

    backendTest('a limit takes the first of a list, and a list may be left early', async (backend) => {
      for (const key of ['log/3', 'log/1', 'log/2', 'a/b/c']) await backend.put(key, [bytes(1)]);
      expect(await keys(backend, 'log/', { limit: 1 })).toEqual(['log/1']);
      expect(await keys(backend, '', { limit: 2 })).toEqual(['a/b/c', 'log/1']);
      expect(await keys(backend, 'log/', { limit: 9 })).toEqual(['log/1', 'log/2', 'log/3']);
      for await (const { key } of backend.list('log/')) {
        expect(key).toBe('log/1');
        break;
      }
    });

    backendTest('deleting removes an entry, its absence is fine, and its key is free again', async (backend) => {
      await backend.put('packs/3f/a', [bytes(1)]);
      await backend.put('packs/3f/b', [bytes(2)]);
      await backend.delete('packs/3f/a');
      await backend.delete('packs/3f/a');
      await backend.delete('never/there');
      await backend.delete('packs');
      await backend.delete('packs/3f/b/below');
      expect(await keys(backend, '')).toEqual(['packs/3f/b']);
      expect(await failure(backend.get('packs/3f/a'))).toBe('entry-absent');
      expect(await backend.put('packs/3f/a', [bytes(3)])).toBe('stored');
      expect([...(await backend.get('packs/3f/a'))]).toEqual([3]);
    });

    backendTest('many entries are each found, with their sizes', async (backend) => {
      const expected = Array.from({ length: 120 }, (_, index) => {
        const hex = (index * 37).toString(16).padStart(4, '0');
        return { key: `packs/${hex.slice(-2)}/${hex}`, size: index };
      });
      await Promise.all(expected.map(({ key, size }) => backend.put(key, [noise(size, size)])));
      const listed = await entries(backend, 'packs/');
      expect(listed).toEqual([...expected].sort((a, b) => (a.key < b.key ? -1 : 1)));
      for (const { key, size } of expected) {
        expect(Buffer.compare(await backend.get(key), noise(size, size))).toBe(0);
      }
    });

    backendTest('the longest key and odd names are keys', async (backend) => {
      const longest = `${'k'.repeat(99)}/${'k'.repeat(maxKeyLength - 100)}`;
      const odd = ['-', '_', '-rf/-', '.git', 'a.', 'tmpx', 'x/tmp/a', 'con', longest];
      for (const [index, key] of odd.entries()) expect(await backend.put(key, [bytes(index)])).toBe('stored');
      for (const [index, key] of odd.entries()) expect([...(await backend.get(key))]).toEqual([index]);
      expect(await keys(backend, '')).toEqual([...odd].sort());
      expect(await keys(backend, longest)).toEqual([longest]);
    });

    backendTest('a key that is no key is a programming mistake, whatever the call', async (backend) => {
      for (const key of hostileKeys) {
        expect(await failure(backend.put(key, [bytes(1)]))).toBe('TypeError');
        expect(await failure(backend.get(key))).toBe('TypeError');
        expect(await failure(backend.stat(key))).toBe('TypeError');
        expect(await failure(backend.delete(key))).toBe('TypeError');
      }
      for (const prefix of ['/', '//', '../', 'a/../b', 'A', 'tmp/', 'a//b', './a', 'a b', 'a\0']) {
        expect(await failure(entries(backend, prefix))).toBe('TypeError');
      }
      expect(await keys(backend, '')).toEqual([]);
    });

    backendTest('a call with an aborted signal is interrupted and changes nothing', async (backend) => {
      await backend.put('a', [bytes(1)]);
      const options: CallOptions = { signal: AbortSignal.abort(new Error('enough')) };
      expect(await failure(backend.put('b', [bytes(2)], options))).toBe('interrupted');
      expect(await failure(backend.get('a', options))).toBe('interrupted');
      expect(await failure(backend.stat('a', options))).toBe('interrupted');
      expect(await failure(backend.delete('a', options))).toBe('interrupted');
      expect(await failure(entries(backend, '', options))).toBe('interrupted');
      expect(await failure(entries(backend, 'none/', options))).toBe('interrupted');
      expect(await failure(backend.now(options))).toBe('interrupted');
      expect(await keys(backend, '')).toEqual(['a']);
    });

    backendTest('a list whose signal is aborted midway is interrupted', async (backend) => {
      for (const key of ['a', 'b', 'c']) await backend.put(key, [bytes(1)]);
      const controller = new AbortController();
      const seen: string[] = [];
      const reading = async (): Promise<void> => {
        for await (const { key } of backend.list('', { signal: controller.signal })) {
          seen.push(key);
          controller.abort();
        }
      };
      expect(await failure(reading())).toBe('interrupted');
      expect(seen).toEqual(['a']);
    });

    backendTest('the clock gives whole milliseconds, never runs back, and leaves no entry', async (backend) => {
      const times = [await backend.now(), await backend.now(), await backend.now()];
      expect(times.every(Number.isSafeInteger)).toBe(true);
      // Any time of this or the next centuries: a storage that counts in seconds is far below.
      expect(times.every((time) => time > 1e12 && time < 1e13)).toBe(true);
      expect([...times].sort((a, b) => a - b)).toEqual(times);
      expect(await keys(backend, '')).toEqual([]);
    });

    backendTest('sweeping removes no entry', async (backend) => {
      await backend.put('a', [bytes(1)]);
      await backend.sweepTemporaries?.(0);
      expect(await keys(backend, '')).toEqual(['a']);
    });

    backendTest('the functions work without their object', async ({ put, get, stat, list, delete: remove, now }) => {
      await put('a', [bytes(7)]);
      expect([...(await get('a'))]).toEqual([7]);
      expect(await stat('a')).toEqual({ size: 1 });
      for await (const { key } of list('')) expect(key).toBe('a');
      await remove('a');
      expect(await stat('a')).toBe(undefined);
      expect(typeof (await now())).toBe('number');
    });
  });
}

/** Texts that are no keys; some would leave the folder of the repository if they were taken for a path. */
const hostileKeys: readonly string[] = [
  '',
  '.',
  '..',
  '/',
  '/etc/passwd',
  '../x',
  'a/../../x',
  'a/..',
  'a/./b',
  'a//b',
  'a/',
  '/a',
  'a..b',
  'A',
  'packs/3F',
  'a b',
  'a\n',
  'a\0b',
  'a\\b',
  'c:x',
  'ä',
  'a%2fb',
  'tmp',
  'tmp/x',
  'k'.repeat(maxKeyLength + 1),
];

/** The code of the `MbkError`, or the class of another error, that a call ends with. */
async function failure(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    if (isMbkError(error)) return error.code;
    return error instanceof Error ? error.name : String(error);
  }
  return 'no failure';
}

async function entries(backend: Backend, prefix: string, options?: ListOptions): Promise<Entry[]> {
  const listed: Entry[] = [];
  for await (const entry of backend.list(prefix, options)) listed.push(entry);
  return listed;
}

async function keys(backend: Backend, prefix: string, options?: ListOptions): Promise<string[]> {
  return (await entries(backend, prefix, options)).map(({ key }) => key);
}

function bytes(...values: number[]): Uint8Array {
  return Uint8Array.from(values);
}

/** The same bytes for the same seed, without a pattern that a mistake in offsets could hit by chance. */
function noise(length: number, seed: number): Uint8Array {
  const result = new Uint8Array(length);
  let state = seed + 1;
  for (let index = 0; index < length; index += 1) {
    // Numerical Recipes' linear congruential generator; its high byte is good enough to tell places apart.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    result[index] = state >>> 24;
  }
  return result;
}
