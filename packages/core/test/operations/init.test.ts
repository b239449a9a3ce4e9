import { describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { memoryBackend } from '../../src/backend/memory.ts';
import { isMbkError } from '../../src/errors.ts';
import { initRepository, type InitReport } from '../../src/operations/init.ts';
import { openRepository } from '../../src/repository.ts';
import { random, secret, temporaryFolder } from './make-repository.ts';

const init = (backend: Backend): Promise<InitReport> =>
  initRepository({ backend, secret, name: 'founder', recovery: true, timezone: 'UTC', random, tool: 'mbk test' });

async function opened(backend: Backend): Promise<{ readonly id: string; readonly notices: readonly string[] }> {
  const repository = await openRepository({
    backend,
    secret,
    cacheFolder: undefined,
    stateFolder: temporaryFolder(),
    now: Date.now,
    random,
    tool: 'mbk test',
  });
  const { keys, notices } = repository;
  await repository.close();
  return { id: keys.repository, notices };
}

/** A storage whose process is killed at put `puts`, counted from 0, before or after it took place. */
function dying(backend: Backend, puts: number, after: boolean): Backend {
  let count = 0;
  return {
    ...backend,
    async put(key, parts, options) {
      const dies = (count += 1) > puts;
      if (dies && !(after && count === puts + 1)) throw new Error('killed');
      const result = await backend.put(key, parts, options);
      if (dies) throw new Error('killed');
      return result;
    },
  };
}

describe('init', () => {
  test('killed at any moment leaves nothing in the way of the next one, or a repository that opens', async () => {
    let finished = 0;
    // Two slots and two grants, each twice; entry 1; mbk.json and its copy.
    for (let puts = 0; puts < 11; puts += 1) {
      for (const after of [false, true]) {
        const backend = memoryBackend();
        await expect(init(dying(backend, puts, after))).rejects.toThrow('killed');
        const again = await init(backend).catch((error: unknown) => error);
        if (isMbkError(again)) {
          expect(again.code).toBe('repository-exists');
          finished += 1;
        } else {
          expect((await opened(backend)).id).toBe((again as InitReport).repository);
        }
        expect((await opened(backend)).notices.filter((text) => !text.startsWith('copy/mbk.json'))).toEqual([]);
      }
    }
    expect(finished).toBe(3);
  });

  test('of several at once in one place one wins, and the others say that there is a repository', async () => {
    const backend = memoryBackend();
    const results = await Promise.allSettled(Array.from({ length: 4 }, () => init(backend)));
    const made = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value.repository] : []));
    const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
    expect(made).toHaveLength(1);
    for (const error of refused) expect(error).toMatchObject({ code: 'repository-exists' });
    expect(await opened(backend)).toEqual({ id: made[0], notices: [] });
  });
});
