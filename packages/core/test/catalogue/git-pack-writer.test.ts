import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { gitPackWriter } from '../../src/catalogue/git-pack-writer.ts';
import { utf8 } from '../../src/format/bytes.ts';
import { gitObjectId, type GitObject } from '../../src/format/catalogue-bundle.ts';

const git = spawnSync('git', ['--version']).status === 0;
const blob = (content: Uint8Array): GitObject => ({ id: gitObjectId('blob', content), type: 'blob', content });

describe('Git packs', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mbk-pack-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const runGit = (...args: string[]): string => {
    const run = spawnSync('git', args, { cwd: folder, encoding: 'utf8' });
    expect(run.stderr).toBe('');
    expect(run.status).toBe(0);
    return run.stdout;
  };

  test.skipIf(!git)('stock Git verifies packs of all sizes of objects', async () => {
    const pack = await gitPackWriter(folder);
    const sizes = [0, 1, 15, 16, 17, 2047, 2048, 70_000, 300_000, 3_000_000];
    for (const size of sizes) {
      await pack.add(blob(new Uint8Array(size).map((_, index) => (index * 7 + (index >> 8)) & 255)));
      await pack.add(blob(new Uint8Array(size).map((_, index) => (index * 7 + (index >> 8)) & 255)));
    }
    for (let index = 0; index < 600; index += 1) await pack.add(blob(utf8(`object ${index}`)));
    expect(await pack.finish()).toBe(sizes.length + 600);
    const [index, data] = (await readdir(folder)).toSorted();
    expect([index, data]).toEqual([
      expect.stringMatching(/^pack-[0-9a-f]{40}\.idx$/),
      expect.stringMatching(/\.pack$/),
    ]);
    const listed = runGit('verify-pack', '-v', join(folder, index ?? ''));
    expect(listed.match(/^[0-9a-f]{40} blob /gm)).toHaveLength(sizes.length + 600);
    // Git's own index of the same pack is the same, byte by byte.
    runGit('index-pack', '-o', 'own.idx', data ?? '');
    expect(spawnSync('cmp', ['own.idx', index ?? ''], { cwd: folder }).status).toBe(0);
  });

  test('without objects nothing stays behind, nor after giving up', async () => {
    expect(await (await gitPackWriter(folder)).finish()).toBe(0);
    const pack = await gitPackWriter(folder);
    await pack.add(blob(utf8('x')));
    await pack.abandon();
    expect(await readdir(folder)).toEqual([]);
  });

  test('what killed exports left is removed after a day, what a running one writes is not', async () => {
    await mkdir(join(folder, 'tmp_mbk_killed'));
    await mkdir(join(folder, 'tmp_mbk_running'));
    await utimes(join(folder, 'tmp_mbk_killed'), 1, 1);
    await (await gitPackWriter(folder)).finish();
    expect(await readdir(folder)).toEqual(['tmp_mbk_running']);
  });
});
