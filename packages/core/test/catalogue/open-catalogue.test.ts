import { describe, expect, test } from 'vitest';
import { metered } from '../../src/backend/metered.ts';
import type { CatalogueLine } from '../../src/catalogue/catalogue-view.ts';
import { openCatalogue, type Catalogue } from '../../src/catalogue/open-catalogue.ts';
import { sealBundle } from '../../src/catalogue/seal-bundle.ts';
import { decodeBundle, encodeBundle, gitObjectId, type GitObject } from '../../src/format/catalogue-bundle.ts';
import { utf8 } from '../../src/format/bytes.ts';
import { asCommitId, type CommitId, type EntryId } from '../../src/format/ids.ts';
import { asset, author, repository, seededRandom, smallHistory, type SmallHistory } from './small-history.ts';

const at = Date.parse('2025-01-01T02:00:00Z');
const day = 86_400_000;
const random = seededRandom('open');

async function twoSnapshots(): Promise<{ history: SmallHistory; first: CommitId; second: CommitId }> {
  const history = smallHistory();
  const first = await history.snapshot('healthcare', at);
  const second = await history.snapshot('healthcare', at + day, { message: 'second' });
  return { history, first, second };
}

function lineOf(history: SmallHistory, index: number): CatalogueLine {
  const line = history.lines[index];
  if (line === undefined) throw new RangeError(`no line ${index}`);
  return line;
}

const bundleOf = (history: SmallHistory, index: number): EntryId => lineOf(history, index).bundle;

/** A reader of the history in which snapshot `index` has changed objects, sealed and named by the log as if they were right. */
async function forge(
  history: SmallHistory,
  index: number,
  change: (objects: readonly GitObject[]) => GitObject[],
): Promise<{ readonly reader: Catalogue; readonly commit: CommitId }> {
  const line = lineOf(history, index);
  const before = await history.open().readBundle(line.bundle);
  const objects = change([...before.values()]);
  const commit = objects.find(({ type }) => type === 'commit');
  const changed = objects.length !== before.size || objects.some(({ id }) => !before.has(id));
  if (commit === undefined || !changed) throw new RangeError('the change should leave a commit and change something');
  const sealed = sealBundle(objects, { keys: history.keys, random });
  await history.backend.put(sealed.key, [sealed.bytes]);
  const lines = [...history.lines.slice(0, index), { ...line, to: asCommitId(commit.id), bundle: sealed.id }];
  const get = (key: string): Promise<Uint8Array> => history.backend.get(key);
  return {
    reader: openCatalogue({ get, keys: history.keys, view: { lines, tags: [] } }),
    commit: asCommitId(commit.id),
  };
}

/** Objects with text replaced in those of one type. */
const replaceText =
  (type: GitObject['type'], from: string | RegExp, to: string) =>
  (objects: readonly GitObject[]): GitObject[] =>
    objects.map((object) => {
      const text = Buffer.from(object.content).toString('latin1');
      if (object.type !== type || text.replace(from, to) === text) return object;
      const content = new Uint8Array(Buffer.from(text.replace(from, to), 'latin1'));
      return { id: gitObjectId(type, content), type, content };
    });

describe('reading history', () => {
  test('a snapshot comes back with commit, manifest and assets', async () => {
    const { history, first, second } = await twoSnapshots();
    const { commit, manifest, assets, parentProblem } = await history.open().readSnapshot(second);
    expect(commit).toMatchObject({ id: second, domain: 'healthcare', parent: first, message: 'second' });
    expect(commit.author).toEqual({ ...author, at: at + day, offsetMinutes: 0 });
    expect(manifest).toMatchObject({ domain: 'healthcare', message: 'second', host: 'trainer-1' });
    expect([...assets()]).toEqual([asset]);
    expect(parentProblem).toBeUndefined();
  });

  test('tags come back, those of snapshots and later ones', async () => {
    const { history, first, second } = await twoSnapshots();
    await history.tag('healthcare', 'v1', first, at);
    const catalogue = history.open();
    expect(await catalogue.readTag('healthcare/2025-01-02')).toMatchObject({ commit: second, message: 'second\n' });
    expect(await catalogue.readTag('healthcare/v1')).toMatchObject({ commit: first, tagger: author });
    await expect(catalogue.readTag('healthcare/v2')).rejects.toMatchObject({ code: 'revision-unknown' });
  });

  test('a commit that the log does not know is not looked for', async () => {
    const { history } = await twoSnapshots();
    await expect(history.open().readCommit(asCommitId('12'.repeat(20)))).rejects.toMatchObject({
      code: 'revision-unknown',
    });
  });

  test('walking a history reads every bundle once', async () => {
    const history = smallHistory();
    const backend = metered(history.backend);
    for (let index = 0; index < 5; index += 1) await history.snapshot('healthcare', at + index * day);
    const catalogue = openCatalogue({ get: (key) => backend.get(key), keys: history.keys, view: history });
    for (const { to } of history.lines) expect((await catalogue.readSnapshot(to)).parentProblem).toBeUndefined();
    expect(backend.meter.get.calls).toBe(5);
  });

  test('no changed byte of a bundle passes', async () => {
    const { history, first } = await twoSnapshots();
    const good = await history.backend.get(`catalogue/${bundleOf(history, 0)}`);
    for (let offset = 0; offset < good.byteLength; offset += 7) {
      const damaged = good.slice();
      damaged[offset] = (damaged[offset] ?? 0) ^ 1;
      const catalogue = openCatalogue({ get: async () => damaged, keys: history.keys, view: history });
      await expect(catalogue.readSnapshot(first)).rejects.toMatchObject({ code: 'entry-damaged' });
    }
  });

  test('a bundle under another name, of another repository or without its key is refused', async () => {
    const { history, first } = await twoSnapshots();
    const get = (key: string): Promise<Uint8Array> => history.backend.get(key);
    const other = openCatalogue({
      get: () => get(`catalogue/${bundleOf(history, 1)}`),
      keys: history.keys,
      view: history,
    });
    await expect(other.readCommit(first)).rejects.toMatchObject({ code: 'entry-damaged' });
    const keys = { ...history.keys, repository: `ff${repository.slice(2)}` as typeof repository };
    await expect(openCatalogue({ get, keys, view: history }).readCommit(first)).rejects.toMatchObject({
      code: 'entry-damaged',
    });
    const none = { ...history.keys, keysets: new Map() };
    await expect(openCatalogue({ get, keys: none, view: history }).readCommit(first)).rejects.toMatchObject({
      code: 'role-denied',
    });
  });

  test('objects under ids that are not theirs do not even decode', async () => {
    const { history } = await twoSnapshots();
    const objects = [...(await history.open().readBundle(bundleOf(history, 0))).values()];
    const forged = objects.map((object) => (object.type === 'blob' ? { ...object, content: utf8('{}') } : object));
    expect(() => decodeBundle(encodeBundle(forged), 'bundle')).toThrow(/does not have that SHA-1/);
  });

  test('snapshot.json is held to Manifest-SHA256, whatever Git ids say', async () => {
    const { history } = await twoSnapshots();
    const { reader, commit } = await forge(history, 0, (objects) => reseat(objects, 'trainer-1', 'trainer-2'));
    await expect(reader.readSnapshot(commit)).rejects.toThrow(
      expect.objectContaining({
        code: 'entry-damaged',
        message: expect.stringContaining('snapshot.json of commit') as unknown,
      }),
    );
  });

  test('assets.jsonl is held to assetsSha256, whatever Git ids say', async () => {
    const { history } = await twoSnapshots();
    const { reader, commit } = await forge(history, 0, (objects) =>
      reseat(objects, '"kind":"checkpoint"', '"kind":"archive"'),
    );
    await expect(reader.readSnapshot(commit)).rejects.toThrow(
      expect.objectContaining({
        code: 'entry-damaged',
        message: expect.stringContaining('assets.jsonl of commit') as unknown,
      }),
    );
  });

  test('the parent is held to Parent-SHA256', async () => {
    const { history } = await twoSnapshots();
    const trailer = /Parent-SHA256: [0-9a-f]{64}/;
    const { reader, commit } = await forge(
      history,
      1,
      replaceText('commit', trailer, `Parent-SHA256: ${'0'.repeat(64)}`),
    );
    await expect(reader.readSnapshot(commit)).rejects.toThrow(
      expect.objectContaining({
        code: 'entry-damaged',
        message: expect.stringContaining('parent of commit') as unknown,
      }),
    );
  });

  test('a commit without trailers, or with a bare tree, is refused', async () => {
    const { history } = await twoSnapshots();
    const bare = await forge(history, 0, replaceText('commit', /Manifest-SHA256/, 'Manifest-SHA1'));
    await expect(bare.reader.readSnapshot(bare.commit)).rejects.toMatchObject({ code: 'value-invalid' });
    const empty = await forge(history, 1, (objects) => reseat(objects).filter(({ type }) => type !== 'tree'));
    await expect(empty.reader.readSnapshot(empty.commit)).rejects.toMatchObject({ code: 'value-invalid' });
  });

  test('the parent must be the one that the log says', async () => {
    const { history, first, second } = await twoSnapshots();
    const lines = history.lines.map((line) => ({ ...line, from: line.from === null ? second : null }));
    const reader = openCatalogue({
      get: (key) => history.backend.get(key),
      keys: history.keys,
      view: { lines, tags: [] },
    });
    for (const id of [first, second])
      await expect(reader.readCommit(id)).rejects.toMatchObject({ code: 'value-invalid' });
  });

  test('a child of a lost parent can still be read, and says so', async () => {
    const { history, first, second } = await twoSnapshots();
    await history.backend.delete(`catalogue/${bundleOf(history, 0)}`);
    const snapshot = await history.open().readSnapshot(second);
    expect(snapshot.parentProblem).toMatchObject({ code: 'entry-absent' });
    expect(snapshot.manifest.message).toBe('second');
    await expect(history.open().readSnapshot(first)).rejects.toMatchObject({ code: 'entry-absent' });
  });

  test('a failing storage is not taken for a lost parent', async () => {
    const { history, second } = await twoSnapshots();
    const lost = `catalogue/${bundleOf(history, 0)}`;
    const get = async (key: string): Promise<Uint8Array> => {
      if (key === lost) throw new Error('network');
      return history.backend.get(key);
    };
    await expect(openCatalogue({ get, keys: history.keys, view: history }).readSnapshot(second)).rejects.toThrow(
      'network',
    );
  });

  test('a tag object that says something else than the log is refused', async () => {
    const { history, second } = await twoSnapshots();
    history.tags.splice(0, 1, ...history.tags.slice(0, 1).map((tag) => ({ ...tag, commit: second })));
    await expect(history.open().readTag('healthcare/2025-01-01')).rejects.toMatchObject({ code: 'value-invalid' });
  });

  test('a bundle without the commit that the log names is refused', async () => {
    const { history, first } = await twoSnapshots();
    history.lines[0] = { ...lineOf(history, 0), bundle: bundleOf(history, 1) };
    await expect(history.open().readCommit(first)).rejects.toMatchObject({
      code: 'value-invalid',
      details: { object: first },
    });
  });
});

/** Replaces text in blobs and lets tree and commit name the changed blobs; trailers stay. */
function reseat(objects: readonly GitObject[], ...replacements: readonly string[]): GitObject[] {
  const ids = new Map<string, string>();
  const order = ['blob', 'tree', 'commit', 'tag'];
  const sorted = objects.toSorted((a, b) => order.indexOf(a.type) - order.indexOf(b.type));
  return sorted.map((object) => {
    let bytes = Buffer.from(object.content);
    if (object.type === 'blob') {
      let text = bytes.toString();
      for (let index = 0; index < replacements.length; index += 2) {
        text = text.replace(replacements[index] ?? '', replacements[index + 1] ?? '');
      }
      bytes = Buffer.from(text);
    } else {
      for (const [from, to] of ids) {
        const text = bytes.toString('latin1').replaceAll(from, to).split(latin(from)).join(latin(to));
        bytes = Buffer.from(text, 'latin1');
      }
    }
    const content = new Uint8Array(bytes);
    const id = gitObjectId(object.type, content);
    ids.set(object.id, id);
    return { id, type: object.type, content };
  });
}

function latin(hex: string): string {
  return Buffer.from(hex, 'hex').toString('latin1');
}
