import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readGitProvenance } from '../../src/project/git-provenance.ts';

const { signal } = new AbortController();
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mbk-provenance-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const env: NodeJS.ProcessEnv = { PATH: process.env['PATH'], HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1' };
const git = (...args: readonly string[]): string =>
  execFileSync('git', ['-C', folder, '-c', 'user.name=a', '-c', 'user.email=a@b', ...args], { env, encoding: 'utf8' });

function makeRepository(): string {
  git('init', '--quiet', '--initial-branch=main');
  writeFileSync(join(folder, 'model.bin'), 'first');
  git('add', '.');
  git('commit', '--quiet', '--message=first');
  return git('rev-parse', 'HEAD').trim();
}

describe('the Git commit of a source', () => {
  test('is told with its branch and whether tracked files differ', async () => {
    const commit = makeRepository();
    expect(await readGitProvenance(folder, { env, signal })).toEqual({ commit, branch: 'main', dirty: false });
    writeFileSync(join(folder, 'model.bin'), 'other');
    expect(await readGitProvenance(folder, { env, signal })).toEqual({ commit, branch: 'main', dirty: true });
  });

  test('is nothing outside of a working folder', async () => {
    expect(await readGitProvenance(folder, { env, signal })).toBeNull();
  });

  test.each([
    ['a file monitor', '[core]\n\tfsmonitor = "touch RAN; false"\n'],
    ['a filter', '[filter "evil"]\n\tclean = "touch RAN; cat"\n\trequired = true\n'],
    ['a filter with an odd name', '[filter "e=v.l"]\n\tclean = "touch RAN; cat"\n'],
    ['a filter process', '[filter "evil"]\n\tprocess = "touch RAN; cat"\n'],
  ])('starts no program that the folder names as %s', async (_, config) => {
    makeRepository();
    const ran = join(folder, 'ran');
    appendFileSync(join(folder, '.git/config'), config.replaceAll('RAN', ran));
    const name = config.includes('e=v.l') ? 'e=v.l' : 'evil';
    writeFileSync(join(folder, '.git/info/attributes'), `model.bin filter=${name}\n`);
    writeFileSync(join(folder, 'model.bin'), 'other');
    expect(await readGitProvenance(folder, { env, signal })).toMatchObject({ dirty: true });
    expect(existsSync(ran)).toBe(false);
  });
});
