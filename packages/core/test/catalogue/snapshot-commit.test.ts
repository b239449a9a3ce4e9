import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { memoryBackend } from '../../src/backend/memory.ts';
import { metered } from '../../src/backend/metered.ts';
import { sealBundle } from '../../src/catalogue/seal-bundle.ts';
import {
  commitSnapshot,
  prepareSnapshot,
  writeSnapshotCommit,
  writeTagObject,
} from '../../src/catalogue/snapshot-commit.ts';
import { sha256Hex } from '../../src/crypto/hash.ts';
import { asCommitId } from '../../src/format/ids.ts';
import { asset, author, collection, manifestInput, seededRandom, smallHistory, testKeys } from './small-history.ts';

const at = Date.parse('2025-01-01T02:00:00.900Z');
const options = { parent: undefined, author, at, timezone: 'America/St_Johns' };
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

describe('commits of snapshots', () => {
  test('author, local time, summary and trailers stand in the commit', async () => {
    const made = await writeSnapshotCommit(manifestInput(), { ...options, assets: [asset] });
    expect(textOf(made.content)).toBe(
      `tree ${made.prepared.tree}\n` +
        'author Ada <ada@lab.example> 1735696800 -0330\n' +
        'committer Ada <ada@lab.example> 1735696800 -0330\n\n' +
        `daily: 3 files of models/checkpoint\n\nManifest-SHA256: ${made.prepared.manifestSha256}\n`,
    );
    expect(made.message).toBe('daily: 3 files of models/checkpoint');
    expect(made.objects.map(({ type }) => type).toSorted()).toEqual(['blob', 'blob', 'commit', 'tree']);
    expect(made.tagObject).toBeUndefined();
  });

  test('a message that was given is kept, in the manifest too', async () => {
    const made = await writeSnapshotCommit(manifestInput({ message: 'before deploy\r\n\r\ndetails\n' }), {
      ...options,
      assets: [],
    });
    expect(made.prepared.manifest.message).toBe('before deploy\n\ndetails');
    expect(textOf(made.content)).toContain('\n\nbefore deploy\n\ndetails\n\nManifest-SHA256: ');
  });

  test('the same input gives the same commit, byte by byte', async () => {
    const make = () =>
      writeSnapshotCommit(manifestInput(), { ...options, assets: [asset], tag: 'healthcare/2025-01-01' });
    expect((await make()).objects).toEqual((await make()).objects);
  });

  test('after a lost race only commit and tag differ', async () => {
    const prepared = await prepareSnapshot(manifestInput(), { assets: [asset] });
    const first = await commitSnapshot(prepared, { ...options, tag: 'healthcare/2025-01-01' });
    const parent = { id: asCommitId('12'.repeat(20)), content: first.content };
    const second = await commitSnapshot(prepared, { ...options, parent, tag: 'healthcare/2025-01-01.2' });
    expect(textOf(second.content)).toContain(`parent ${parent.id}\n`);
    expect(textOf(second.content)).toContain(`\nParent-SHA256: ${sha256Hex(first.content)}\n`);
    const ids = new Set(first.objects.map(({ id }) => id));
    expect(
      second.objects
        .filter(({ id }) => !ids.has(id))
        .map(({ type }) => type)
        .toSorted(),
    ).toEqual(['commit', 'tag']);
  });

  test('the tag is annotated and names the commit', async () => {
    const made = await writeSnapshotCommit(manifestInput(), { ...options, assets: [], tag: 'healthcare/2025-01-01' });
    const tag = made.objects.find(({ id }) => id === made.tagObject);
    expect(textOf(tag?.content ?? new Uint8Array(0))).toBe(
      `object ${made.commit}\ntype commit\ntag healthcare/2025-01-01\ntagger Ada <ada@lab.example> 1735696800 -0330\n\n` +
        'daily: 3 files of models/checkpoint\n',
    );
    const prepared = await prepareSnapshot(manifestInput(), { assets: [] });
    await expect(commitSnapshot(prepared, { ...options, tag: 'finance/v1' })).rejects.toMatchObject({
      code: 'name-invalid',
    });
  });

  test('a tag can be made later', async () => {
    const made = await writeTagObject({
      ...options,
      domain: 'healthcare',
      name: 'v2',
      commit: asCommitId('12'.repeat(20)),
      message: '',
    });
    expect(made.name).toBe('healthcare/v2');
    expect(made.objects).toHaveLength(1);
    expect(textOf(made.objects[0]?.content ?? new Uint8Array(0))).toMatch(
      /^object (12){20}\ntype commit\ntag healthcare\/v2\n/,
    );
  });

  test('notes are cut to what a manifest may hold', async () => {
    const notes = Array.from({ length: 1200 }, (_, index) => ({ path: `f${index}`, problem: 'p'.repeat(2000) }));
    const { manifest } = await prepareSnapshot(manifestInput({ notes }), { assets: [] });
    expect(manifest.notes).toHaveLength(1000);
    expect(manifest.notesOmitted).toBe(200);
    const long = [{ path: 'x'.repeat(1_100_000), problem: 'long' }];
    expect((await prepareSnapshot(manifestInput({ notes: long }), { assets: [] })).manifest).toMatchObject({
      notes: [],
      notesOmitted: 1,
    });
  });

  test('what breaks the schema is not written', async () => {
    for (const broken of [
      { run: 'x' },
      { host: 'h'.repeat(3000) },
      { collections: [collection('b/b'), collection('a/a')] },
    ]) {
      await expect(prepareSnapshot(manifestInput(broken), { assets: [] })).rejects.toMatchObject({
        code: 'value-invalid',
      });
    }
    await expect(prepareSnapshot(manifestInput(), { assets: [{ ...asset, sha256: 'x' }] })).rejects.toMatchObject({
      code: 'value-invalid',
    });
  });

  test('nothing but one sealed bundle reaches the backend, and nothing of it is in the clear', async () => {
    const backend = metered(memoryBackend());
    const made = await writeSnapshotCommit(manifestInput(), {
      ...options,
      assets: [asset],
      tag: 'healthcare/2025-01-01',
    });
    const sealed = sealBundle(made.objects, { keys: testKeys(), random: seededRandom('one') });
    await backend.put(sealed.key, [sealed.bytes]);

    const keys: string[] = [];
    for await (const { key } of backend.list('')) keys.push(key);
    expect(keys).toEqual([`catalogue/${sha256Hex(sealed.bytes)}`]);
    expect(backend.meter.put).toMatchObject({ calls: 1, bytes: sealed.bytes.byteLength });
    const bytes = Buffer.from(sealed.bytes);
    for (const text of ['healthcare', 'checkpoint', 'trainer-1', 'snapshot.json', 'Ada', made.commit]) {
      expect(bytes.includes(text), text).toBe(false);
    }
    expect(bytes.includes(Buffer.from(made.commit, 'hex'))).toBe(false);
  });

  test('bundles of equal content have different names', async () => {
    const made = await writeSnapshotCommit(manifestInput(), { ...options, assets: [] });
    const random = seededRandom('two');
    const keys = testKeys();
    expect(sealBundle(made.objects, { keys, random }).id).not.toBe(sealBundle(made.objects, { keys, random }).id);
    const { catalogue: _left, ...rest } = keys.shared;
    const without = { ...keys, shared: { ...rest, catalogue: undefined } };
    expect(() => sealBundle(made.objects, { keys: without, random })).toThrow(
      expect.objectContaining({ code: 'role-denied' }),
    );
  });

  test('writing history leaves no file on the disk', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mbk-no-files-'));
    try {
      // Its working, home and temporary folders are one, where it may write, and where a file would be seen.
      const script = `
        const { smallHistory } = await import(${JSON.stringify(join(import.meta.dirname, 'small-history.ts'))});
        const history = smallHistory();
        await history.snapshot('healthcare', ${at});
        await history.snapshot('healthcare', ${at});
        const entries = await Array.fromAsync(history.backend.list(''));
        console.log(entries.length);`;
      const flags = [
        '--permission',
        '--allow-fs-read=*',
        `--allow-fs-write=${folder}`,
        '--input-type=module',
        '--conditions=@mbk/source',
      ];
      const run = spawnSync(process.execPath, [...flags, '-e', script], {
        cwd: folder,
        env: { ...process.env, TMPDIR: folder, HOME: folder, NODE_OPTIONS: '' },
        encoding: 'utf8',
      });
      expect(run.stderr).toBe('');
      expect(run.stdout).toBe('2\n');
      expect(await readdir(folder)).toEqual([]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('history over several snapshots reads back', async () => {
    const history = smallHistory();
    const first = await history.snapshot('healthcare', at);
    const second = await history.snapshot('healthcare', at + 86_400_000);
    const { commit } = await history.open().readSnapshot(second);
    expect(commit.parent).toBe(first);
  });
});
