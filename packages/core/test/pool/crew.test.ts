import { describe, expect, test } from 'vitest';
import { MbkError } from '../../src/errors.ts';
import { crew, type Crew } from '../../src/pool/crew.ts';
import { selfTestTask } from '../../src/operations/known-answers.ts';

function selfTestCrew(jobs: number, signal?: AbortSignal): Crew {
  return crew({ task: 'self-test', handlers: () => selfTestTask(), setup: null, jobs, signal });
}

describe.each([1, 2])('a crew for %i jobs', (jobs) => {
  test('does the same job, whether its threads were started or not', async () => {
    const workers = selfTestCrew(jobs);
    expect(workers.size).toBe(1);
    const before = await workers.run('run', undefined);
    workers.start();
    workers.start();
    expect(workers.size).toBe(jobs);
    expect(await Promise.all([workers.run('run', undefined), workers.run('run', undefined)])).toEqual([before, before]);
    expect(await workers.run('run', undefined, { place: workers.place() })).toEqual(before);
    await expect(workers.run('none', undefined)).rejects.toThrow('none');
    await workers.close();
  });

  test('that is interrupted does no job', async () => {
    const controller = new AbortController();
    const workers = selfTestCrew(jobs, controller.signal);
    workers.start();
    const running = workers.run('run', undefined);
    controller.abort(new Error('enough'));
    await expect(running).rejects.toMatchObject({ code: 'interrupted' });
    await expect(workers.run('run', undefined)).rejects.toBeInstanceOf(MbkError);
    await workers.close();
  });
});
