import { describe, expect, test } from 'vitest';
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

  test('that is closed answers no call', async () => {
    const pool = workerPool({ ...options, task: 'self-test' });
    await pool.close();
    for (const worker of pool.workers) await expect(worker.call('run')).rejects.toMatchObject({ code: 'interrupted' });
  });
});
