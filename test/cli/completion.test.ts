import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commandTable } from '../../packages/cli/src/commands.ts';
import { completionScripts } from '../../packages/cli/src/completion-scripts.ts';
import { waysToRun } from '../run-program.ts';
import { commandLab, type CommandLab } from './command-calls.ts';

let lab: CommandLab;
beforeAll(async () => void (lab = await commandLab()));
afterAll(() => rmSync(lab.folder, { recursive: true, force: true }));

/** Without a key: nothing is opened. */
async function completions(...words: readonly string[]): Promise<string[]> {
  const { code, stdout, stderr } = await lab.run(['__complete', '--', ...words], { MBK_KEY_FILE: undefined });
  expect([code, stderr]).toEqual([0, '']);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t', 1)[0] ?? '');
}

describe('the word at the cursor', () => {
  test('is a command, or the next word of one', async () => {
    const first = [...new Set(Object.keys(commandTable).map((verb) => verb.split(' ')[0] ?? ''))];
    expect((await completions('')).toSorted()).toEqual(first.toSorted());
    expect(await completions('che')).toEqual(['checkout']);
    expect(await completions('key', '')).toEqual(['add', 'list', 'remove']);
  });

  test('is a flag that is not there yet, or its value', async () => {
    expect(await completions('checkout', 'lab', '--over')).toEqual(['--overwrite']);
    expect(await completions('checkout', '--verify', '--ver')).toEqual([]);
    expect(await completions('checkout', 'lab', '--overwrite', '')).toEqual(['never', 'newer', 'always']);
    expect(await completions('log', '--domain', '')).toEqual(['lab', 'system']);
    expect(await completions('checkout', 'lab', '--to', '')).toEqual([':files']);
  });

  test('is a domain or a tag that this host has seen', async () => {
    const names = await completions('checkout', '');
    expect(names.slice(0, 2)).toEqual(['lab', 'system']);
    expect(names.filter((name) => name.startsWith('lab/')).length).toBe(2);
    expect(await completions('diff', 'lab', 'sys')).toContain('system');
    expect(await completions('usage', '')).toEqual(['lab', 'system']);
    expect(await completions('show', '--json', 'la')).toContain('lab');
    expect((await completions('tag', '--delete', '')).every((name) => name.includes('/'))).toBe(true);
  });

  test('is a file where files belong, and nothing where there is no repository', async () => {
    expect(await completions('snapshot', '')).toEqual([':files']);
    expect(await completions('checkout', '--repo', join(lab.folder, 'nowhere'), '')).toEqual([':files']);
  });
});

/** What runs in a shell that finds mbk; undefined where the shell is not installed. */
function inShell(shell: string, script: string): string | undefined {
  const bin = join(lab.folder, 'bin');
  mkdirSync(bin, { recursive: true });
  const program = waysToRun.source.map((word) => `'${word}'`).join(' ');
  writeFileSync(join(bin, 'mbk'), `#!/bin/sh\nexec ${program} "$@"\n`);
  chmodSync(join(bin, 'mbk'), 0o755);
  const { error, status, stdout, stderr } = spawnSync(shell, ['-c', script], {
    encoding: 'utf8',
    cwd: lab.project,
    env: { ...process.env, ...lab.env, HOME: lab.folder, PATH: `${bin}:${process.env['PATH']}` },
  });
  if (error !== undefined) return undefined;
  expect([status, stderr]).toEqual([0, '']);
  return stdout;
}

test('bash completes with the script', () => {
  const script = `${completionScripts['bash']}
COMP_WORDS=(mbk checkout lab --overwrite n); COMP_CWORD=4; _mbk; printf '%s\\n' "\${COMPREPLY[@]}"`;
  expect(inShell('bash', script)).toBe('never\nnewer\n');
});

test('fish completes with the script', (context) => {
  const stdout = inShell('fish', `${completionScripts['fish']}\ncomplete -C 'mbk checkout lab --overwrite n'`);
  if (stdout === undefined) return context.skip('fish is not installed');
  expect(stdout).toBe('never\nnewer\n');
});

test.for(Object.keys(completionScripts))('the script for %s is one that the shell can read', (shell, context) => {
  const file = join(lab.folder, `completion.${shell}`);
  writeFileSync(file, completionScripts[shell] ?? '');
  const { error, status, stderr } = spawnSync(shell, ['-n', file], { encoding: 'utf8' });
  if (error !== undefined) return context.skip(`${shell} is not installed`);
  expect([status, stderr]).toEqual([0, '']);
});
