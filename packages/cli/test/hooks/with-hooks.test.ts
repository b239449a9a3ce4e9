import { MbkError } from '@mbk/core';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { withHooks } from '../../src/hooks/with-hooks.ts';
import type { Hook } from '../../src/hooks/find-hooks.ts';
import { shellHook } from './programs.ts';

let root: string;
beforeEach(() => void (root = mkdtempSync(join(tmpdir(), 'mbk-with-hooks-'))));
afterEach(() => rmSync(root, { recursive: true }));

const { signal } = new AbortController();

/** What the hooks said, what was told of their ends, and how it ended. */
async function around(
  hooks: readonly Hook[],
  work: () => Promise<{ result: unknown; exitCode: number }>,
): Promise<{ readonly said: readonly string[]; readonly problems: readonly string[]; readonly code: string }> {
  const said: string[] = [];
  const problems: string[] = [];
  const env = { PATH: process.env['PATH'] };
  const options = { operation: 'snapshot', hooks, root, env, facts: { host: 'lab-1' }, signal } as const;
  const now = (): Date => new Date(0);
  let code = 'done';
  try {
    await withHooks(
      {
        ...options,
        now,
        toJson: JSON.stringify,
        tell: ({ event }, told) => {
          if (told.what === 'output') said.push(`${event}: ${told.line}`);
          if (told.what === 'ended' && told.problem !== undefined) problems.push(`${event} ${told.problem}`);
        },
      },
      work,
    );
  } catch (error) {
    code = error instanceof MbkError ? error.code : String(error);
  }
  return { said, problems, code };
}

const all = ['before', 'after', 'failed', 'finally'] as const;
const speaking = all.map((phase) =>
  shellHook('echo "$MBK_HOOK_OUTCOME $MBK_HOOK_EXIT_CODE $MBK_HOOK_ERROR"', { event: `${phase}-snapshot` }),
);
const work = async (): Promise<{ result: unknown; exitCode: number }> =>
  Promise.resolve({ result: { files: 3 }, exitCode: 0 });

describe('hooks around work', () => {
  test('that goes well: before, after, finally', async () => {
    const { code, said } = await around(speaking, work);
    expect(said).toEqual(['before-snapshot:   ', 'after-snapshot: done 0 ', 'finally-snapshot: done 0 ']);
    expect(code).toBe('done');
  });

  test('that is not whole say so', async () => {
    const { said } = await around(speaking, async () => Promise.resolve({ result: null, exitCode: 3 }));
    expect(said[1]).toBe('after-snapshot: incomplete 3 ');
  });

  test('that fails: before, failed, finally, and its own error', async () => {
    const { code, said } = await around(speaking, async () => Promise.reject(new MbkError('backend-full', 'full')));
    const ending = 'failed 1 backend-full';
    expect(said.slice(1)).toEqual([`failed-snapshot: ${ending}`, `finally-snapshot: ${ending}`]);
    expect(code).toBe('backend-full');
  });

  test('may refuse it: nothing is done, and failed and finally run', async () => {
    let isDone = false;
    const refusing = [shellHook('exit 1'), shellHook('echo never'), ...speaking.slice(1)];
    const { code, said } = await around(refusing, async () => {
      isDone = true;
      return work();
    });
    expect({ isDone, code }).toEqual({ isDone: false, code: 'hook-refused' });
    expect(said).toEqual(['failed-snapshot: failed 1 hook-refused', 'finally-snapshot: failed 1 hook-refused']);
  });

  test.each(['warn', 'ignore'] as const)('cannot refuse it with the policy %s, and are told', async (policy) => {
    const { code, problems } = await around([shellHook('exit 1', { policy })], work);
    expect({ code, problems }).toEqual({ code: 'done', problems: ['before-snapshot ended with 1'] });
  });

  test('make the command fail after the work only with the policy error, and the others run all the same', async () => {
    const event = 'after-snapshot';
    const failing = (policy: Hook['policy']): Hook[] => [
      shellHook('exit 1', { event, policy }),
      shellHook('echo second', { event }),
      shellHook('echo last', { event: 'finally-snapshot' }),
    ];
    const said = ['after-snapshot: second', 'finally-snapshot: last'];
    expect(await around(failing('error'), work)).toMatchObject({ code: 'hook-failed', said });
    expect(await around(failing('warn'), work)).toMatchObject({ code: 'done', said });
  });

  test('never hide the error of the work', async () => {
    const event = 'failed-snapshot';
    const lost = async (): Promise<never> => Promise.reject(new MbkError('log-race-lost', 'lost'));
    expect(await around([shellHook('exit 1', { event })], lost)).toMatchObject({
      code: 'log-race-lost',
      problems: ['failed-snapshot ended with 1'],
    });
  });

  test('read a document', async () => {
    const { said } = await around([shellHook('cat', { event: 'after-snapshot' })], work);
    expect(JSON.parse(said[0]?.slice('after-snapshot: '.length) ?? '')).toEqual({
      schema: 1,
      event: 'after-snapshot',
      operation: 'snapshot',
      time: '1970-01-01T00:00:00.000Z',
      project: root,
      host: 'lab-1',
      outcome: 'done',
      exitCode: 0,
      result: { files: 3 },
      error: null,
    });
  });
});
