import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs, {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { MbkError } from '../../src/errors.ts';
import { packKey } from '../../src/format/ids.ts';
import {
  executeCheckout,
  planCheckout,
  type CheckoutPlan,
  type CheckoutReport,
  type CheckoutRequest,
} from '../../src/operations/checkout.ts';
import type { Repository } from '../../src/repository.ts';
import { findEntry } from '../../src/snapshot/tree-reader.ts';
import { temporaryFolder, testRepository, type TestRepository } from './make-repository.ts';

const isRoot = process.getuid?.() === 0;

function requestWith(revision: string, target: string, request: Partial<CheckoutRequest> = {}): CheckoutRequest {
  return { revision, paths: [], target: Buffer.from(target).toString('latin1'), owners: isRoot, ...request };
}

async function checkoutWith(
  lab: TestRepository,
  revision: string,
  target: string,
  request: Partial<CheckoutRequest> = {},
): Promise<CheckoutReport> {
  const repository = await lab.open();
  try {
    await planCheckout(repository, requestWith(revision, target, request));
    return await executeCheckout(repository, requestWith(revision, target, request));
  } finally {
    await repository.close();
  }
}

async function plan(
  lab: TestRepository,
  revision: string,
  target: string,
  request: Partial<CheckoutRequest> = {},
): Promise<CheckoutPlan> {
  return planCheckout(await lab.open(), requestWith(revision, target, request));
}

/** Everything of a tree that a checkout must bring back, by path; bytes and link targets are compared by `diff`. */
function facts(root: string, at = '', rows: Record<string, string> = {}): Record<string, string> {
  const folder = `${Buffer.from(root).toString('latin1')}${at}`;
  for (const name of readdirSync(Buffer.from(folder, 'latin1'), { encoding: 'latin1' })) {
    const path = `${at}/${name}`;
    const stats = lstatSync(Buffer.from(`${folder}/${name}`, 'latin1'));
    const kind = stats.isFile() ? `file ${stats.size} ${stats.nlink}` : stats.isDirectory() ? 'folder' : 'link';
    // Times are good to a microsecond.
    rows[path] = `${kind} ${stats.mode.toString(8)} ${stats.uid}:${stats.gid} ${Math.round(stats.mtimeMs * 100)}`;
    if (stats.isDirectory()) facts(root, path, rows);
  }
  return rows;
}

function expectSame(a: string, b: string): void {
  const diff = spawnSync('diff', ['-r', '--no-dereference', a, b], { encoding: 'utf8' });
  expect(diff.stdout + diff.stderr).toBe('');
  expect(facts(b)).toEqual(facts(a));
}

/** All in one domain and collection, so that one revision is the whole source. */
const one = {
  assign: () => ({ domain: 'lab', collection: 'data/all' }),
  emptyFolders: { domain: 'lab', collection: 'data/all' },
};

async function hostileLab(): Promise<TestRepository> {
  const lab = await testRepository();
  const { source } = lab;
  mkdirSync(join(source, 'deep/er/empty'), { recursive: true });
  writeFileSync(join(source, 'model.bin'), randomBytes(3_500_000));
  writeFileSync(join(source, 'deep/notes.txt'), 'alpha', { mode: 0o640 });
  writeFileSync(join(source, 'deep/empty-file'), '');
  writeFileSync(join(source, 'sparse'), randomBytes(300_000));
  truncateSync(join(source, 'sparse'), 40_000_000);
  writeFileSync(join(source, 'zeros'), Buffer.alloc(700_000));
  linkSync(join(source, 'deep/notes.txt'), join(source, 'deep/er/same'));
  linkSync(join(source, 'deep/notes.txt'), join(source, 'aaa-first'));
  symlinkSync('/nowhere/at/all', join(source, 'dangling'));
  symlinkSync('loop', join(source, 'loop'));
  symlinkSync('..', join(source, 'deep/up'));
  for (const name of ['line\nbreak', '-dash', '%41', '..x', 'x'.repeat(255), 'ünï', '\\back'])
    writeFileSync(join(source, name), name);
  writeFileSync(Buffer.concat([Buffer.from(`${source}/`), Buffer.from([0xff, 0xfe])]), 'not text');
  for (let i = 0; i < 200; i += 1) writeFileSync(join(source, 'deep', `small-${i}`), `small ${i % 50}`);
  chmodSync(join(source, 'deep/er'), 0o500);
  utimesSync(join(source, 'model.bin'), 1_600_000_000.123456, 1_600_000_000.123456);
  utimesSync(join(source, 'deep'), '0', '-1.5'); // a negative number would set the current time
  return lab;
}

/** Whether threads work is to make no difference. */
const ways = [
  ['on one thread', { jobs: 1 }],
  ['on threads', { jobs: 2, threadsFrom: 0 }],
] as const;

describe.each(ways)('checkout, %s,', (_, way) => {
  const checkout = (...[lab, revision, target, request]: Parameters<typeof checkoutWith>): Promise<CheckoutReport> =>
    checkoutWith(lab, revision, target, { ...way, ...request });
  const requestOf = (...[revision, target, request]: Parameters<typeof requestWith>): CheckoutRequest =>
    requestWith(revision, target, { ...way, ...request });

  test('brings everything back: bytes, names, links, holes, modes, owners and times', async () => {
    const lab = await hostileLab();
    await lab.snapshot(one);
    const target = join(temporaryFolder(), 'out');
    const report = await checkout(lab, 'lab', target, { verify: true });
    expect(report).toMatchObject({ damaged: 0, refused: 0, failures: [], factProblems: [], kept: 0, links: 2 });
    expect(report.verified).toBe(report.files);
    expectSame(lab.source, target);
    expect(statSync(join(target, 'sparse')).blocks * 512).toBeLessThan(2_000_000);
    expect(statSync(join(target, 'aaa-first')).ino).toBe(statSync(join(target, 'deep/er/same')).ino);
    chmodSync(join(lab.source, 'deep/er'), 0o700);
    chmodSync(join(target, 'deep/er'), 0o700);
  });

  test('each revision is what the source was then', async () => {
    const lab = await testRepository();
    writeFileSync(join(lab.source, 'a'), 'one');
    writeFileSync(join(lab.source, 'gone'), 'gone');
    await lab.snapshot(one);
    execFileSync('cp', ['-a', lab.source, `${lab.folder}/first`]);
    writeFileSync(join(lab.source, 'a'), 'two!');
    rmSync(join(lab.source, 'gone'));
    await lab.snapshot(one);
    await checkout(lab, 'lab~1', join(lab.folder, 'out1'));
    await checkout(lab, 'lab', join(lab.folder, 'out2'));
    expectSame(`${lab.folder}/first`, join(lab.folder, 'out1'));
    expectSame(lab.source, join(lab.folder, 'out2'));
  });

  test('collections are laid over each other, folders that they share once', async () => {
    const lab = await testRepository();
    mkdirSync(join(lab.source, 'x'));
    writeFileSync(join(lab.source, 'x/model'), 'm');
    writeFileSync(join(lab.source, 'x/config'), 'c');
    await lab.snapshot({
      ...one,
      assign: (path) => ({ domain: 'lab', collection: path.endsWith('model') ? 'models/all' : 'configs/all' }),
    });
    const target = join(lab.folder, 'out');
    expect(await checkout(lab, 'lab', target)).toMatchObject({ files: 2, directories: 1 });
    expectSame(lab.source, target);
  });

  test('a folder in the revision becomes the target; paths keep their place', async () => {
    const lab = await hostileLab();
    await lab.snapshot(one);
    const part = join(lab.folder, 'part');
    expect(await checkout(lab, 'lab:deep', part)).toMatchObject({ links: 1, damaged: 0 });
    expectSame(join(lab.source, 'deep/er/empty'), join(part, 'er/empty'));
    expect(
      spawnSync('diff', ['-r', '--no-dereference', join(lab.source, 'deep'), part], { encoding: 'utf8' }).stdout,
    ).toBe('');
    const some = join(lab.folder, 'some');
    await checkout(lab, 'lab', some, { paths: ['deep/er', './deep/notes.txt', 'deep/er/same', '%41'] });
    expect(readdirSync(some).sort()).toEqual(['%41', 'deep']);
    expect(readdirSync(join(some, 'deep')).sort()).toEqual(['er', 'notes.txt']);
    expect(statSync(join(some, 'deep')).mtimeMs).toBe(-1500);
    const file = join(lab.folder, 'file');
    await checkout(lab, 'lab:deep/notes.txt', file);
    expect(readdirSync(file)).toEqual(['notes.txt']);
    await expect(checkout(lab, 'lab', join(lab.folder, 'no'), { paths: ['deep/none'] })).rejects.toMatchObject({
      code: 'path-absent',
    });
    await expect(checkout(lab, 'lab', join(lab.folder, 'no'), { paths: ['../deep'] })).rejects.toMatchObject({
      code: 'path-absent',
    });
    expect(existsSync(join(lab.folder, 'no'))).toBe(false);
    for (const folder of [join(lab.source, 'deep/er'), join(part, 'er'), join(some, 'deep/er')])
      chmodSync(folder, 0o700);
  });

  test('a target that is not empty is refused until overwrite says what may be replaced', async () => {
    const lab = await testRepository();
    for (const name of ['same', 'old', 'new', 'absent']) writeFileSync(join(lab.source, name), `${name} snapshot`);
    for (const name of ['same', 'old', 'new', 'absent'])
      utimesSync(join(lab.source, name), 1_700_000_000, 1_700_000_000);
    await lab.snapshot(one);
    const fill = (target: string): string => {
      mkdirSync(target);
      execFileSync('cp', ['-a', join(lab.source, 'same'), target]);
      writeFileSync(join(target, 'old'), 'mine');
      utimesSync(join(target, 'old'), 1_600_000_000, 1_600_000_000);
      writeFileSync(join(target, 'new'), 'mine');
      writeFileSync(join(target, 'other'), 'mine');
      return target;
    };
    const read = (target: string): string[] =>
      ['same', 'old', 'new', 'absent', 'other'].map((name) =>
        existsSync(join(target, name)) ? readFileSync(join(target, name), 'utf8') : '-',
      );
    const refused = fill(join(lab.folder, 'refused'));
    await expect(checkout(lab, 'lab', refused)).rejects.toMatchObject({ code: 'target-not-empty' });
    const never = fill(join(lab.folder, 'never'));
    expect(await plan(lab, 'lab', never, { overwrite: 'never' })).toMatchObject({ added: 1, replaced: 0, staying: 3 });
    expect(await checkout(lab, 'lab', never, { overwrite: 'never' })).toMatchObject({
      files: 1,
      kept: 3,
      unchanged: 0,
    });
    expect(read(never)).toEqual(['same snapshot', 'mine', 'mine', 'absent snapshot', 'mine']);
    const newer = fill(join(lab.folder, 'newer'));
    expect(await plan(lab, 'lab', newer, { overwrite: 'newer' })).toMatchObject({ added: 1, replaced: 1, staying: 2 });
    expect(await checkout(lab, 'lab', newer, { overwrite: 'newer' })).toMatchObject({
      files: 2,
      kept: 1,
      unchanged: 1,
    });
    expect(read(newer)).toEqual(['same snapshot', 'old snapshot', 'mine', 'absent snapshot', 'mine']);
    const always = fill(join(lab.folder, 'always'));
    expect(await plan(lab, 'lab', always, { overwrite: 'always', delete: true })).toMatchObject({
      added: 1,
      replaced: 2,
      staying: 1,
      extra: 1,
    });
    expect(await checkout(lab, 'lab', always, { overwrite: 'always', delete: true })).toMatchObject({
      files: 3,
      kept: 0,
      unchanged: 1,
      removed: 1,
    });
    expectSame(lab.source, always);
  });

  test('a file of the same size and time but other bytes is not taken for the same', async () => {
    const lab = await testRepository();
    writeFileSync(join(lab.source, 'a'), 'right');
    utimesSync(join(lab.source, 'a'), 1_700_000_000, 1_700_000_000);
    await lab.snapshot(one);
    const target = join(lab.folder, 'out');
    execFileSync('cp', ['-a', lab.source, target]);
    writeFileSync(join(target, 'a'), 'wrong');
    utimesSync(join(target, 'a'), 1_700_000_000, 1_700_000_000);
    expect(await checkout(lab, 'lab', target, { overwrite: 'always' })).toMatchObject({ files: 1, unchanged: 0 });
    expectSame(lab.source, target);
  });

  test('never follows a link of the target out of it', async () => {
    const lab = await testRepository();
    mkdirSync(join(lab.source, 'folder'));
    writeFileSync(join(lab.source, 'folder/a'), 'a');
    writeFileSync(join(lab.source, 'b'), 'b');
    await lab.snapshot(one);
    const target = join(lab.folder, 'out');
    const outside = join(lab.folder, 'outside');
    mkdirSync(target);
    mkdirSync(outside);
    symlinkSync(outside, join(target, 'folder'));
    symlinkSync(join(outside, 'file'), join(target, 'b'));
    const report = await checkout(lab, 'lab', target, { overwrite: 'newer' });
    expect(report.refused).toBeGreaterThan(0);
    expect(readdirSync(outside)).toEqual([]);
  });

  test('what is damaged is not written and told, and all else is restored', async () => {
    const lab = await testRepository();
    writeFileSync(join(lab.source, 'large'), randomBytes(2_000_000));
    for (let i = 0; i < 20; i += 1) writeFileSync(join(lab.source, `small-${i}`), `small ${i}`);
    await lab.snapshot(one);
    writeFileSync(join(lab.source, 'later'), randomBytes(600_000));
    await lab.snapshot(one);
    const repository = await lab.open();
    const later = [...(await repository.index()).packs()].filter(
      ({ kind, size }) => kind === 'data' && size > 600_000 && size < 1_000_000,
    );
    expect(later).toHaveLength(1);
    for (const { kind, id } of later) await flip(lab.backend, packKey(kind, id), 300_000);
    const target = join(lab.folder, 'out');
    const report = await checkout(lab, 'lab', target);
    expect(report).toMatchObject({
      damaged: 1,
      files: 21,
      failures: [{ path: 'later', code: 'entry-damaged', isDamage: true }],
    });
    rmSync(join(lab.source, 'later'));
    const diff = spawnSync('diff', ['-r', lab.source, target], { encoding: 'utf8' });
    expect(diff.stdout).toBe('');
  });

  test('a tree that cannot be read takes away only what it alone holds', async () => {
    const lab = await testRepository();
    mkdirSync(join(lab.source, 'shared/only'), { recursive: true });
    for (const name of ['a.cfg', 'b.bin', 'only/c.bin']) writeFileSync(join(lab.source, 'shared', name), name);
    const two = {
      ...one,
      assign: (path: string) => ({ domain: 'lab', collection: path.endsWith('.cfg') ? 'configs/all' : 'data/all' }),
    };
    const { snapshots } = await lab.snapshot(two);
    const repository = await lab.open();
    const tree = snapshots[0]?.collections.find(({ name }) => name === 'data/all')?.tree;
    const shared = tree && (await findEntry(repository.readBlob, tree, 'shared'));
    if (shared?.type !== 'directory') throw new Error('no folder');
    const readBlob: Repository['readBlob'] = async (id, type) => {
      if (id === shared.tree) throw new MbkError('entry-damaged', 'damaged by the test');
      return repository.readBlob(id, type);
    };
    const target = join(lab.folder, 'out');
    const report = await executeCheckout({ ...repository, readBlob }, requestOf('lab', target));
    expect(report).toMatchObject({ files: 1, damaged: 1, failures: [{ path: 'shared', code: 'entry-damaged' }] });
    expect(readdirSync(target, { recursive: true }).sort()).toEqual(['shared', 'shared/a.cfg']);
    const again = await executeCheckout(
      { ...repository, readBlob },
      requestOf('lab', lab.source, { overwrite: 'always', delete: true }),
    );
    expect(again).toMatchObject({ removed: 0, deleteSkipped: true });
    expect(readFileSync(join(lab.source, 'shared/b.bin'), 'utf8')).toBe('b.bin');
  });

  test('a pack that was pruned is named with the entry that deleted it', async () => {
    const lab = await testRepository();
    writeFileSync(join(lab.source, 'a'), randomBytes(600_000));
    await lab.snapshot(one);
    const repository = await lab.open();
    const other = await lab.open('other');
    const packs = [...(await repository.index()).packs()].filter(({ kind }) => kind === 'data').map(({ id }) => id);
    await other.log.append(() => ({ ops: [{ op: 'condemn', packs, segments: [], bundles: [] }] }));
    const condemned = other.log.n;
    await other.log.append(() => ({
      ops: [{ op: 'delete', packs, segments: [], bundles: [], spared: [], condemned }],
    }));
    for (const id of packs) await lab.backend.delete(packKey('data', id));
    const report = await executeCheckout(repository, requestOf('lab', join(lab.folder, 'out')));
    expect(report.failures).toMatchObject([{ path: 'a', code: 'blob-absent' }]);
    expect(report.failures[0]?.message).toContain(`was pruned by log entry ${other.log.n}`);
  });

  test('collections that retention gave up are told; alone they are an error', async () => {
    const lab = await testRepository();
    writeFileSync(join(lab.source, 'x'), 'x');
    writeFileSync(join(lab.source, 'y'), 'y');
    const two = {
      ...one,
      assign: (path: string) => ({ domain: 'lab', collection: `c/${path}` }),
      emptyFolders: { domain: 'lab', collection: 'c/x' },
    };
    const { snapshots } = await lab.snapshot(two);
    const commit = snapshots[0]?.commit;
    if (commit === undefined) throw new Error('no snapshot');
    const repository = await lab.open();
    await repository.log.append(() => ({ ops: [{ op: 'expire', captures: [{ commit, collection: 'c/x' }] }] }));
    expect(await checkout(lab, 'lab', join(lab.folder, 'out'))).toMatchObject({ files: 1, expired: ['c/x'] });
    await expect(checkout(lab, 'lab', join(lab.folder, 'p'), { paths: ['x'] })).rejects.toMatchObject({
      code: 'capture-expired',
    });
    await expect(
      checkout(lab, 'lab', join(lab.folder, 'out'), { overwrite: 'always', delete: true }),
    ).rejects.toMatchObject({ code: 'capture-expired' });
    await repository.log.append(() => ({ ops: [{ op: 'expire', captures: [{ commit, collection: 'c/y' }] }] }));
    await expect(checkout(lab, 'lab', join(lab.folder, 'none'))).rejects.toMatchObject({ code: 'capture-expired' });
  });

  test('asks for room before it writes', async () => {
    const lab = await testRepository();
    writeFileSync(join(lab.source, 'a'), randomBytes(100_000));
    writeFileSync(join(lab.source, 'hole'), '');
    truncateSync(join(lab.source, 'hole'), 8_388_608);
    await lab.snapshot(one);
    const target = join(lab.folder, 'out');
    const planned = await plan(lab, 'lab', target);
    expect(planned).toMatchObject({ bytes: 8_488_608, needed: 100_000 });
    expect(planned.free).toBeGreaterThan(100_000);
    const statfs = vi.spyOn(fs, 'statfsSync').mockReturnValue({ bavail: 99, bsize: 1000 } as fs.StatsFs);
    await expect(checkout(lab, 'lab', target)).rejects.toMatchObject({
      code: 'target-failed',
      details: { needed: 100_000, free: 99_000 },
    });
    statfs.mockRestore();
    expect(existsSync(target)).toBe(false);
  });
});

async function flip(backend: Backend, key: string, at: number): Promise<void> {
  const bytes = await backend.get(key);
  await backend.delete(key);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await backend.put(key, [bytes]);
}
