import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runHook } from '../../src/hooks/run-hook.ts';
import type { HookOutcome } from '../../src/hooks/run-hook.ts';
import type { Hook } from '../../src/hooks/find-hooks.ts';
import { shellHook } from './programs.ts';

let root: string;
beforeEach(() => void (root = mkdtempSync(join(tmpdir(), 'mbk-hook-'))));
afterEach(() => rmSync(root, { recursive: true }));

async function run(
  hook: Hook,
  input = '{}\n',
  signal?: AbortSignal,
): Promise<HookOutcome & { readonly lines: readonly string[] }> {
  const lines: string[] = [];
  const env = { PATH: process.env['PATH'], SAID: 'yes' };
  const onLine = (line: string, stream: string): void => void lines.push(`${stream}: ${line}`);
  return { ...(await runHook(hook, { root, env, input, onLine, signal })), lines };
}

describe('a hook', () => {
  test('reads the document, sees its environment and nothing else, and works in the project', async () => {
    const ended = await run(shellHook('cat; pwd; echo "$SAID $HOME" >&2'), '{"a":1}\n');
    expect(ended).toMatchObject({ problem: undefined, exitCode: 0 });
    expect(ended.lines.filter((line) => line.startsWith('stdout'))).toEqual(['stdout: {"a":1}', `stdout: ${root}`]);
    expect(ended.lines).toContain('stderr: yes ');
  });

  test('that fails is told with its exit code or its signal', async () => {
    expect(await run(shellHook('exit 7'))).toMatchObject({ problem: 'ended with 7', exitCode: 7 });
    expect(await run(shellHook('kill -9 $$'))).toMatchObject({ problem: 'was ended by SIGKILL', exitCode: null });
    const { problem } = await run(shellHook('', { program: join(root, 'absent') }));
    expect(problem).toMatch(/^could not be started: /);
  });

  test('need not read what it is told', async () => {
    expect(await run(shellHook('exit 0'), 'x'.repeat(5_000_000))).toMatchObject({ problem: undefined });
  });

  test('that takes too long is ended with all that it started', async () => {
    const ended = await run(shellHook('(sleep 60; echo late) & echo $! > child; sleep 60', { timeoutMs: 200 }));
    expect(ended.problem).toBe('took longer than 0.2 s and was ended');
    const child = Number(readFileSync(join(root, 'child'), 'utf8'));
    await expect.poll(() => isAlive(child)).toBe(false);
  });

  test('does not keep mbk waiting for what it leaves in the background', async () => {
    const ended = await run(shellHook('sleep 600 & echo $! > child; echo done'));
    expect(ended).toMatchObject({ problem: undefined, lines: ['stdout: done'] });
    const child = Number(readFileSync(join(root, 'child'), 'utf8'));
    expect(isAlive(child)).toBe(true);
    process.kill(child, 'SIGKILL');
  });

  test('ends with mbk', async () => {
    const stop = new AbortController();
    const reason = new Error('stop');
    const running = run(shellHook('sleep 60'), '', stop.signal);
    setImmediate(() => stop.abort(reason));
    await expect(running).rejects.toBe(reason);
  });

  test('cannot make mbk hold a line without an end', async () => {
    const { lines } = await run(shellHook('head -c 10000 /dev/zero | tr "\\0" x'));
    expect(lines.map((line) => line.length)).toEqual([8 + 4096, 8 + 4096, 8 + 10_000 - 2 * 4096]);
  });
});

/** Whether the process runs; one that has ended and was not waited for does not. */
function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}
