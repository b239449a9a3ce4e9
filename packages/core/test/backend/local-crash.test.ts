/** What the folder backend leaves when it is stopped anywhere: failing calls, power cuts, other writers in between. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { Backend, PutResult } from '../../src/backend/backend.ts';
import { localBackend } from '../../src/backend/local.ts';
import type { LocalFileSystem } from '../../src/backend/local-file-system.ts';
import { isMbkError } from '../../src/errors.ts';
import { countingFileSystem, errnoError, recordingFileSystem, type RecordingFileSystem } from '../../src/testing.ts';
import { keysOf } from './keys-of.ts';
import { seededRandom } from './random.ts';
import { storageModel, type StorageModel } from './storage-model.ts';

const folder = '/srv/backups';
const key = 'packs/3f/a';
const textOf = (bytes: Uint8Array): string => new TextDecoder('latin1').decode(bytes);
/** Two parts, so that a put can be stopped between them. */
const parts = (text: string): Uint8Array[] =>
  [text.slice(0, 2), text.slice(2)].map((part) => new TextEncoder().encode(part));

/** More calls than any put makes: the loops over call numbers end when a number is not reached. */
const enough = 60;

describe('a call that fails', () => {
  test.each(['EIO', 'ENOSPC', 'EROFS', 'EACCES'])(
    '%s at any call of a put leaves no half entry, and the put can be repeated',
    async (errno) => {
      let tried = 0;
      for (const phase of ['before', 'after'] as const) {
        for (let at = 1; at < enough; at += 1) {
          const memory = recordingFileSystem();
          const fault = { reached: false };
          const backend = localBackend(folder, { fs: failingAt(memory, at, phase, errno, fault) });
          const result = await outcome(backend.put(key, parts('bytes')));
          if (!fault.reached) break;
          tried += 1;

          const there = await keysOf(localBackend(folder, { fs: memory }));
          expect(result === 'stored' ? ['bytes'] : [undefined, 'bytes']).toContain(stateOf(memory, key));

          // The same backend, which has seen the failure, and the storage as it is now.
          expect(await backend.put(key, parts('bytes'))).toBe(there.length > 0 ? 'exists' : 'stored');
          expect(textOf(await backend.get(key))).toBe('bytes');
          expectAfterEveryCut(memory, { [key]: 'bytes' });
        }
      }
      expect(tried).toBeGreaterThan(30);
    },
  );

  test('at any call of a delete leaves the entry whole or gone, and the delete can be repeated', async () => {
    for (let at = 1; at < enough; at += 1) {
      const memory = recordingFileSystem();
      await localBackend(folder, { fs: memory }).put(key, parts('bytes'));
      const fault = { reached: false };
      const backend = localBackend(folder, { fs: failingAt(memory, at, 'before', 'EIO', fault) });
      expect(await outcome(backend.delete(key))).toBe(at <= 2 ? 'backend-failed' : undefined);
      if (!fault.reached) return;
      await backend.delete(key);
      expectAfterEveryCut(memory, { [key]: undefined });
    }
    expect.unreachable();
  });
});

describe('another writer at any moment of a put', () => {
  test('exactly one of the two is stored, its bytes stay, and both answers outlive a power cut', async () => {
    for (let at = 1; at < enough; at += 1) {
      const memory = recordingFileSystem();
      const other: Promise<PutResult>[] = [];
      // A put has no pause inside: called between two calls of the first it runs from end to end.
      const fs = countingFileSystem(memory, ({ count }) => {
        if (count === at) other.push(localBackend(folder, { fs: memory }).put(key, parts('two')));
      });
      const results = [await localBackend(folder, { fs }).put(key, parts('one')), ...(await Promise.all(other))];
      if (other.length === 0) return;
      expect([...results].sort()).toEqual(['exists', 'stored']);
      expectAfterEveryCut(memory, { [key]: results[0] === 'stored' ? 'one' : 'two' });
    }
    expect.unreachable();
  });

  test('an answer given while the first writer was under way holds when power fails at that moment', async () => {
    for (let at = 1; at < enough; at += 1) {
      const memory = recordingFileSystem();
      const other: Promise<PutResult>[] = [];
      let after: RecordingFileSystem[] = [];
      const fs = countingFileSystem(memory, ({ count }) => {
        if (count !== at) return;
        other.push(localBackend(folder, { fs: memory }).put(key, parts('two')));
        after = cuts(memory);
      });
      await localBackend(folder, { fs }).put(key, parts('one'));
      const [result] = await Promise.all(other);
      if (result === undefined) return;
      for (const cut of after) expect(stateOf(cut, key)).toBe(result === 'stored' ? 'two' : 'one');
    }
    expect.unreachable();
  });

  test('a folder that another made at any moment of a put, and had not yet on the disk when it died, keeps what is put into it', async () => {
    for (let at = 1; at < enough; at += 1) {
      const memory = recordingFileSystem();
      await localBackend(folder, { fs: memory }).put('packs/00/a', parts('first'));
      let reached = false;
      const fs = countingFileSystem(memory, ({ count }) => {
        if (count !== at) return;
        reached = true;
        memory.mkdirSync(`${folder}/packs/3e`, 0o700);
      });
      const backend = localBackend(folder, { fs });
      await backend.put(key, parts('one'));
      if (!reached) return;
      await backend.put('packs/3e/b', parts('two'));
      expectAfterEveryCut(memory, { [key]: 'one', 'packs/3e/b': 'two' });
    }
    expect.unreachable();
  });

  test('a sweep at any moment of a put makes it fail or leaves it be', async () => {
    for (let at = 1; at < enough; at += 1) {
      const memory = recordingFileSystem({ now: () => 1_750_000_000_000 });
      let swept: Promise<number> | undefined;
      const fs = countingFileSystem(memory, ({ count }) => {
        if (count === at) swept = localBackend(folder, { fs: memory }).sweepTemporaries?.(0);
      });
      const result = await outcome(localBackend(folder, { fs }).put(key, parts('bytes')));
      if (swept === undefined) return;
      expect(result).toBe(
        (await swept) === 1 && memory.statSync(`${folder}/${key}`) === undefined ? 'backend-failed' : 'stored',
      );
      expectAfterEveryCut(memory, { [key]: result === 'stored' ? 'bytes' : undefined });
    }
    expect.unreachable();
  });
});

describe('a power cut', () => {
  const operation = fc.record({
    what: fc.constantFrom('put', 'put', 'put', 'delete', 'now'),
    process: fc.constantFrom(0, 1),
    key: fc.constantFrom('mbk.json', 'log/1', 'log/2', 'packs/3f/a', 'packs/3e/b'),
    text: fc.string({ unit: fc.constantFrom(...'abcdef'.split('')), maxLength: 12 }),
  });

  test('at any call leaves every acknowledged put and delete, and no torn entry; then work goes on', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation, { maxLength: 12 }),
        fc.array(fc.integer({ min: 1, max: 80 }), { minLength: 1, maxLength: 3 }),
        fc.integer(),
        async (operations, cutPoints, seed) => {
          const random = seededRandom(seed);
          const model = storageModel();
          let memory = recordingFileSystem();
          for (const cutPoint of cutPoints) {
            await work(memory, model, operations, cutPoint);
            for (const cut of cuts(memory, 8)) expect(model.contradictions((name) => stateOf(cut, name))).toEqual([]);
            const booted = memory.crash(random);
            model.adopt((name) => stateOf(booted, name));
            memory = booted;
          }
          // After the last boot everything can be put, and what is said then holds too.
          await work(memory, model, operations, Infinity);
          const backend = localBackend(folder, { fs: memory });
          for (const { key } of operations) {
            model.putBegins(key, 'last');
            model.putEnds(key, 'last', await backend.put(key, parts('last')));
          }
          for (const cut of cuts(memory, 8)) expect(model.contradictions((name) => stateOf(cut, name))).toEqual([]);
        },
      ),
      { numRuns: 250 },
    );
  });
});

/** Runs `operations` in two processes until the power fails at call `cutPoint`. */
async function work(
  memory: RecordingFileSystem,
  model: StorageModel,
  operations: readonly { what: string; process: number; key: string; text: string }[],
  cutPoint: number,
): Promise<void> {
  const off = new Error('the power is off');
  const counter = new Int32Array(new SharedArrayBuffer(4));
  const powered = (): LocalFileSystem =>
    countingFileSystem(
      memory,
      ({ count }) => {
        if (count >= cutPoint) throw off;
      },
      counter,
    );
  const processes = [localBackend(folder, { fs: powered() }), localBackend(folder, { fs: powered() })] as const;
  try {
    for (const { what, process, key, text } of operations) {
      const backend: Backend = processes[process === 0 ? 0 : 1];
      if (what === 'now') {
        await backend.now();
      } else if (what === 'put') {
        model.putBegins(key, text);
        model.putEnds(key, text, await backend.put(key, parts(text)));
      } else {
        model.deleteBegins(key);
        await backend.delete(key);
        model.deleteEnds(key);
      }
    }
  } catch (error) {
    if (error !== off) throw error;
  }
}

function failingAt(
  memory: LocalFileSystem,
  at: number,
  phase: 'before' | 'after',
  errno: string,
  fault: { reached: boolean },
): LocalFileSystem {
  return countingFileSystem(memory, ({ count, name, paths }) => {
    if (count !== at) return undefined;
    fault.reached = true;
    const error = errnoError(errno, name, paths[0] ?? '');
    if (phase === 'before') throw error;
    return () => {
      throw error;
    };
  });
}

async function outcome<T>(call: Promise<T>): Promise<T | string> {
  try {
    return await call;
  } catch (error) {
    if (!isMbkError(error)) throw error;
    return error.code;
  }
}

function cuts(memory: RecordingFileSystem, count = 25): RecordingFileSystem[] {
  return Array.from({ length: count }, (_, seed) => memory.crash(seededRandom(seed)));
}

function expectAfterEveryCut(memory: RecordingFileSystem, expected: Record<string, string | undefined>): void {
  for (const cut of cuts(memory)) {
    for (const [name, text] of Object.entries(expected)) expect(stateOf(cut, name)).toBe(text);
  }
}

/** The text that `name` holds, read past the backend; `undefined` when it is not there. */
function stateOf(fs: LocalFileSystem, name: string): string | undefined {
  const path = `${folder}/${name}`;
  if (fs.statSync(path) === undefined) return undefined;
  const fd = fs.openSync(path);
  const bytes = new Uint8Array(100);
  const count = fs.readSync(fd, bytes, 0, bytes.length, 0);
  fs.closeSync(fd);
  return textOf(bytes.subarray(0, count));
}
