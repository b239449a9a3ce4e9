import { expect, test } from 'vitest';

import { memoryBackend } from '../../src/backend/memory.ts';

test('the clock is the one that was given, in whole milliseconds', async () => {
  let time = 1_750_000_000_000.75;
  const backend = memoryBackend({ now: () => time });
  expect(await backend.now()).toBe(1_750_000_000_000);
  time += 5;
  expect(await backend.now()).toBe(1_750_000_000_005);
});

test('equal bytes for a taken key exist', async () => {
  const backend = memoryBackend();
  await backend.put('a', [Uint8Array.of(1)]);
  expect(await backend.put('a', [Uint8Array.of(1)])).toBe('exists');
});
