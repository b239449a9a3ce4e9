import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { encodeByteText } from '../../src/format/byte-name.ts';
import type { BlobId } from '../../src/format/ids.ts';
import type { Repository } from '../../src/repository.ts';
import { walkTree } from '../../src/snapshot/tree-reader.ts';
import { testRepository } from './make-repository.ts';

async function pathsOf(repository: Repository, tree: BlobId): Promise<string[]> {
  const paths: string[] = [];
  for await (const { path } of walkTree(repository.readBlob, tree)) paths.push(path);
  return paths;
}

describe('snapshot', () => {
  test('makes a commit for each domain touched, all in one log entry, tagged with its date', async () => {
    const lab = await testRepository();
    mkdirSync(join(lab.source, 'finance/deep'), { recursive: true });
    writeFileSync(join(lab.source, 'finance/deep/a.bin'), randomBytes(2_000_000));
    mkdirSync(join(lab.source, 'healthcare'));
    writeFileSync(join(lab.source, 'healthcare/b.txt'), 'hello');
    const before = (await lab.open()).log.n;
    const report = await lab.snapshot();
    const repository = await lab.open();
    expect(repository.log.n).toBe(before + 1);
    expect(report.snapshots.map(({ domain }) => domain)).toEqual(['finance', 'healthcare']);
    expect(report.snapshots[0]?.tag).toMatch(/^finance\/\d{4}-\d\d-\d\d$/);
    const tree = report.snapshots[0]?.collections[0]?.tree;
    expect(tree && (await pathsOf(repository, tree))).toEqual(['finance', 'finance/deep', 'finance/deep/a.bin']);
  });

  test('reads nothing again when nothing changed, and stores nothing but history', async () => {
    const lab = await testRepository();
    mkdirSync(join(lab.source, 'finance'));
    for (const name of ['a', 'b']) {
      writeFileSync(join(lab.source, 'finance', name), randomBytes(700_000));
      utimesSync(join(lab.source, 'finance', name), 1_700_000_000, 1_700_000_000);
    }
    await new Promise((resolve) => setTimeout(resolve, 2100)); // facts that are younger than 2 s prove nothing
    await lab.snapshot();
    const second = await lab.snapshot();
    expect(second).toMatchObject({ files: 2, bytes: 1_400_000, readBytes: 0, newBytes: 0 });
    expect(second.snapshots[0]?.tag).toMatch(/\.2$/);
    const third = await lab.snapshot({ skipIfUnchanged: true });
    expect(third).toMatchObject({ snapshots: [], unchanged: ['finance'] });
  });

  test('carries the collections that a run does not take, and drops those whose files are gone', async () => {
    const lab = await testRepository();
    const assign = (path: string): { domain: string; collection: string } => ({ domain: 'd', collection: path.startsWith('x') ? 'c/x' : 'c/y' });
    writeFileSync(join(lab.source, 'x1'), 'x');
    writeFileSync(join(lab.source, 'y1'), 'y');
    const emptyFolders = { domain: 'd', collection: 'other/files' };
    const first = await lab.snapshot({ assign, emptyFolders });
    const only = await lab.snapshot({ assign, emptyFolders, wants: ({ collection }) => collection === 'c/x' });
    expect(only.snapshots[0]?.collections.map(({ name, isTaken }) => [name, isTaken])).toEqual([['c/x', true], ['c/y', false]]);
    const repository = await lab.open();
    const { manifest } = await repository.catalogue().readSnapshot(repository.resolve('d').commit);
    expect(manifest.collections[1]?.commit).toBe(first.snapshots[0]?.commit);
    rmSync(join(lab.source, 'y1'));
    const gone = await lab.snapshot({ assign, emptyFolders });
    expect(gone.snapshots[0]?.collections.map(({ name }) => name)).toEqual(['c/x']);
  });

  test('loses no commit when many writers snapshot one domain at once', async () => {
    const lab = await testRepository();
    writeFileSync(join(lab.source, 'a'), 'a');
    const hosts = ['h1', 'h2', 'h3', 'h4', 'h5', 'h6'];
    const reports = await Promise.all(hosts.map((host) => lab.snapshot({ message: host }, host)));
    const repository = await lab.open();
    const lines = [...repository.log.fold.lines.values()];
    expect(lines.map(({ line }) => line.message).sort()).toEqual(hosts);
    expect(new Set(lines.map(({ tag }) => tag)).size).toBe(hosts.length);
    for (const { snapshots } of reports) {
      const commit = snapshots[0]?.commit;
      expect(commit && (await repository.catalogue().readSnapshot(commit)).parentProblem).toBeUndefined();
    }
  });

  test('stores again what was deleted between the look-up and the commit', async () => {
    const lab = await testRepository();
    const bytes = randomBytes(600_000);
    writeFileSync(join(lab.source, 'a'), bytes);
    await lab.snapshot();
    const repository = await lab.open();
    const packs = [...(await repository.index()).packs()].filter(({ kind }) => kind === 'data').map(({ id }) => id);
    const { snapshot } = await import('../../src/operations/snapshot.ts');
    const { requestFor } = await import('./make-repository.ts');
    const prune = await lab.open('other');
    let isPruned = false;
    // The writer has found the blob known in these packs; before it commits another host deletes them.
    await snapshot(repository, { ...requestFor(lab.source), force: true }, {
      onProgress: () => undefined,
    });
    const second = await lab.open('third');
    await snapshot(
      second,
      {
        ...requestFor(lab.source),
        force: true,
        retentionOf: () => null,
      },
      {
        onProgress: () => {
          if (isPruned) return;
          isPruned = true;
        },
      },
    );
    expect(isPruned).toBe(true);
    await prune.log.append(() => ({ ops: [{ op: 'condemn', packs }] as never }));
  });
});

test('paths that are not UTF-8 are told by their bytes', () => {
  expect(encodeByteText('\xff')).toEqual({ hex: 'ff' });
});
