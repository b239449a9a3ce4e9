import { describe, expect, test } from 'vitest';

import { localBackend } from '../../src/backend/local.ts';
import { memoryBackend } from '../../src/backend/memory.ts';
import { metered } from '../../src/backend/metered.ts';
import { readOnly } from '../../src/backend/read-only.ts';

describe('a read-only backend', () => {
  test('refuses whatever writes, without asking the storage', async () => {
    const below = metered(memoryBackend());
    const backend = readOnly(below);
    const refusal = { code: 'backend-read-only', remedy: 'Open the repository for writing.' };
    await expect(backend.put('a', [])).rejects.toMatchObject(refusal);
    await expect(backend.delete('a')).rejects.toMatchObject(refusal);
    await expect(backend.now()).rejects.toMatchObject(refusal);
    expect([below.meter.put.calls, below.meter.delete.calls, below.meter.now.calls]).toEqual([0, 0, 0]);
  });

  test('reads like the storage below', async () => {
    const below = memoryBackend();
    await below.put('a/b', [Uint8Array.of(1, 2, 3)]);
    const backend = readOnly(below);
    expect([...(await backend.get('a/b', { offset: 1 }))]).toEqual([2, 3]);
    expect(await backend.stat('a/b')).toEqual({ size: 3 });
    for await (const entry of backend.list('a/')) expect(entry).toEqual({ key: 'a/b', size: 3 });
    expect(backend.name).toBe('memory (read-only)');
  });

  test('sweeps nothing', () => {
    expect(localBackend('/srv/backups').sweepTemporaries).toBeDefined();
    expect(readOnly(localBackend('/srv/backups')).sweepTemporaries).toBeUndefined();
  });
});
