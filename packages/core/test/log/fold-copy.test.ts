import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { toHex } from '../../src/format/bytes.ts';
import { logKey, logNumberOf } from '../../src/format/log-entry.ts';
import { encodeLogState } from '../../src/format/log-state.ts';
import { readFoldCopy } from '../../src/log/fold-copy.ts';
import { entryCache } from '../../src/log/entry-cache.ts';
import { stateOfFold } from '../../src/log/fold-state.ts';
import { logMemory, type LogMemory } from '../../src/log/log-memory.ts';
import type { Log } from '../../src/log/open-log.ts';
import { temporaryFolders } from '../backend/temporary-folder.ts';
import { seededBytes } from '../pack/test-keys.ts';
import { fill, flipped, newLog, open, owner, replaceEntry } from './small-log.ts';

const newFolder = temporaryFolders();
const bytesOf = ({ fold }: Log): string => toHex(encodeLogState(stateOfFold(fold)));

interface Host {
  readonly cache: string;
  readonly memory: LogMemory;
}

const newHost = (): Host => {
  const folder = newFolder();
  return { cache: newFolder(), memory: logMemory(folder, owner.repository, seededBytes(folder)) };
};

/** Numbers of the entries that are asked for. */
function watched(backend: Backend): { readonly backend: Backend; readonly read: number[] } {
  const read: number[] = [];
  const get: Backend['get'] = (key, ...rest) => {
    const n = logNumberOf(owner.repository, key);
    if (n !== undefined) read.push(n);
    return backend.get(key, ...rest);
  };
  return { backend: { ...backend, get }, read };
}

/** A log of 41 entries and a host that has a copy of their fold. */
async function withCopy(): Promise<{ readonly backend: Backend; readonly host: Host; readonly copy: string }> {
  const backend = await newLog();
  await fill(await open(backend), 40);
  const host = newHost();
  await open(backend, host);
  const mark = (await host.memory.read())?.fold;
  expect(mark).toBeDefined();
  return { backend, host, copy: join(host.cache, mark?.key ?? '') };
}

describe('the copy of the fold', () => {
  test('is made where the way was long, and not where it was short', async () => {
    const backend = await newLog();
    const host = newHost();
    await fill(await open(backend), 20);
    await open(backend, host);
    expect(await host.memory.read()).not.toHaveProperty('fold');
    await fill(await open(backend), 20);
    await open(backend, host);
    expect(await host.memory.read()).toHaveProperty('fold');
  });

  test('saves reading what it folds: the head alone is asked for', async () => {
    const { backend, host } = await withCopy();
    // Without local copies of entries, whatever is read is asked for.
    await rm(join(host.cache, 'log'), { recursive: true });
    const { backend: storage, read } = watched(backend);
    const log = await open(storage, host);
    expect(read).toEqual([41]);
    expect(bytesOf(log)).toBe(bytesOf(await open(backend)));
  });

  test.each([1, 2, 31, 32, 250])('and what is appended later is added to it: %d entries', async (count) => {
    const { backend, host } = await withCopy();
    await fill(await open(backend), count, 'later');
    const log = await open(backend, host);
    expect([log.n, bytesOf(log)]).toEqual([41 + count, bytesOf(await open(backend))]);
    // Once more, from the copy that was made meanwhile.
    expect(bytesOf(await open(backend, host))).toBe(bytesOf(log));
  });

  test('an open log goes on from it', async () => {
    const { backend, host } = await withCopy();
    const log = await open(backend, host);
    await fill(await open(backend), 3, 'other');
    await fill(log, 3, 'own');
    expect([log.n, bytesOf(log)]).toEqual([47, bytesOf(await open(backend))]);
  });

  test.each([
    ['is gone', (path: string) => rm(path)],
    ['was changed', async (path: string) => writeFile(path, flipped(new Uint8Array(await readFile(path)), 200))],
    ['is an older one', (path: string, older: Uint8Array) => writeFile(path, older)],
  ])('that %s costs time and nothing else', async (_, spoil) => {
    const { backend, host, copy } = await withCopy();
    const older = new Uint8Array(await readFile(copy));
    await fill(await open(backend), 40, 'later');
    await open(backend, host);
    await spoil(copy, older);
    const log = await open(backend, host);
    expect(bytesOf(log)).toBe(bytesOf(await open(backend)));
  });

  test('does not stand for a history that the storage does not show', async () => {
    const { host } = await withCopy();
    const other = await newLog();
    await fill(await open(other), 60, 'other');
    await expect(open(other, host)).rejects.toMatchObject({ code: 'log-rolled-back' });
  });

  test.each([Number.MAX_SAFE_INTEGER, 1000])(
    'nor sends readers down from a key that continues nothing: %d',
    async (n) => {
      const { backend, host } = await withCopy();
      await backend.put(logKey(owner.repository, n), [new Uint8Array(300)]);
      const { backend: storage, read } = watched(backend);
      const log = await open(storage, host);
      expect(log.damage).toMatchObject([{ n, reason: 'stray' }]);
      expect(bytesOf(log)).toBe(bytesOf(await open(backend)));
      expect(read.length).toBeLessThan(50);
    },
  );

  test('hides no damage of what is read', async () => {
    const { backend, host } = await withCopy();
    await fill(await open(backend), 2, 'later');
    await replaceEntry(backend, 42, (bytes) => flipped(bytes, 150));
    const log = await open(backend, host);
    expect(log.damage).toMatchObject([{ n: 42, key: logKey(owner.repository, 42), reason: 'damaged' }]);
  });

  test('is sealed, and of the keysets that it was made with alone', async () => {
    const { host, copy } = await withCopy();
    expect(Buffer.from(await readFile(copy)).includes('segments')).toBe(false);
    expect(await readdir(join(host.cache, 'fold'))).toHaveLength(1);
    const mark = (await host.memory.read())?.fold;
    const cache = entryCache(host.cache, seededBytes('cache'));
    const [first] = owner.keysets;
    if (first === undefined) throw new Error('expected a keyset');
    const more = { ...owner, keysets: new Map([first, ['0'.repeat(32) as (typeof first)[0], first[1]]]) };
    expect(await readFoldCopy({ keys: owner, cache }, mark)).toBeDefined();
    expect(await readFoldCopy({ keys: more, cache }, mark)).toBeUndefined();
  });
});
