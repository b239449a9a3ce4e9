import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { memoryBackend } from '../../src/backend/memory.ts';
import { encodeByteText } from '../../src/format/byte-name.ts';
import { asSegmentId, packKey, type BlobId, type CommitId, type SegmentId } from '../../src/format/ids.ts';
import type { Capture, Discarded } from '../../src/format/log-operations.ts';
import type { PackRow } from '../../src/format/segment-rows.ts';
import { snapshot, type SnapshotReport, type SnapshotRequest } from '../../src/operations/snapshot.ts';
import type { Repository } from '../../src/repository.ts';
import { readContent } from '../../src/snapshot/read-content.ts';
import { walkTree } from '../../src/snapshot/tree-reader.ts';
import { hookedBackend } from './hooked-backend.ts';
import { requestFor, testRepository } from './make-repository.ts';

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

  test('remembers the files of a domain that it skips, so that they are not read for ever', async () => {
    const lab = await testRepository();
    mkdirSync(join(lab.source, 'finance'));
    writeFileSync(join(lab.source, 'finance/a'), randomBytes(5000));
    await lab.snapshot(); // too soon after the change for its facts to prove anything
    await new Promise((resolve) => setTimeout(resolve, 2100));
    expect(await lab.snapshot({ skipIfUnchanged: true })).toMatchObject({ unchanged: ['finance'], readBytes: 5000 });
    expect(await lab.snapshot({ skipIfUnchanged: true })).toMatchObject({ unchanged: ['finance'], readBytes: 0 });
  });

  test('skips a domain when only the time of a folder that it shares with another one changed', async () => {
    const lab = await testRepository();
    const assign = (path: string): { domain: string; collection: string } => ({
      domain: path.includes('finance') ? 'finance' : 'health',
      collection: 'models/all',
    });
    const request = { assign, emptyFolders: { domain: 'health', collection: 'other/files' }, skipIfUnchanged: true };
    mkdirSync(join(lab.source, 'models'));
    for (const name of ['finance-1', 'health-1']) writeFileSync(join(lab.source, 'models', name), name);
    await lab.snapshot(request);
    writeFileSync(join(lab.source, 'models/health-2'), 'more');
    utimesSync(join(lab.source, 'models'), 1_700_000_000, 1_700_000_000);
    const report = await lab.snapshot(request);
    expect(report.unchanged).toEqual(['finance']);
    expect(report.snapshots.map(({ domain }) => domain)).toEqual(['health']);
  });

  test('carries the collections that a run does not take, and drops those whose files are gone', async () => {
    const lab = await testRepository();
    const assign = (path: string): { domain: string; collection: string } => ({
      domain: 'd',
      collection: path.startsWith('x') ? 'c/x' : 'c/y',
    });
    writeFileSync(join(lab.source, 'x1'), 'x');
    writeFileSync(join(lab.source, 'y1'), 'y');
    const emptyFolders = { domain: 'd', collection: 'other/files' };
    const first = await lab.snapshot({ assign, emptyFolders });
    const only = await lab.snapshot({ assign, emptyFolders, wants: ({ collection }) => collection === 'c/x' });
    expect(only.snapshots[0]?.collections.map(({ name, isTaken }) => [name, isTaken])).toEqual([
      ['c/x', true],
      ['c/y', false],
    ]);
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
});

describe('what a snapshot follows', () => {
  test('may be of another host that committed meanwhile: its trees are read', async () => {
    const backend = hookedBackend(memoryBackend());
    const lab = await testRepository(backend);
    writeFileSync(join(lab.source, 'a'), 'first');
    await lab.snapshot();
    const one = await lab.open('one');
    await one.readBlob(await treeOfHead(one), 'tree');
    writeFileSync(join(lab.source, 'a'), 'second');
    let parent: string | undefined;
    backend.beforePut('catalogue/', async () => {
      writeFileSync(join(lab.source, 'a'), 'a tree that this host has not seen');
      parent = (await lab.snapshot({}, 'other')).snapshots[0]?.commit;
    });
    const report = await snapshot(one, { ...requestFor(lab.source), skipIfUnchanged: true });
    expect(report.snapshots.map((made) => made.parent)).toEqual([parent]);
  });

  test('must be there: else it is said what is missing and where it may still be', async () => {
    const lab = await testRepository();
    writeFileSync(join(lab.source, 'a'), 'a');
    await lab.snapshot();
    const line = [...(await lab.open()).log.fold.lines.values()][0];
    const key = `catalogue/${line?.bundle ?? ''}`;
    const bytes = await lab.backend.get(key);
    await lab.backend.delete(key);
    await expect(lab.snapshot({}, 'other')).rejects.toMatchObject({
      code: 'entry-absent',
      message: expect.stringContaining('the newest of system'),
      remedy: expect.stringContaining(key),
      details: { domain: 'system', commit: line?.to },
    });
    // Other domains go on, and so does this one once the entry is back.
    const assign = (): { domain: string; collection: string } => ({ domain: 'd', collection: 'other/files' });
    expect((await lab.snapshot({ assign }, 'other')).snapshots.map(({ domain }) => domain)).toEqual(['d']);
    await lab.backend.put(key, [bytes]);
    expect((await lab.snapshot({}, 'other')).snapshots).toHaveLength(1);
  });

  test('is another one when nothing but hard links changed', async () => {
    const lab = await testRepository();
    for (const name of ['a', 'b']) {
      writeFileSync(join(lab.source, name), 'same');
      utimesSync(join(lab.source, name), 1_700_000_000, 1_700_000_000);
    }
    await lab.snapshot();
    rmSync(join(lab.source, 'b'));
    linkSync(join(lab.source, 'a'), join(lab.source, 'b'));
    expect((await lab.snapshot({ skipIfUnchanged: true })).snapshots).toHaveLength(1);
    expect((await lab.snapshot({ skipIfUnchanged: true })).unchanged).toEqual(['system']);
  });

  test('does not carry a collection whose capture expired', async () => {
    const lab = await testRepository();
    const assign = (path: string): { domain: string; collection: string } => ({
      domain: 'd',
      collection: `c/${path[0]}`,
    });
    for (const name of ['x', 'y']) writeFileSync(join(lab.source, name), name);
    const emptyFolders = { domain: 'd', collection: 'other/files' };
    const first = await lab.snapshot({ assign, emptyFolders });
    const captures = [{ commit: first.snapshots[0]?.commit ?? ('' as CommitId), collection: 'c/y' }];
    await (await lab.open('other')).log.append(() => ({ ops: [{ op: 'expire', captures }] }));
    const only = await lab.snapshot({ assign, emptyFolders, wants: ({ collection }) => collection === 'c/x' });
    expect(only.snapshots[0]?.collections.map(({ name }) => name)).toEqual(['c/x']);
    const both = await lab.snapshot({ assign, emptyFolders });
    expect(both.snapshots[0]?.collections.map(({ name, isTaken }) => [name, isTaken])).toEqual([
      ['c/x', true],
      ['c/y', true],
    ]);
  });

  async function treeOfHead(repository: Repository): Promise<BlobId> {
    const { manifest } = await repository.catalogue().readSnapshot(repository.resolve('system').commit);
    const [state] = manifest.collections;
    if (state === undefined) throw new Error('expected a collection');
    return state.tree;
  }
});

describe('files that are taken as they were', () => {
  const later = { now: () => Date.now() + 60_000 };

  test('count on the capture that they come from, also when rules put them elsewhere since', async () => {
    const backend = hookedBackend(memoryBackend());
    const lab = await testRepository(backend);
    writeFileSync(join(lab.source, 'a'), randomBytes(600_000));
    linkSync(join(lab.source, 'a'), join(lab.source, 'twin'));
    const host = await lab.open('host', later);
    await snapshot(host, requestFor(lab.source));
    const other = await lab.open('other');
    const assign = (path: string): { domain: string; collection: string } => ({
      domain: 'moved',
      collection: `to/${path}`,
    });
    const request = { ...requestFor(lab.source), assign };
    const moved = await snapshot(host, request);
    expect(moved.readBytes).toBe(0);

    const back = await lab.open('host', later);
    backend.beforePut('catalogue/', async () => {
      await other.log.refresh();
      const [snapshotOfMoved] = moved.snapshots;
      const captures = (snapshotOfMoved?.collections ?? []).map(({ name }) => ({
        commit: snapshotOfMoved?.commit ?? ('' as CommitId),
        collection: name,
      }));
      expect(captures).toHaveLength(2);
      await other.log.append(() => ({ ops: [{ op: 'expire', captures }] }));
    });
    // Both names are one file: read once, and not taken from what was given up while the run was under way.
    const again = await snapshot(back, requestFor(lab.source));
    expect(again).toMatchObject({ readBytes: 600_000, files: 2 });
  });
});

describe('a snapshot that is overtaken before it commits', () => {
  /** A repository with one snapshot of one file, and the host that comes in between. */
  async function overtaken(
    work: (other: Repository, backend: Backend) => Promise<void>,
    { request, prepare }: { request?: Partial<SnapshotRequest>; prepare?: (source: string) => void } = {},
  ): Promise<{ report: SnapshotReport; reader: Repository }> {
    const backend = hookedBackend(memoryBackend());
    const lab = await testRepository(backend);
    writeFileSync(join(lab.source, 'a'), randomBytes(600_000));
    // A clock that is ahead: facts that are older than 2 s count.
    const open = (host: string): Promise<Repository> => lab.open(host, { now: () => Date.now() + 60_000 });
    const host = await open('host');
    await snapshot(host, requestFor(lab.source));
    prepare?.(lab.source);
    const other = await lab.open('other');
    let isDone = false;
    backend.beforePut('catalogue/', async () => {
      await work(other, backend);
      isDone = true;
    });
    const report = await snapshot(host, { ...requestFor(lab.source), ...request });
    expect(isDone).toBe(true);
    expect(report.snapshots).toHaveLength(1);

    const reader = await lab.open('reader');
    expect(reader.log.fold.lines.length).toBe(2);
    expect(reader.log.findings).toEqual([]);
    const tree = report.snapshots[0]?.collections[0]?.tree;
    if (tree === undefined) throw new Error('expected a collection');
    const contents = await contentsOf(reader, tree);
    expect([...contents.keys()]).toEqual(readdirSync(lab.source).sort());
    for (const [name, content] of contents) expect(content.equals(readFileSync(join(lab.source, name)))).toBe(true);
    return { report, reader };
  }

  async function contentsOf({ readBlob }: Repository, tree: BlobId): Promise<Map<string, Buffer>> {
    const contents = new Map<string, Buffer>();
    for await (const { path, entry } of walkTree(readBlob, tree)) {
      if (entry.type !== 'file') continue;
      const parts: Uint8Array[] = [];
      for await (const part of readContent(readBlob, entry, { what: path })) parts.push(part);
      contents.set(path, Buffer.concat(parts));
    }
    return contents;
  }

  /** What a prune without any grace does. */
  async function discard({ log }: Repository, backend: Backend, discarded: Partial<Discarded>): Promise<void> {
    const all = { packs: [], segments: [], bundles: [], ...discarded };
    await log.append(() => ({ ops: [{ op: 'condemn', ...all }] }));
    await log.append((fold) => ({ ops: [{ op: 'delete', ...all, spared: [], condemned: fold.n }] }));
    for (const id of all.packs) for (const kind of ['data', 'meta'] as const) await backend.delete(packKey(kind, id));
    for (const id of all.segments) await backend.delete(`index/${id}`);
  }

  async function packsOf(repository: Repository): Promise<PackRow[]> {
    await repository.log.refresh();
    return [...(await repository.index()).packs()];
  }

  async function expireAll({ log }: Repository): Promise<Capture[]> {
    await log.refresh();
    const captures = [...log.fold.lines.values()].flatMap(({ to, line }) =>
      line.captures.map(({ collection }) => ({ commit: to, collection })),
    );
    await log.append(() => ({ ops: [{ op: 'expire', captures }] }));
    return captures;
  }

  test('stores again what was deleted between the look-up and the commit', async () => {
    const { report, reader } = await overtaken(
      async (other, backend) => {
        const packs = (await packsOf(other)).filter(({ kind }) => kind === 'data').map(({ id }) => id);
        expect(packs).toHaveLength(1);
        await discard(other, backend, { packs });
      },
      { request: { force: true } },
    );
    expect(report.newBytes).toBeGreaterThanOrEqual(600_000);
    expect(reader.log.fold.deleted.size).toBe(1);
  });

  test('reads again the files of a capture that expired and was pruned', async () => {
    const { report } = await overtaken(async (other, backend) => {
      await expireAll(other);
      await discard(other, backend, { packs: (await packsOf(other)).map(({ id }) => id) });
    });
    expect(report).toMatchObject({ readBytes: 600_000 });
    expect(report.newBytes).toBeGreaterThanOrEqual(600_000);
  });

  test('begins again with what it reused when an expiry came and went', async () => {
    const { report } = await overtaken(async (other) => {
      const captures = await expireAll(other);
      await other.log.append(() => ({ ops: [{ op: 'unexpire', captures }] }));
    });
    expect(report).toMatchObject({ readBytes: 0, newBytes: 0 });
  });

  test('gives up as after lost races when that happens again and again', async () => {
    const backend = hookedBackend(memoryBackend());
    const lab = await testRepository(backend);
    writeFileSync(join(lab.source, 'a'), 'a');
    const host = await lab.open('host', { now: () => Date.now() + 60_000 });
    await snapshot(host, requestFor(lab.source));
    const other = await lab.open('other');
    const interfere = async (): Promise<void> => {
      const captures = await expireAll(other);
      await other.log.append(() => ({ ops: [{ op: 'unexpire', captures }] }));
      backend.beforePut('catalogue/', interfere);
    };
    backend.beforePut('catalogue/', interfere);
    await expect(snapshot(host, requestFor(lab.source))).rejects.toMatchObject({ code: 'log-race-lost', exitCode: 11 });
  });

  test('reads files again when any pack was declared lost', async () => {
    const { report } = await overtaken(async (other, backend) => {
      const packs = (await packsOf(other)).filter(({ kind }) => kind === 'data').map(({ id }) => id);
      for (const id of packs) await backend.delete(packKey('data', id));
      await other.log.append(() => ({ ops: [{ op: 'lost', packs }] }));
    });
    expect(report).toMatchObject({ readBytes: 600_000 });
    expect(report.newBytes).toBeGreaterThanOrEqual(600_000);
  });

  test('makes another segment when a prune took its own for a stray', async () => {
    const { reader } = await overtaken(
      async (other, backend) => {
        await other.log.refresh();
        const strays: SegmentId[] = [];
        for await (const { key } of backend.list('index/')) {
          const id = asSegmentId(key.slice('index/'.length));
          if (!other.log.fold.segments.has(id)) strays.push(id);
        }
        expect(strays).toHaveLength(1);
        await discard(other, backend, { segments: strays });
      },
      { prepare: (source) => writeFileSync(join(source, 'b'), randomBytes(70_000)) },
    );
    expect(reader.log.fold.segments.size).toBe(2);
    expect((await reader.index()).segments).toHaveLength(2);
    expect(reader.notices).toEqual([]);
  });
});

test('paths that are not UTF-8 are told by their bytes', () => {
  expect(encodeByteText('\xff')).toEqual({ hex: 'ff' });
});
