import { describe, expect, test } from 'vitest';
import { freeTag, occasionOf } from '../../src/git-hooks/hook-occasion.ts';
import type { HookCall } from '../../src/git-hooks/hook-occasion.ts';

const head = 'a1'.repeat(20);
const other = 'b2'.repeat(20);
const zeros = '0'.repeat(40);
const call = (more: Partial<HookCall>): HookCall => ({ args: [], input: '', head, branch: 'main', ...more });
const push = (lines: readonly string[], remote = 'origin'): ReturnType<typeof occasionOf> =>
  occasionOf('pre-push', call({ args: [remote, 'url'], input: lines.map((line) => `${line}\n`).join('') }));

describe('a push', () => {
  test('is named after the commit that is pushed, also when nothing changed', () => {
    expect(push([`refs/heads/main ${head} refs/heads/main ${zeros}`])).toEqual({
      message: 'before a push of main (a1a1a1a1a1a1) to origin',
      tag: 'deploy-a1a1a1a1a1a1',
      commit: head,
      always: true,
    });
  });

  test('of several refs is named after the one that is checked out, else after the first', () => {
    const lines = [`refs/tags/v1 ${other} refs/tags/v1 ${zeros}`, `refs/heads/main ${head} refs/heads/main ${zeros}`];
    expect(push(lines)).toMatchObject({ commit: head, message: expect.stringContaining('main and 1 more') as string });
    expect(push([lines[0] ?? ''])).toMatchObject({ tag: 'deploy-b2b2b2b2b2b2' });
  });

  test('that only deletes needs no snapshot', () => {
    expect(push([`(delete) ${zeros} refs/heads/old ${other}`])).toBeUndefined();
    expect(push([])).toBeUndefined();
  });

  test('to a URL does not tell its password', () => {
    const occasion = push([`refs/heads/main ${head} refs/heads/main ${zeros}`], 'https://host:secret@host/lab.git');
    expect(occasion?.message).toBe('before a push of main (a1a1a1a1a1a1) to https://host/lab.git');
  });
});

test('commits, merges and checkouts make no snapshot when nothing changed', () => {
  expect(occasionOf('pre-commit', call({ head: undefined }))).toMatchObject({ tag: undefined, always: false });
  expect(occasionOf('post-merge', call({ args: ['0'] }))).toMatchObject({ tag: 'merge-a1a1a1a1a1a1', always: false });
  expect(occasionOf('post-checkout', call({ args: [other, head, '1'], branch: undefined }))).toMatchObject({
    message: 'after a checkout of a detached HEAD',
    always: false,
  });
  expect(occasionOf('post-checkout', call({ args: [head, head, '0'] }))).toBeUndefined();
});

test('a commit that is deployed again gets a number', () => {
  expect(freeTag('deploy-1', ['a/deploy-12', 'b/2026-01-01'])).toBe('deploy-1');
  expect(freeTag('deploy-1', ['a/deploy-1', 'b/deploy-1.2'])).toBe('deploy-1.3');
});
