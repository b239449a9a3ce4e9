import { describe, expect, test } from 'vitest';
import { startThreads } from '../../src/pool/threads.ts';
import { workerPool } from '../../src/pool/worker-pool.ts';

const options = { size: 2, setup: () => null, handlers: () => ({}) };

describe('a worker pool', () => {
  test('whose threads cannot start is an error, not a hang', async () => {
    const pool = workerPool({ ...options, task: 'no-such-task' });
    await Promise.all(
      pool.workers.map((worker) => expect(worker.call('run')).rejects.toMatchObject({ code: 'internal' })),
    );
    await pool.close();
  });

  test('ends its threads and what waits for them when the signal aborts', async () => {
    const controller = new AbortController();
    const pool = workerPool({ ...options, task: 'self-test', signal: controller.signal });
    const running = pool.workers.map((worker) => worker.call('run'));
    controller.abort(new Error('enough'));
    for (const one of running) await expect(one).rejects.toMatchObject({ code: 'interrupted' });
    await pool.close();
  });

  test('takes threads over that were started before, with their setup', async () => {
    const threads = startThreads('self-test', 2);
    const pool = workerPool({ ...options, task: 'self-test', threads });
    expect(await pool.workers[1]?.call('run')).toHaveLength(10);
    await pool.close();
  });

  test('finds out that threads died before there was work for them', async () => {
    const threads = startThreads('no-such-task', 1);
    await new Promise((resolve) => threads.workers[0]?.once('exit', resolve));
    const pool = workerPool({ ...options, size: 1, task: 'no-such-task', threads });
    await expect(pool.workers[0]?.call('run')).rejects.toMatchObject({ code: 'internal' });
    await pool.close();
  });

  test('that is closed answers no call', async () => {
    const pool = workerPool({ ...options, task: 'self-test' });
    await pool.close();
    for (const worker of pool.workers) await expect(worker.call('run')).rejects.toMatchObject({ code: 'interrupted' });
  });
});
