import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { initRepository, keyFileText, MbkError } from '@mbk/core';
import { describe, expect, test } from 'vitest';
import { readEnvironment } from '../src/environment.ts';
import {
  findProject,
  findRepository,
  makeBackend,
  random,
  repositoryFolder,
  tryKeys,
  withRepository,
} from '../src/open.ts';
import { makeOutput } from '../src/output.ts';

const folder = mkdtempSync(join(tmpdir(), 'mbk-open-'));
const project = join(folder, 'project');
const inside = join(project, 'models', 'gguf');
mkdirSync(inside, { recursive: true });
writeFileSync(join(project, 'mbk.yaml'), 'repository: ../store\n');
const nameless = join(folder, 'nameless');
mkdirSync(nameless);
writeFileSync(join(nameless, 'mbk.yaml'), 'domains: []\n');

const find = (cwd: string, env: NodeJS.ProcessEnv = {}, repo?: string) =>
  findRepository({ repo, environment: readEnvironment(env), cwd });

describe('the repository that is meant', () => {
  test('is the one that --repo names, then MBK_REPOSITORY, then that of the nearest mbk.yaml', async () => {
    expect(await find(inside, { MBK_REPOSITORY: 'b' }, 'a')).toBe(join(inside, 'a'));
    expect(await find(inside, { MBK_REPOSITORY: '/srv/b' })).toBe('/srv/b');
    expect(await find(inside)).toBe(join(folder, 'store'));
  });

  test('is that of MBK_CONFIG, relative to that file, wherever one is', async () => {
    expect(await find(folder, { MBK_CONFIG: 'project/mbk.yaml' })).toBe(join(folder, 'store'));
    expect(await find(inside, { MBK_CONFIG: join(project, 'mbk.yaml') })).toBe(join(folder, 'store'));
    await expect(find(folder, { MBK_CONFIG: 'absent.yaml' })).rejects.toMatchObject({ code: 'config-invalid' });
  });

  test('is nowhere when nobody names it', async () => {
    await expect(find('/')).rejects.toMatchObject({ code: 'repository-unnamed', exitCode: 2 });
    await expect(find(nameless)).rejects.toMatchObject({
      code: 'repository-unnamed',
      remedy: expect.stringContaining(join(nameless, 'mbk.yaml')),
    });
    expect(await findProject({}, '/')).toBeUndefined();
  });

  test.each(['s3:bucket/path', 'sftp:host:/x', 'https://host/repo', 'file:///srv/x', ''])('%j is no folder', (text) => {
    expect(() => repositoryFolder(text, '/base')).toThrow(expect.objectContaining({ code: 'usage-invalid' }));
  });

  test.each([
    ['./s3:bucket', '/base/s3:bucket'],
    ['../up', '/up'],
    ['/abs', '/abs'],
  ])('%j is the folder %s', (text, path) => {
    expect(repositoryFolder(text, '/base')).toBe(path);
  });
});

test('a log that does not have the place of MBK_EXPECT_HEAD was rolled back', async () => {
  const store = join(folder, 'expected');
  const key = random(32);
  const keyFile = join(folder, 'key');
  writeFileSync(keyFile, keyFileText(key), { mode: 0o600 });
  await initRepository({
    backend: makeBackend(store),
    secret: { kind: 'key-file', key },
    name: 'key',
    recovery: false,
    timezone: 'UTC',
    random,
    tool: 'mbk test',
  });
  const placeOf = (state: string, more: NodeJS.ProcessEnv): Promise<string> => {
    const env = {
      MBK_KEY_FILE: keyFile,
      MBK_CACHE_DIR: join(folder, 'c'),
      MBK_STATE_DIR: join(folder, state),
      ...more,
    };
    const out = makeOutput({ json: true }, process);
    const { signal } = new AbortController();
    const context = { repo: store, environment: readEnvironment(env), env, cwd: folder, out, signal };
    return withRepository(context, ({ log }) => `${log.n}:${log.hash}`);
  };
  const place = await placeOf('a', {});
  expect(await placeOf('b', { MBK_EXPECT_HEAD: place })).toBe(place);
  await expect(placeOf('c', { MBK_EXPECT_HEAD: `2:${'0'.repeat(64)}` })).rejects.toMatchObject({
    code: 'log-rolled-back',
  });
});

describe('a person who types the passphrase', () => {
  /** Fails with these errors, one a try, then opens; tells which tries were the first. */
  const opening = (...errors: readonly MbkError[]) => {
    const left = [...errors];
    const firsts: boolean[] = [];
    const open = async (isFirst: boolean): Promise<string> => {
      firsts.push(isFirst);
      const error = left.shift();
      if (error !== undefined) throw error;
      return 'opened';
    };
    return { open, firsts };
  };
  const wrong = new MbkError('secret-wrong', 'wrong passphrase');

  test('is asked again after a wrong one, and told so', async () => {
    const { open, firsts } = opening(wrong, wrong);
    const told: string[] = [];
    expect(await tryKeys(open, ({ message }) => void told.push(message))).toBe('opened');
    expect(firsts).toEqual([true, false, false]);
    expect(told).toEqual(['wrong passphrase', 'wrong passphrase']);
  });

  test('is asked three times', async () => {
    const { open, firsts } = opening(wrong, wrong, wrong);
    await expect(tryKeys(open, () => undefined)).rejects.toBe(wrong);
    expect(firsts).toHaveLength(3);
  });

  test('is not asked again when something else is wrong', async () => {
    const damaged = new MbkError('slot-damaged', 'both copies are damaged');
    const { open, firsts } = opening(damaged);
    await expect(tryKeys(open, () => undefined)).rejects.toBe(damaged);
    expect(firsts).toHaveLength(1);
  });
});
