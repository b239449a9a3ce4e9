import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { memoryBackend } from '../../src/backend/memory.ts';
import { roomWatch } from '../../src/operations/room-watch.ts';
import { testRepository } from './make-repository.ts';

const mib = 1_048_576;

test('the storage is asked the more often the less room it has, and refuses before it is full', async () => {
  let free = 1000 * mib;
  let asked = 0;
  const backend = { ...memoryBackend(), freeBytes: async () => ((asked += 1), free) };
  const room = roomWatch({ backend, signal: undefined });
  let stored = 0;
  const store = async (): Promise<void> => {
    for (;;) {
      await room.check(mib);
      free -= mib;
      stored += 1;
    }
  };
  await expect(store()).rejects.toMatchObject({ code: 'backend-full' });
  expect(free).toBeGreaterThanOrEqual(15 * mib);
  expect(asked).toBeLessThan(stored / 5);
});

test('a storage that does not say is never in the way', async () => {
  const room = roomWatch({ backend: memoryBackend(), signal: undefined });
  for (let count = 0; count < 10; count += 1) await expect(room.check(1e12)).resolves.toBeUndefined();
});

test('a snapshot into a storage without room is refused, and takes nothing', async () => {
  const backend = { ...memoryBackend(), freeBytes: async () => 10 * mib };
  const lab = await testRepository(backend);
  mkdirSync(join(lab.source, 'lab'));
  writeFileSync(join(lab.source, 'lab/x'), 'x');
  await expect(lab.snapshot()).rejects.toMatchObject({ code: 'backend-full' });
  const repository = await lab.open();
  expect([...repository.log.fold.heads.keys()]).toEqual([]);
  await repository.close();
});
