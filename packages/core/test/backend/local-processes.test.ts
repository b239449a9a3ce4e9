/** The folder backend used by real processes: killed at any call, and many at once. */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { expect, test } from 'vitest';

import { localBackend } from '../../src/backend/local.ts';
import { keysOf } from './keys-of.ts';
import { temporaryFolders } from './temporary-folder.ts';

const newFolder = temporaryFolders();
const program = fileURLToPath(new URL('put-process.ts', import.meta.url));
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

interface Ended {
  readonly killed: boolean;
  readonly output: string;
}

test('a process that is killed at any call of a put leaves no half entry and nothing in the way', async () => {
  const whole = 'first, second';
  let killed = 0;
  for (let at = 1; ; at += 2) {
    const ends = await Promise.all([at, at + 1].map((n) => dieAt(n)));
    for (const { folder, ended } of ends) {
      killed += ended.killed ? 1 : 0;
      const backend = localBackend(folder);
      const there = await keysOf(backend);
      expect(ended.output).toBe(ended.killed ? '' : 'stored');
      expect(there).toEqual(ended.killed && there.length === 0 ? [] : ['packs/3f/a']);
      expect(await backend.put('packs/3f/a', [Buffer.from(whole)])).toBe(there.length > 0 ? 'exists' : 'stored');
      expect(text(await backend.get('packs/3f/a'))).toBe(whole);
      expect(await backend.sweepTemporaries?.(0)).toBeLessThanOrEqual(1);
      expect(await keysOf(backend)).toEqual(['packs/3f/a']);
    }
    if (ends.every(({ ended }) => !ended.killed)) break;
  }
  expect(killed).toBeGreaterThan(10);
});

test('of processes that put the same keys each key is stored by exactly one, whose bytes stay', async () => {
  const folder = newFolder();
  const names = ['one', 'two', 'three', 'four'];
  const count = 40;
  const ends = await Promise.all(names.map((name) => run('race', folder, name, String(count))));
  const storedBy = new Map<string, string>();
  for (const [index, { output }] of ends.entries()) {
    for (const key of JSON.parse(output) as string[]) {
      expect(storedBy.has(key)).toBe(false);
      storedBy.set(key, names[index] ?? '');
    }
  }
  expect(storedBy.size).toBe(count);
  const backend = localBackend(folder);
  for (const [key, name] of storedBy) expect(text(await backend.get(key))).toBe(name);
  expect(await backend.sweepTemporaries?.(0)).toBe(0);
});

async function dieAt(at: number): Promise<{ folder: string; ended: Ended }> {
  const folder = newFolder();
  return { folder, ended: await run('die', folder, String(at)) };
}

function run(...args: string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [program, ...args], (error, output) => {
      const killed = error?.signal === 'SIGKILL';
      if (error !== null && !killed) reject(error);
      else resolve({ killed, output });
    });
  });
}
