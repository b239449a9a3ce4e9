import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { findPaths, type FindProblem, type FindRequest, type FoundPath } from '../../src/operations/find-paths.ts';
import { testRepository, type TestRepository } from './make-repository.ts';

let lab: TestRepository;

const write = (path: string, text: string): void => {
  mkdirSync(join(lab.source, path, '..'), { recursive: true });
  writeFileSync(join(lab.source, path), text);
};

/** Three snapshots of `lab`: `x.bin` stays, `y.bin` changes once and goes. */
beforeEach(async () => {
  lab = await testRepository();
  write('lab/deep/x.bin', 'same');
  write('lab/deep/y.bin', 'one');
  write('lab/other/z.txt', 'z');
  await lab.snapshot();
  write('lab/deep/y.bin', 'two!');
  await lab.snapshot({ tag: 'v2' });
  rmSync(join(lab.source, 'lab/deep/y.bin'));
  await lab.snapshot();
});

async function find(
  request: FindRequest,
): Promise<{ readonly found: FoundPath[]; readonly problems: FindProblem[]; readonly heads: string[] }> {
  const repository = await lab.open();
  try {
    const problems: FindProblem[] = [];
    const found: FoundPath[] = [];
    for await (const one of findPaths(repository, request, { onProblem: (problem) => void problems.push(problem) }))
      found.push(one);
    const heads = ['lab', 'lab~1', 'lab~2'].map((revision) => repository.resolve(revision).commit);
    return { found, problems, heads };
  } finally {
    await repository.close();
  }
}

describe('find', () => {
  test('tells every snapshot that holds a path, the newest first', async () => {
    const { found, heads } = await find({ glob: 'y.bin' });
    expect(found.map(({ commit, path, size }) => [commit, path, size])).toEqual([
      [heads[1], 'lab/deep/y.bin', 4],
      [heads[2], 'lab/deep/y.bin', 3],
    ]);
    expect(found[0]).toMatchObject({ domain: 'lab', tags: expect.arrayContaining(['lab/v2']), type: 'file' });
  });

  test('tells each content once when asked', async () => {
    const { found, heads } = await find({ glob: '*.bin', isEachOnce: true });
    expect(found.map(({ commit, path }) => [commit, path])).toEqual([
      [heads[0], 'lab/deep/x.bin'],
      [heads[1], 'lab/deep/y.bin'],
      [heads[2], 'lab/deep/y.bin'],
    ]);
  });

  test('finds folders, and nothing in folders that cannot hold it', async () => {
    const { found } = await find({ glob: 'lab/*/', revision: 'lab' });
    expect(found.map(({ path, type }) => [path, type])).toEqual([
      ['lab/deep', 'directory'],
      ['lab/other', 'directory'],
    ]);
  });

  test('looks in one snapshot, or below a path of it', async () => {
    expect((await find({ glob: '*.bin', revision: 'lab~1' })).found).toHaveLength(2);
    expect((await find({ glob: '*', revision: 'lab~1:lab/other' })).found.map(({ path }) => path)).toEqual([
      'lab/other',
      'lab/other/z.txt',
    ]);
  });

  test('knows the domains', async () => {
    expect((await find({ glob: 'x.bin', domain: 'lab' })).found).toHaveLength(3);
    await expect(find({ glob: 'x.bin', domain: 'lib' })).rejects.toMatchObject({ code: 'revision-unknown' });
  });

  test('goes on over what is damaged, and tells it', async () => {
    const metas: string[] = [];
    for await (const { key } of lab.backend.list('meta/')) metas.push(key);
    for (const key of metas.slice(0, 1)) await lab.backend.delete(key);
    const { found, problems } = await find({ glob: 'x.bin' });
    expect(problems.length).toBeGreaterThan(0);
    expect(found.length + problems.length).toBeGreaterThanOrEqual(3);
  });
});
