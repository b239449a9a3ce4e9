import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { memoryBackend } from '../../src/backend/memory.ts';
import { MbkError } from '../../src/errors.ts';
import { logKey } from '../../src/format/log-entry.ts';
import { formatPlace, logMemory, parsePlace, type LogMemory } from '../../src/log/log-memory.ts';
import { temporaryFolders } from '../backend/temporary-folder.ts';
import { codeOf, seededBytes } from '../pack/test-keys.ts';
import { copyOf, fill, flipped, hex, newLog, open, owner, replaceEntry, startOfTime } from './small-log.ts';

const newFolder = temporaryFolders();
const newMemory = (folder = newFolder()): LogMemory => logMemory(folder, owner.repository, seededBytes(folder));
/** The code that `work` fails with. */
const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'no failure',
    (error: unknown) => (error instanceof MbkError ? error.code : error),
  );

/** The storage as it was: what a restored volume or a replaced bucket shows. */
async function restored(entries: ReadonlyMap<string, Uint8Array>): Promise<Backend> {
  const backend = memoryBackend({ now: () => startOfTime + 1e9 });
  for (const [key, bytes] of entries) await backend.put(key, [bytes]);
  return backend;
}

describe('the memory file', () => {
  test('holds what was seen last, alone in its folder', async () => {
    const folder = newFolder();
    const memory = newMemory(folder);
    expect(await memory.read()).toBeUndefined();
    for (const n of [1, 2, 3]) await memory.write({ n, hash: hex(`${n}`), at: startOfTime, state: null });
    expect(await newMemory(folder).read()).toEqual({ n: 3, hash: hex('3'), at: startOfTime, state: null });
    expect(await readdir(folder)).toEqual([`log-${owner.repository}.json`]);
  });

  test('that is not understood is an error, not a first time', async () => {
    const folder = newFolder();
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, `log-${owner.repository}.json`), '{"n":1}');
    expect(await failureOf(newMemory(folder).read())).toBe('local-state-failed');
  });
});

describe('a memory that cannot be kept', () => {
  const full = (): Promise<never> => Promise.reject(new MbkError('local-state-failed', 'the state folder is full'));

  test('stops no reader and no writer, and is told once', async () => {
    const backend = await newLog();
    const problems: string[] = [];
    const onMemoryProblem = ({ message }: MbkError): void => void problems.push(message);
    const log = await open(backend, {
      memory: { read: () => Promise.resolve(undefined), write: full },
      onMemoryProblem,
    });
    await fill(log, 2);
    await fill(await open(backend), 2, 'other');
    await log.refresh();
    expect(log.n).toBe(5);
    expect(problems).toEqual(['the state folder is full']);
  });

  test('is no failure of an entry that is stored', async () => {
    const backend = await newLog();
    let isFull = false;
    const memory = newMemory();
    const log = await open(backend, {
      memory: {
        read: () => (isFull ? full() : memory.read()),
        write: (seen) => (isFull ? full() : memory.write(seen)),
      },
    });
    isFull = true;
    expect((await log.append(() => ({ ops: [] })))?.n).toBe(2);
    expect((await open(backend)).n).toBe(2);
  });

  test('and cannot be read on opening is an error: what it says may be that the storage was rolled back', async () => {
    const memory = { read: full, write: () => Promise.resolve() };
    expect(await failureOf(open(await newLog(), { memory }))).toBe('local-state-failed');
  });
});

describe('a storage that was rolled back', () => {
  test('to fewer entries is refused with both numbers', async () => {
    const backend = await newLog();
    const memory = newMemory();
    const log = await open(backend, { memory });
    await fill(log, 3);
    const old = await copyOf(backend);
    await fill(log, 4);
    await expect(open(await restored(old), { memory })).rejects.toMatchObject({
      code: 'log-rolled-back',
      exitCode: 20,
      details: { stored: { n: 4 }, remembered: { n: 8, hash: log.hash } },
    });
    expect((await open(backend, { memory })).n).toBe(8);
  });

  test('and then written to by others is refused, at the head and long after', async () => {
    const backend = await newLog();
    const memory = newMemory();
    const log = await open(backend, { memory });
    await fill(log, 3);
    const fork = await restored(await copyOf(backend));
    await fill(log, 4);
    const other = await open(fork);
    await fill(other, 4, 'other');
    expect(await failureOf(open(fork, { memory }))).toBe('log-rolled-back');
    await fill(other, 300, 'other');
    expect(await failureOf(open(fork, { memory }))).toBe('log-rolled-back');
    // The seen entry itself put back does not help: the chain above it is another one.
    await replaceEntry(fork, 8, () => new Uint8Array());
    await fork.delete(logKey(owner.repository, 8));
    await fork.put(logKey(owner.repository, 8), [await backend.get(logKey(owner.repository, 8))]);
    expect(await failureOf(open(fork, { memory }))).toBe('log-rolled-back');
  });

  test('to nothing is refused', async () => {
    const memory = newMemory();
    await open(await newLog(), { memory });
    expect(await failureOf(open(memoryBackend(), { memory }))).toBe('log-rolled-back');
  });

  test('while the log is open is refused also without a file', async () => {
    const backend = await newLog();
    const log = await open(backend);
    await fill(log, 3);
    const { previous } = await log.read(4);
    for (const n of [3, 4]) await backend.delete(logKey(owner.repository, n));
    expect(previous).not.toBe('');
    const other = await open(backend);
    await fill(other, 5, 'other');
    expect(await failureOf(log.refresh())).toBe('log-rolled-back');
  });

  test('is not confused with a log that only grew, however far', async () => {
    const backend = await newLog();
    const memory = newMemory();
    const log = await open(backend, { memory });
    await fill(await open(backend), 600);
    expect((await open(backend, { memory })).n).toBe(601);
    expect((await memory.read())?.n).toBe(601);
    await log.refresh();
    expect(log.n).toBe(601);
  });

  test('leaves the question open, and says so, when the older entries there are damaged', async () => {
    const backend = await newLog();
    const memory = newMemory();
    await fill(await open(backend, { memory }), 9);
    await fill(await open(backend), 300);
    for (const n of [10, 11]) await replaceEntry(backend, n, (bytes) => flipped(bytes, 150));
    const log = await open(backend, { memory });
    expect(log.damage).toMatchObject([{ n: 10, reason: 'unproven', blocksWriters: false }]);
  });

  test('a damaged head is damage, and is remembered as it was', async () => {
    const backend = await newLog();
    const memory = newMemory();
    await fill(await open(backend, { memory }), 3);
    const seen = await memory.read();
    await replaceEntry(backend, 4, (bytes) => flipped(bytes, 150));
    const log = await open(backend, { memory });
    expect(log.damage.some(({ n, blocksWriters }) => n === 4 && blocksWriters)).toBe(true);
    expect(await memory.read()).toEqual(seen);
  });
});

describe('an expected head', () => {
  test('is compared by number and hash', async () => {
    const backend = await newLog();
    const log = await open(backend);
    await fill(log, 3);
    const place = { n: log.n, hash: log.hash };
    await fill(log, 2);
    expect((await open(backend, { expectHead: place })).n).toBe(6);
    expect(await failureOf(open(backend, { expectHead: { ...place, n: 9 } }))).toBe('log-rolled-back');
    expect(await failureOf(open(backend, { expectHead: { ...place, hash: hex('other') } }))).toBe('log-rolled-back');
  });

  test('is written as n:hash', () => {
    const place = { n: 12, hash: hex('x') };
    expect(parsePlace(formatPlace(place))).toEqual(place);
    for (const text of [
      '',
      '12',
      `0:${hex('x')}`,
      `12:${hex('x')}0`,
      `x:${hex('x')}`,
      `9007199254740993:${hex('x')}`,
    ]) {
      expect(codeOf(() => parsePlace(text))).toBe('usage-invalid');
    }
  });
});
