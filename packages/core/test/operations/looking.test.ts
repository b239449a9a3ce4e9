import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { memoryBackend } from '../../src/backend/memory.ts';
import { concatBytes } from '../../src/format/bytes.ts';
import { sha256Hex } from '../../src/crypto/hash.ts';
import type { CommitId } from '../../src/format/ids.ts';
import { catLog } from '../../src/operations/cat-log.ts';
import { catObject } from '../../src/operations/cat-object.ts';
import { listHistory } from '../../src/operations/history.ts';
import { showSnapshot } from '../../src/operations/show.ts';
import { listFiles, openFiles, readFileBytes, type ListedEntry } from '../../src/operations/snapshot-files.ts';
import { addTag, listTags, removeTag } from '../../src/operations/tags.ts';
import type { Repository } from '../../src/repository.ts';
import type { SnapshotRequest } from '../../src/operations/snapshot.ts';
import { copyOf, testRepository, type TestRepository } from './make-repository.ts';

/** `<domain>/<class>/…` is of the collection `data/<class>`. */
const assign: SnapshotRequest['assign'] = (path) => {
  const [domain = 'system', name] = path.split('/');
  return { domain, collection: `data/${name === 'one' || name === 'two' ? name : 'rest'}` };
};

/** What every test looks at, made once. */
let filled: TestRepository;
/** The test's own copy of it. */
let test_: TestRepository;
const folder = mkdtempSync(join(tmpdir(), 'mbk-looking-'));
/** More than the largest chunk: of several, whatever the key of the chunker. */
const big = new Uint8Array(9_000_000).map((_, i) => (i * 7919) >> 8);

/** Two snapshots of healthcare, the second of which carries `data/two`, and one of finance. */
async function fill(): Promise<void> {
  filled = await testRepository(memoryBackend(), folder);
  const write = (path: string, bytes: string | Uint8Array): void => {
    const file = join(filled.source, path);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, bytes);
  };
  write('healthcare/one/a.txt', 'first');
  write('healthcare/one/big.bin', big);
  write('healthcare/two/shared/b.txt', 'other');
  write('finance/one/f.txt', 'money');
  writeFileSync(
    Buffer.concat([Buffer.from(join(filled.source, 'healthcare/one/')), Buffer.from([0x72, 0xff, 0x0a])]),
    'hostile',
  );
  symlinkSync('a.txt', join(filled.source, 'healthcare/one/link'));
  await filled.snapshot({ assign, message: 'first\nwith more' });
  write('healthcare/one/a.txt', 'second');
  const wants: SnapshotRequest['wants'] = ({ collection }) => collection === 'data/one';
  await filled.snapshot({
    assign,
    wants,
    plan: 'daily',
    git: { commit: 'ab'.repeat(20), branch: 'main', dirty: true },
  });
}

async function withRepository(work: (repository: Repository) => Promise<void>): Promise<void> {
  const repository = await test_.open();
  try {
    await work(repository);
  } finally {
    await repository.close();
  }
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

async function listed(repository: Repository, revision: string, recursive = false): Promise<ListedEntry[]> {
  return collect(listFiles(repository, await openFiles(repository, revision), { recursive }));
}

async function textOf(repository: Repository, revision: string): Promise<string> {
  const parts = await collect(readFileBytes(repository, await openFiles(repository, revision)));
  return Buffer.from(concatBytes(parts)).toString();
}

async function expire(repository: Repository, commit: CommitId, collection: string): Promise<void> {
  await repository.log.append(() => ({ ops: [{ op: 'expire', captures: [{ commit, collection }] }] }));
}

beforeAll(fill);
beforeEach(async () => void (test_ = await copyOf(filled)));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('history', () => {
  test('is newest first, with what each run took and carried', () =>
    withRepository(async (repository) => {
      const rows = [...listHistory(repository)];
      expect(rows.map(({ domain }) => domain)).toEqual(expect.arrayContaining(['healthcare', 'finance']));
      const [second, first] = listHistory(repository, { domain: 'healthcare' });
      expect(second).toMatchObject({
        parent: first?.commit,
        plan: 'daily',
        actor: { name: 'tester' },
        captures: [{ collection: 'data/one', expired: false }],
        carried: [{ collection: 'data/two', commit: first?.commit, expired: false }],
      });
      expect(first).toMatchObject({ parent: null, message: 'first\nwith more', files: 4, host: 'test-host' });
      expect(first?.tags).toEqual([expect.stringMatching(/^healthcare\/\d{4}-\d\d-\d\d$/)]);
      expect(rows.map(({ entry }) => entry)).toEqual(rows.map(({ entry }) => entry).toSorted((a, b) => b - a));
    }));

  test('begins where a revision says, and ends where a number does', () =>
    withRepository(async (repository) => {
      const [second, first] = listHistory(repository, { domain: 'healthcare' });
      expect([...listHistory(repository, { revision: 'healthcare~1' })]).toEqual([first]);
      expect([...listHistory(repository, { revision: 'healthcare' })]).toEqual([second, first]);
      expect([...listHistory(repository, { revision: 'healthcare', limit: 1 })]).toEqual([second]);
      expect([...listHistory(repository, { limit: 2 })]).toHaveLength(2);
      expect(() => listHistory(repository, { domain: 'helthcare' })).toThrow('helthcare');
      expect(() => listHistory(repository, { domain: 'finance', revision: 'healthcare' })).toThrow('not of finance');
    }));

  test('marks what was given up', () =>
    withRepository(async (repository) => {
      const [, first] = [...listHistory(repository, { domain: 'healthcare' })];
      await expire(repository, first?.commit as CommitId, 'data/two');
      const [second, after] = [...listHistory(repository, { domain: 'healthcare' })];
      expect(after?.captures.map(({ collection, expired }) => [collection, expired])).toEqual([
        ['data/one', false],
        ['data/two', true],
      ]);
      expect(second?.carried).toMatchObject([{ collection: 'data/two', expired: true }]);
    }));
});

test('a snapshot shows its collections, totals and source', () =>
  withRepository(async (repository) => {
    const shown = await showSnapshot(repository, 'healthcare');
    expect(shown).toMatchObject({
      domain: 'healthcare',
      source: { root: test_.source, git: { branch: 'main', dirty: true } },
      collections: [
        { name: 'data/one', commit: null, expired: false },
        { name: 'data/two', commit: shown.parent, expired: false },
      ],
      totals: { files: 4, symlinks: 1 },
      parentProblem: null,
    });
  }));

describe('files', () => {
  test('of all collections are one tree', () =>
    withRepository(async (repository) => {
      expect((await listed(repository, 'healthcare')).map(({ path }) => path)).toEqual(['healthcare']);
      const all = await listed(repository, 'healthcare', true);
      expect(all.map(({ path, collections }) => [path, collections])).toEqual([
        ['healthcare', ['data/one', 'data/two']],
        ['healthcare/one', ['data/one']],
        ['healthcare/one/a.txt', ['data/one']],
        ['healthcare/one/big.bin', ['data/one']],
        ['healthcare/one/link', ['data/one']],
        [{ hex: Buffer.from('healthcare/one/r\xff\n', 'latin1').toString('hex') }, ['data/one']],
        ['healthcare/two', ['data/two']],
        ['healthcare/two/shared', ['data/two']],
        ['healthcare/two/shared/b.txt', ['data/two']],
      ]);
      const link = all.find(({ type }) => type === 'symlink');
      expect(link).toMatchObject({ target: 'a.txt', size: null });
      expect(all.find(({ path }) => path === 'healthcare/one/big.bin')).toMatchObject({
        size: big.length,
        sha256: sha256Hex(big),
        mtime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/),
      });
    }));

  test('of a folder, or a file itself, are listed by their whole paths', () =>
    withRepository(async (repository) => {
      const paths = async (revision: string) => (await listed(repository, revision)).map(({ path }) => path);
      expect(await paths('healthcare:/healthcare/two/')).toEqual(['healthcare/two/shared']);
      expect(await paths('healthcare:healthcare/one/a.txt')).toEqual(['healthcare/one/a.txt']);
    }));

  test('are read as they were then', () =>
    withRepository(async (repository) => {
      expect(await textOf(repository, 'healthcare:healthcare/one/a.txt')).toBe('second');
      expect(await textOf(repository, 'healthcare~1:healthcare/one/a.txt')).toBe('first');
      expect(await textOf(repository, 'healthcare:healthcare/two/shared/b.txt')).toBe('other');
      const parts = await collect(
        readFileBytes(repository, await openFiles(repository, 'healthcare:healthcare/one/big.bin')),
      );
      expect(sha256Hex(concatBytes(parts))).toBe(sha256Hex(big));
      expect(parts.length).toBeGreaterThan(1);
    }));

  test('with hostile names are named by their escapes', () =>
    withRepository(async (repository) => {
      expect(await textOf(repository, 'healthcare:healthcare/one/r\\xff\\n')).toBe('hostile');
    }));

  test('that are not there, and what is no file, are said to be so', () =>
    withRepository(async (repository) => {
      const absent = ['nothing', 'healthcare/one/a.txt/below', 'healthcare/../healthcare'];
      for (const path of absent) {
        await expect(openFiles(repository, `healthcare:${path}`)).rejects.toMatchObject({ code: 'path-absent' });
      }
      await expect(openFiles(repository, 'nobody')).rejects.toMatchObject({ code: 'revision-unknown' });
      for (const revision of ['healthcare', 'healthcare:healthcare/one', 'healthcare:healthcare/one/link']) {
        await expect(textOf(repository, revision)).rejects.toMatchObject({ code: 'path-absent' });
      }
    }));

  test('that were given up are not listed, and asking for one says so', () =>
    withRepository(async (repository) => {
      const [, first] = [...listHistory(repository, { domain: 'healthcare' })];
      await expire(repository, first?.commit as CommitId, 'data/two');
      const files = await openFiles(repository, 'healthcare');
      expect(files.expired).toEqual(['data/two']);
      const paths = (await listed(repository, 'healthcare', true)).map(({ path }) => path);
      expect(paths).not.toContain('healthcare/two');
      await expect(openFiles(repository, 'healthcare:healthcare/two')).rejects.toMatchObject({
        code: 'capture-expired',
      });
      await expire(repository, first?.commit as CommitId, 'data/one');
      await expect(openFiles(repository, 'healthcare~1')).rejects.toMatchObject({ code: 'capture-expired' });
    }));
});

describe('tags', () => {
  test('are put on a snapshot below its domain, and are revisions', () =>
    withRepository(async (repository) => {
      const added = await addTag(repository, {
        name: 'v2',
        revision: 'healthcare~1',
        message: 'approved',
        host: 'desk',
      });
      expect(added).toMatchObject({ name: 'healthcare/v2', domain: 'healthcare' });
      expect(repository.resolve('healthcare/v2').commit).toBe(added.commit);
      expect(await repository.catalogue().readTag('healthcare/v2')).toMatchObject({
        commit: added.commit,
        message: 'approved\n',
        tagger: { name: 'tester' },
      });
      expect([...listHistory(repository, { revision: 'healthcare~1' })][0]?.tags).toContain('healthcare/v2');
      const tags = listTags(repository, { domain: 'healthcare' });
      expect(tags.map(({ isOfSnapshot }) => isOfSnapshot)).toEqual([true, true, false]);
      expect(listTags(repository).length).toBeGreaterThan(tags.length);
    }));

  test('never move, and belong to one domain', () =>
    withRepository(async (repository) => {
      await addTag(repository, { name: 'v2', revision: 'healthcare', host: 'desk' });
      await expect(
        addTag(repository, { name: 'healthcare/v2', revision: 'healthcare~1', host: 'desk' }),
      ).rejects.toMatchObject({
        code: 'tag-exists',
      });
      for (const name of ['finance/v2', 'a b', '']) {
        await expect(addTag(repository, { name, revision: 'healthcare', host: 'desk' })).rejects.toMatchObject({
          code: 'name-invalid',
        });
      }
    }));

  test('of two at once, one wins', () =>
    withRepository(async (repository) => {
      const other = await test_.open('elsewhere');
      const request = { name: 'v2', revision: 'healthcare', host: 'desk' };
      const outcomes = await Promise.allSettled([addTag(repository, request), addTag(other, request)]);
      expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      expect(outcomes.find((outcome) => outcome.status === 'rejected')).toMatchObject({
        reason: { code: 'tag-exists' },
      });
      await other.close();
    }));

  test('are removed for good, and the log keeps the fact', () =>
    withRepository(async (repository) => {
      await addTag(repository, { name: 'v2', revision: 'healthcare', host: 'desk' });
      await removeTag(repository, 'healthcare/v2');
      expect(() => repository.resolve('healthcare/v2')).toThrow('healthcare/v2');
      await expect(removeTag(repository, 'healthcare/v2')).rejects.toMatchObject({ code: 'revision-unknown' });
      const entry = await catLog(repository, repository.log.n);
      expect(entry.sections[0]?.ops).toEqual([
        { op: 'tag', domain: 'healthcare', name: 'healthcare/v2', deleted: true },
      ]);
    }));
});

describe('under the floor', () => {
  test('an entry of the log is shown with its signer', () =>
    withRepository(async (repository) => {
      const first = await catLog(repository, 1);
      expect(first).toMatchObject({ n: 1, actor: { name: 'tester' }, tool: 'mbk test', skipped: [] });
      expect(first.sections[0]?.ops.map(({ op }) => op)).toEqual(['features', 'keyset', 'actors', 'grant']);
      for (const n of [0, -1, 1.5, 1_000_000]) {
        await expect(catLog(repository, n)).rejects.toMatchObject({ code: 'object-unknown' });
      }
    }));

  test('Git objects are found by their ids and the start of them', () =>
    withRepository(async (repository) => {
      const { commit } = repository.resolve('healthcare');
      const found = await catObject(repository, commit);
      expect(found).toMatchObject({ id: commit, type: 'commit' });
      expect((await catObject(repository, commit.slice(0, 12))).content).toEqual(found.content);
      const tree = /^tree (\w{40})/.exec(Buffer.from(found.content).toString())?.[1] ?? '';
      expect(await catObject(repository, tree)).toMatchObject({ type: 'tree' });
      const tag = listTags(repository)[0]?.object ?? '';
      expect(await catObject(repository, tag)).toMatchObject({ type: 'tag' });
    }));

  test('blobs are found by their SHA-256, of either kind', () =>
    withRepository(async (repository) => {
      const shown = await showSnapshot(repository, 'healthcare');
      expect(await catObject(repository, shown.collections[0]?.tree ?? '')).toMatchObject({ type: 'tree' });
      const small = Buffer.from('other');
      expect(await catObject(repository, sha256Hex(small))).toMatchObject({
        type: 'data',
        content: new Uint8Array(small),
      });
    }));

  test('what is nowhere is said to be nowhere', () =>
    withRepository(async (repository) => {
      for (const id of ['00'.repeat(32), '00'.repeat(20), 'abc', 'not hex', '']) {
        await expect(catObject(repository, id)).rejects.toMatchObject({ code: 'object-unknown' });
      }
    }));

  test('a damaged bundle hides its own objects only', () =>
    withRepository(async (repository) => {
      const { commit } = repository.resolve('healthcare');
      const text = Buffer.from((await catObject(repository, commit)).content).toString();
      const tree = /^tree (\w{40})/.exec(text)?.[1] ?? '';
      const [finance] = [...listHistory(repository, { domain: 'finance' })];
      const bundle = repository.log.fold.lineOfCommit.get(finance?.commit as CommitId)?.bundle;
      await test_.backend.delete(`catalogue/${bundle}`);
      const fresh = await test_.open('without cache');
      expect(await catObject(fresh, tree.slice(0, 20))).toMatchObject({ id: tree });
      await expect(catObject(fresh, '00'.repeat(20))).rejects.toMatchObject({ code: 'entry-absent' });
      await fresh.close();
    }));
});
