import { expect, test } from 'vitest';

import { memoryBackend } from '../../src/backend/memory.ts';
import { metered } from '../../src/backend/metered.ts';
import { keysOf } from './keys-of.ts';

test('calls, failures and bytes are counted by method', async () => {
  const backend = metered(memoryBackend());
  await backend.put('a', [new Uint8Array(3), new Uint8Array(4)]);
  await backend.put('a', [new Uint8Array(100)]);
  await backend.get('a', { offset: 2 });
  await expect(backend.get('b')).rejects.toMatchObject({ code: 'entry-absent' });
  await backend.stat('a');
  for await (const _ of backend.list('')) break;
  await expect(keysOf(backend, '/')).rejects.toThrow(TypeError);
  await backend.delete('a');
  await backend.now();
  expect(backend.meter).toEqual({
    put: { calls: 2, failures: 0, bytes: 7 },
    get: { calls: 2, failures: 1, bytes: 5 },
    stat: { calls: 1, failures: 0, bytes: 0 },
    list: { calls: 2, failures: 1, bytes: 0 },
    delete: { calls: 1, failures: 0, bytes: 0 },
    now: { calls: 1, failures: 0, bytes: 0 },
  });
});
