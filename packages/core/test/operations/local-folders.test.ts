import { mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { localBackend } from '../../src/backend/local.ts';
import { memoryBackend } from '../../src/backend/memory.ts';
import { MbkError } from '../../src/errors.ts';
import { snapshot } from '../../src/operations/snapshot.ts';
import type { Repository } from '../../src/repository.ts';
import { requestFor, temporaryFolder, testRepository, type TestRepository } from './make-repository.ts';

/** Puts a file where a folder should be: nothing can be read or written below it, also by root. */
function block(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  writeFileSync(folder, '');
}

async function expectWhole(lab: TestRepository, repository: Repository, commits: number): Promise<void> {
  const reader = await lab.open('reader');
  expect(reader.log.fold.lines.length).toBe(commits);
  expect(reader.log.n).toBe(repository.log.n);
}

describe('a host whose own folders cannot be used', () => {
  test('takes snapshots without a cache', async () => {
    const lab = await testRepository();
    writeFileSync(join(lab.source, 'a'), 'a');
    mkdirSync(join(lab.folder, 'host'));
    block(join(lab.folder, 'host/cache'));
    const repository = await lab.open();
    await snapshot(repository, requestFor(lab.source));
    expect(repository.notices).toEqual([expect.stringContaining('host/cache')]);
    await expectWhole(lab, repository, 1);
  });

  test('takes a snapshot when its state folder fails on the way, and says what that costs', async () => {
    const lab = await testRepository();
    writeFileSync(join(lab.source, 'a'), 'a');
    const repository = await lab.open();
    block(join(lab.folder, 'host/state'));
    const report = await snapshot(repository, requestFor(lab.source));
    expect(report.snapshots).toHaveLength(1);
    expect(report.statCacheProblem).toContain('stat cache');
    expect(repository.notices).toEqual([
      expect.stringContaining('the pack journal'),
      expect.stringContaining('rolled back from here on would not be noticed'),
    ]);
    await expectWhole(lab, repository, 1);
  });

  test('takes a snapshot when another host appended meanwhile as well', async () => {
    const lab = await testRepository();
    writeFileSync(join(lab.source, 'a'), 'a');
    const repository = await lab.open();
    await lab.snapshot({}, 'other');
    block(join(lab.folder, 'host/state'));
    await snapshot(repository, requestFor(lab.source));
    await expectWhole(lab, repository, 2);
  });
});

describe('what killed puts left in the storage', () => {
  test('is swept by the next snapshot once it is a day old by the clock of the storage', async () => {
    const folder = join(temporaryFolder(), 'repository');
    const lab = await testRepository(localBackend(folder));
    writeFileSync(join(lab.source, 'a'), 'a');
    const [old, young] = ['a'.repeat(32), 'b'.repeat(32)];
    for (const name of [old, young]) writeFileSync(join(folder, 'tmp', name), 'a part of a pack');
    const yesterday = Date.now() / 1000 - 86_500;
    utimesSync(join(folder, 'tmp', old), yesterday, yesterday);
    await lab.snapshot();
    expect(readdirSync(join(folder, 'tmp'))).toEqual([young]);
  });

  test('stays when it cannot be swept, and the snapshot goes on', async () => {
    const sweepTemporaries = (): Promise<number> => Promise.reject(new MbkError('backend-denied', 'no access to tmp'));
    const lab = await testRepository({ ...memoryBackend(), sweepTemporaries });
    writeFileSync(join(lab.source, 'a'), 'a');
    const repository = await lab.open();
    expect((await snapshot(repository, requestFor(lab.source))).snapshots).toHaveLength(1);
    expect(repository.notices).toEqual([expect.stringContaining('no access to tmp')]);
  });
});
