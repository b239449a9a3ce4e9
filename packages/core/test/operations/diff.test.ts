import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ByteText } from '../../src/format/byte-name.ts';
import { diffSnapshots, type DiffReport } from '../../src/operations/diff.ts';
import { testRepository, type TestRepository } from './make-repository.ts';

const one = {
  assign: (path: string) => ({ domain: 'lab', collection: path.endsWith('.cfg') ? 'configs/all' : 'data/all' }),
  emptyFolders: { domain: 'lab', collection: 'data/all' },
};

async function diff(
  lab: TestRepository,
  before: string,
  after?: string,
  paths: readonly string[] = [],
): Promise<DiffReport> {
  const repository = await lab.open();
  const folder = {
    root: Buffer.from(lab.source).toString('latin1'),
    isPart: (path: string) => !path.startsWith('elsewhere'),
  };
  return diffSnapshots(repository, { before, after: after ?? folder, paths });
}

const text = (path: ByteText): string => (typeof path === 'string' ? path : path.hex);
const lines = ({ differences }: DiffReport): string[] =>
  differences.map(
    ({ kind, path, from, type }) => `${kind} ${type} ${text(path)}${from === null ? '' : ` from ${text(from)}`}`,
  );

/** A source, a snapshot of it, and then every kind of change. */
async function changedLab(): Promise<TestRepository> {
  const lab = await testRepository();
  const at = (name: string): string => join(lab.source, name);
  mkdirSync(at('deep/er'), { recursive: true });
  for (const name of ['same', 'changed', 'gone', 'touched', 'deep/moved', 'deep/same.cfg', 'becomes-link', 'a-b'])
    writeFileSync(at(name), `${name} ${randomBytes(4).toString('hex')}`);
  mkdirSync(at('a'));
  writeFileSync(at('a/z'), 'z');
  symlinkSync('same', at('link'));
  for (const name of ['same', 'changed', 'touched', 'deep/moved']) utimesSync(at(name), 1_700_000_000, 1_700_000_000);
  await lab.snapshot(one);
  writeFileSync(at('changed'), 'CHANGED and longer');
  rmSync(at('gone'));
  utimesSync(at('touched'), 1_700_000_001, 1_700_000_001);
  renameSync(at('deep/moved'), at('new-name'));
  rmSync(at('becomes-link'));
  symlinkSync('same', at('becomes-link'));
  rmSync(at('link'));
  symlinkSync('changed', at('link'));
  writeFileSync(at('deep/added'), 'added');
  chmodSync(at('a-b'), 0o600);
  mkdirSync(at('elsewhere'));
  writeFileSync(at('elsewhere/file'), 'of another domain');
  return lab;
}

const expected = [
  'metadata file a-b',
  'removed file becomes-link',
  'added symlink becomes-link',
  'modified file changed',
  'added file deep/added',
  'removed file gone',
  'modified symlink link',
  'moved file new-name from deep/moved',
  'metadata file touched',
];

describe('diff', () => {
  test('tells what was added, removed, modified, moved or only touched since a snapshot', async () => {
    const lab = await changedLab();
    const report = await diff(lab, 'lab');
    expect(lines(report)).toEqual(expected);
    expect(report).toMatchObject({
      added: 2,
      removed: 2,
      modified: 2,
      metadata: 2,
      moved: 1,
      after: null,
      problems: [],
      bytesAdded: 23,
    });
  });

  test('between two snapshots it tells the same', async () => {
    const lab = await changedLab();
    rmSync(join(lab.source, 'elsewhere'), { recursive: true });
    await lab.snapshot(one);
    expect(lines(await diff(lab, 'lab~1', 'lab'))).toEqual(expected);
    expect(lines(await diff(lab, 'lab'))).toEqual([]);
    expect(lines(await diff(lab, 'lab~1', 'lab', ['deep']))).toEqual([
      'added file deep/added',
      'removed file deep/moved',
    ]);
  });

  test('a revision with a path compares folders or files', async () => {
    const lab = await changedLab();
    await lab.snapshot(one);
    expect(lines(await diff(lab, 'lab~1:deep', 'lab:deep'))).toEqual(['added file added', 'removed file moved']);
    expect(lines(await diff(lab, 'lab~1:changed', 'lab:changed'))).toEqual(['modified file changed']);
    await expect(diff(lab, 'lab~1:changed', 'lab:deep')).rejects.toMatchObject({ code: 'usage-invalid' });
  });

  test('a file that only went to another collection is no difference', async () => {
    const lab = await testRepository();
    mkdirSync(join(lab.source, 'x'));
    writeFileSync(join(lab.source, 'x/a'), 'a');
    await lab.snapshot(one);
    await lab.snapshot({ ...one, assign: () => ({ domain: 'lab', collection: 'models/all' }) });
    expect(lines(await diff(lab, 'lab~1', 'lab'))).toEqual([]);
  });

  test('a file of the same size and another time is read', async () => {
    const lab = await testRepository();
    writeFileSync(join(lab.source, 'a'), 'one');
    await lab.snapshot(one);
    writeFileSync(join(lab.source, 'a'), 'two');
    utimesSync(join(lab.source, 'a'), 1_700_000_000, 1_700_000_000);
    expect(lines(await diff(lab, 'lab'))).toEqual(['modified file a']);
    writeFileSync(join(lab.source, 'a'), 'one');
    expect(lines(await diff(lab, 'lab'))).toEqual(['metadata file a']);
  });
});
