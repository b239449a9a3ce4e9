import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const launcher = join(import.meta.dirname, '../../packages/cli/bin/mbk.js');
let folder: string;

beforeAll(() => {
  // A workspace whose Node is a program that says how it was called and ends with 7.
  folder = mkdtempSync(join(tmpdir(), 'mbk-launcher-'));
  mkdirSync(join(folder, 'node_modules/.bin'), { recursive: true });
  mkdirSync(join(folder, 'cli/bin'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'node_modules/.bin/node'), '#!/bin/sh\necho "started with $*"\nexit 7\n');
  chmodSync(join(folder, 'node_modules/.bin/node'), 0o755);
  copyFileSync(launcher, join(folder, 'cli/bin/mbk.js'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Starts a launcher in a Node that says it is `version`. */
function launch(
  file: string,
  version: string,
): { readonly code: number | null; readonly stdout: string; readonly stderr: string } {
  const pretend = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } });`;
  const args = ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`, file, '--version'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  return { code: status, stdout, stderr };
}

describe('the launcher', () => {
  test.each(['24.15.0', '24.99.1', '26.0.0', '31.2.0'])('runs mbk in Node %s itself', (version) => {
    expect(launch(launcher, version)).toMatchObject({ code: 0, stdout: expect.stringMatching(/^mbk \d/), stderr: '' });
  });

  test.each(['18.20.0', '20.0.0', '24.14.9', '25.9.0'])(
    'says in one sentence that Node %s is not enough',
    (version) => {
      expect(launch(launcher, version)).toEqual({
        code: 1,
        stdout: '',
        stderr: `mbk: this is Node ${version}; mbk needs Node 24.15 or a later 24, or Node 26 or later.\n`,
      });
    },
  );

  test('hands over to the Node of the workspace and ends as that ends', () => {
    const file = join(folder, 'cli/bin/mbk.js');
    expect(launch(file, '20.0.0')).toEqual({ code: 7, stdout: `started with ${file} --version\n`, stderr: '' });
  });

  test('gives long commands a heap that grows little and few arenas, unless others were asked for', () => {
    const show = `const flags = process.execArgv.filter((flag) => /semi-space|heap-growing/.test(flag));
      console.log([...flags, process.env.MALLOC_ARENA_MAX].join(' ').trim())`;
    const seen = (args: readonly string[], options = '', arenas?: string): string => {
      const file = join(folder, 'frugal', 'bin', 'mbk.js');
      mkdirSync(join(folder, 'frugal', 'bin'), { recursive: true });
      mkdirSync(join(folder, 'frugal', 'dist'), { recursive: true });
      copyFileSync(launcher, file);
      writeFileSync(join(folder, 'frugal', 'dist', 'main.js'), show);
      const env = { ...process.env, MALLOC_ARENA_MAX: arenas, NODE_OPTIONS: options };
      return spawnSync(process.execPath, [file, ...args], { encoding: 'utf8', env }).stdout.trim();
    };
    expect(seen(['snapshot', '-m', 'x'])).toBe('--max-semi-space-size=2 --heap-growing-percent=80 1');
    expect(seen(['verify'])).toBe('--max-semi-space-size=2 --heap-growing-percent=80 2');
    expect(seen(['snapshot'], '', '8')).toBe('--max-semi-space-size=2 --heap-growing-percent=80 8');
    expect(seen(['log'])).toBe('');
    expect(seen(['snapshot'], '--max-semi-space-size=16')).toBe('');
  });

  test('says how to build what is not built', () => {
    const { code, stderr } = launch(join(folder, 'cli/bin/mbk.js'), '24.15.0');
    expect(code).toBe(1);
    expect(stderr).toContain('not built yet');
  });
});
