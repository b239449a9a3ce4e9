import { appendFileSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findHooks } from '../../src/hooks/find-hooks.ts';
import type { Hook } from '../../src/hooks/find-hooks.ts';
import { addTrust, describeHooks, readTrust, revokeTrust, trustOf, untrustedParts } from '../../src/hooks/trust.ts';
import type { HooksConfig } from '../../src/project/config.ts';
import { writeProgram } from './programs.ts';

let folder: string;
let root: string;
let state: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mbk-trust-'));
  root = join(folder, 'project');
  state = join(folder, 'state');
  mkdirSync(root);
});
afterEach(() => rmSync(folder, { recursive: true }));

const find = (config?: HooksConfig, path = process.env['PATH']): readonly Hook[] => findHooks({ root, config, path });
const untrusted = (config?: HooksConfig): readonly string[] =>
  untrustedParts(describeHooks(find(config), config, root), trustOf(state, root));
const trust = (config?: HooksConfig): void =>
  void addTrust(state, root, { plugins: null, ...describeHooks(find(config), config, root) }, new Date(0));

describe('the hooks of a project', () => {
  test('come from mbk.yaml, then from .mbk/hooks, in the order of events', () => {
    writeProgram(join(root, '.mbk/hooks/before-snapshot'), '');
    writeProgram(join(root, 'quiesce'), '');
    writeFileSync(join(root, '.mbk/hooks/README.md'), 'no hook');
    const config: HooksConfig = {
      'finally-snapshot': ['./quiesce', { program: 'sh', args: ['-c', 'true'], timeout: '2m', policy: 'ignore' }],
      'before-snapshot': { program: './quiesce' },
    };
    expect(find(config).map(({ event, name, policy, timeoutMs }) => [event, name, policy, timeoutMs])).toEqual([
      ['before-snapshot', './quiesce', 'error', 300_000],
      ['before-snapshot', '.mbk/hooks/before-snapshot', 'error', 300_000],
      ['finally-snapshot', './quiesce', 'warn', 300_000],
      ['finally-snapshot', 'sh -c true', 'ignore', 120_000],
    ]);
  });

  test('that cannot be run are told before anything is', () => {
    writeFileSync(join(root, 'plain'), '');
    for (const program of ['./plain', './absent', '.', './', 'surely-not-on-the-path']) {
      expect(() => find({ 'before-snapshot': program }), program).toThrow(/the before-snapshot hook .* (is|may)/);
    }
    writeProgram(join(root, '.mbk/hooks/before-snapshots'), '');
    expect(() => find()).toThrow(/named after no event/);
  });

  test('are never found by a relative entry of PATH', () => {
    writeProgram(join(root, 'bin/notify'), '');
    expect(() => find({ 'after-snapshot': 'notify' }, 'bin:.:')).toThrow(/is not on the PATH/);
  });
});

describe('trust', () => {
  const config: HooksConfig = { 'before-snapshot': { program: 'sh', args: ['hook.sh'] } };
  beforeEach(() => {
    writeFileSync(join(root, 'hook.sh'), 'true\n');
    writeProgram(join(root, '.mbk/hooks/after-snapshot'), 'true');
  });

  test('is not there before it was said, and holds for what was there then', () => {
    expect(untrusted(config)).toEqual(['nothing of this project is trusted yet']);
    trust(config);
    expect(untrusted(config)).toEqual([]);
  });

  test.each([
    ['a program', () => appendFileSync(join(root, '.mbk/hooks/after-snapshot'), 'false\n'), /after-snapshot changed$/],
    [
      'a file that an interpreter is handed',
      () => appendFileSync(join(root, 'hook.sh'), 'false\n'),
      /hook\.sh changed$/,
    ],
    ['a new program', () => writeProgram(join(root, '.mbk/hooks/failed-snapshot'), ''), /failed-snapshot is new$/],
  ])('ends when %s changes, until it is said again', (_, change, told) => {
    trust(config);
    change();
    expect(untrusted(config)).toEqual([expect.stringMatching(told)]);
    trust(config);
    expect(untrusted(config)).toEqual([]);
  });

  test('ends when mbk.yaml says something else about hooks', () => {
    trust(config);
    const other: HooksConfig = { 'before-snapshot': { program: 'sh', args: ['hook.sh', 'more'] } };
    expect(untrusted(other)).toEqual(['`hooks:` of mbk.yaml changed']);
  });

  test('does not go to another folder, however it is reached', () => {
    trust(config);
    symlinkSync(root, join(folder, 'link'));
    expect(trustOf(state, join(folder, 'link'))).toBeDefined();
    mkdirSync(join(folder, 'other'));
    expect(trustOf(state, join(folder, 'other'))).toBeUndefined();
  });

  test('is listed, and revoked, also when the folder is gone', () => {
    trust(config);
    expect(readTrust(state)).toMatchObject([{ project: root, trustedAt: '1970-01-01T00:00:00.000Z' }]);
    rmSync(root, { recursive: true });
    expect([revokeTrust(state, root), revokeTrust(state, root)]).toEqual([true, false]);
    expect(readTrust(state)).toEqual([]);
  });

  test('is kept where only this user can write, and never guessed from a damaged file', () => {
    trust(config);
    const file = join(state, 'trusted-projects.json');
    expect(statSync(file).mode & 0o077).toBe(0);
    for (const text of ['', '{}', '{"version":1,"projects":[{}]}']) {
      writeFileSync(file, text);
      expect(() => readTrust(state), text).toThrow(/is not understood/);
    }
  });
});
