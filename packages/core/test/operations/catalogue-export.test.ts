import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { metered } from '../../src/backend/metered.ts';
import { openCatalogue } from '../../src/catalogue/open-catalogue.ts';
import { sealBundle } from '../../src/catalogue/seal-bundle.ts';
import { gitObjectId, type GitObject } from '../../src/format/catalogue-bundle.ts';
import { asCommitId, asRepositoryId } from '../../src/format/ids.ts';
import { exportCatalogue } from '../../src/operations/catalogue-export.ts';
import {
  manifestInput,
  repository,
  seededRandom,
  smallHistory,
  testKeys,
  type SmallHistory,
} from '../catalogue/small-history.ts';

const git = spawnSync('git', ['--version']).status === 0;
const at = Date.parse('2025-01-01T02:00:00Z');
const day = 86_400_000;

async function labHistory(): Promise<SmallHistory> {
  const history = smallHistory({ timezone: 'Europe/Berlin' });
  for (let index = 0; index < 4; index += 1) {
    await history.snapshot('healthcare', at + index * day, {
      message: `night ${index}\n\nManifest-SHA256: not a trailer`,
    });
    await history.snapshot('finance.eu', at + index * day);
  }
  await history.snapshot('healthcare', at, { message: 'again', host: 'Ünïcode \u{1f600}' });
  return history;
}

describe('catalogue export', () => {
  let folder: string;
  let target: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mbk-export-'));
    target = join(folder, 'catalogue.git');
  });
  afterEach(() => rm(folder, { recursive: true }));

  const runGit = (...args: string[]): string => {
    const run = spawnSync('git', ['-C', target, ...args], {
      encoding: 'utf8',
      env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null' },
    });
    expect(run.stderr).toBe('');
    expect(run.status).toBe(0);
    return run.stdout;
  };

  test.skipIf(!git)('stock Git reads history, tags and manifests, and finds nothing wrong', async () => {
    const history = await labHistory();
    const report = await exportCatalogue(history.open(), { target, repository });
    expect(report).toMatchObject({ commits: 9, tags: 9, domains: ['healthcare', 'finance.eu'] });

    expect(runGit('fsck', '--strict', '--full')).toBe('');
    expect(runGit('tag', '-l', 'healthcare/*').trim().split('\n')).toEqual([
      'healthcare/2025-01-01',
      'healthcare/2025-01-01.2',
      'healthcare/2025-01-02',
      'healthcare/2025-01-03',
      'healthcare/2025-01-04',
    ]);
    expect(runGit('log', '--stat', '--format=%H %an %aI%n%B')).toContain('snapshot.json | ');
    expect(runGit('log', '--format=%s')).toBe('again\nnight 3\nnight 2\nnight 1\nnight 0\n');
    expect(runGit('log', '--format=%aI', '-1')).toBe('2025-01-01T03:00:00+01:00\n');
    expect(runGit('log', '--format=%(trailers:key=Parent-SHA256,valueonly)', '-1')).toMatch(/^[0-9a-f]{64}\n/);
    expect(runGit('rev-list', '--count', 'finance.eu')).toBe('4\n');
    expect(runGit('symbolic-ref', 'HEAD')).toBe('refs/heads/healthcare\n');

    const manifest: unknown = JSON.parse(runGit('show', 'healthcare/2025-01-02:snapshot.json'));
    expect(manifest).toMatchObject({ domain: 'healthcare', format: 'mbk snapshot', source: manifestInput().source });
    expect(runGit('show', 'healthcare:snapshot.json')).toContain('"host": "Ünïcode \u{1f600}"');
    expect(runGit('cat-file', 'tag', 'healthcare/2025-01-02')).toContain('\n\nnight 1\n');
  });

  test.skipIf(!git)('an earlier export is brought up to date, reading only what is new', async () => {
    const history = await labHistory();
    await exportCatalogue(history.open(), { target, repository });
    const tip = await history.snapshot('healthcare', at + 9 * day);
    await history.snapshot('education', at + 9 * day);
    await history.tag('healthcare', 'v1', tip, at + 9 * day);
    history.tags.splice(0, 1);

    const backend = metered(history.backend);
    const catalogue = openCatalogue({ get: (key) => backend.get(key), keys: history.keys, view: history });
    expect(await exportCatalogue(catalogue, { target, repository })).toMatchObject({ commits: 2, tags: 3 });
    // Two snapshots, the parent of one, a tag's bundle.
    expect(backend.meter.get.calls).toBe(4);

    expect(runGit('fsck', '--strict', '--full', '--no-dangling')).toBe('');
    expect(runGit('rev-parse', 'healthcare', 'healthcare/v1^{commit}')).toBe(`${tip}\n${tip}\n`);
    expect(runGit('rev-list', '--count', 'healthcare')).toBe('6\n');
    expect(runGit('branch', '--format=%(refname:short)')).toBe('education\nfinance.eu\nhealthcare\n');
    expect(runGit('tag', '-l', 'healthcare/2025-01-01')).toBe('');

    expect(await exportCatalogue(history.open(), { target, repository })).toMatchObject({
      commits: 0,
      tags: 0,
      objects: 0,
    });
  });

  test.skipIf(!git)('after `git gc` and another HEAD an update still works and leaves HEAD alone', async () => {
    const history = await labHistory();
    await exportCatalogue(history.open(), { target, repository });
    runGit('gc', '--quiet');
    runGit('symbolic-ref', 'HEAD', 'refs/heads/finance.eu');
    await history.snapshot('finance.eu', at + 9 * day);
    expect(await exportCatalogue(history.open(), { target, repository })).toMatchObject({ commits: 1 });
    expect(runGit('symbolic-ref', 'HEAD')).toBe('refs/heads/finance.eu\n');
    expect(runGit('fsck', '--strict')).toBe('');
  });

  test.skipIf(!git)('a repository without snapshots exports to an empty one', async () => {
    expect(await exportCatalogue(smallHistory().open(), { target, repository })).toMatchObject({
      commits: 0,
      domains: [],
    });
    expect(runGit('log', '--all')).toBe('');
    expect(runGit('symbolic-ref', 'HEAD')).toBe('refs/heads/main\n');
    expect(runGit('for-each-ref')).toBe('');
  });

  test('a folder that is not empty and no export of this repository is left alone', async () => {
    await mkdir(target);
    await writeFile(join(target, 'thesis.txt'), 'mine');
    const refused = expect.objectContaining({ code: 'target-not-empty' });
    await expect(exportCatalogue(smallHistory().open(), { target, repository })).rejects.toEqual(refused);
    expect(await readdir(target)).toEqual(['thesis.txt']);

    const other = join(folder, 'other');
    await exportCatalogue(smallHistory().open(), { target: other, repository: asRepositoryId('77'.repeat(16)) });
    await expect(exportCatalogue(smallHistory().open(), { target: other, repository })).rejects.toEqual(refused);
  });

  test('a target that cannot be written is named', async () => {
    await writeFile(join(folder, 'file'), '');
    await expect(
      exportCatalogue(smallHistory().open(), { target: join(folder, 'file', 'x'), repository }),
    ).rejects.toMatchObject({
      code: 'target-failed',
    });
  });

  test('damage ends the export before a reference moves, and a later one goes on', async () => {
    const history = await labHistory();
    await exportCatalogue(history.open(), { target, repository });
    const references = await readFile(join(target, 'packed-refs'), 'utf8');
    await history.snapshot('healthcare', at + 9 * day);
    const key = `catalogue/${history.lines.at(-1)?.bundle}`;
    const bytes = await history.backend.get(key);
    await history.backend.delete(key);
    await expect(exportCatalogue(history.open(), { target, repository })).rejects.toMatchObject({
      code: 'entry-absent',
    });
    expect(await readFile(join(target, 'packed-refs'), 'utf8')).toBe(references);
    await history.backend.put(key, [bytes]);
    expect(await exportCatalogue(history.open(), { target, repository })).toMatchObject({ commits: 1 });
  });

  test('an aborted export stops', async () => {
    const history = await labHistory();
    const signal = AbortSignal.abort();
    await expect(exportCatalogue(history.open(), { target, repository, signal })).rejects.toMatchObject({
      code: 'interrupted',
    });
  });

  test('what Git could not hold is left out and named', async () => {
    const history = await labHistory();
    const [line] = history.lines;
    const [tag] = history.tags;
    if (line === undefined || tag === undefined) throw new RangeError('no line');
    for (const domain of ['../x', 'a\nb', 'x..y']) history.lines.push({ ...line, domain });
    history.tags.push(
      { ...tag, name: 'healthcare/a b' },
      { ...tag, name: 'healthcare/v9', commit: asCommitId('99'.repeat(20)) },
    );
    expect(await exportCatalogue(history.open(), { target, repository })).toMatchObject({
      commits: 9,
      tags: 9,
      skipped: ['../x', 'a\nb', 'x..y', 'healthcare/a b', 'healthcare/v9'],
    });
    expect(await readFile(join(target, 'packed-refs'), 'utf8')).not.toMatch(/\.\.|heads\/[ax]|a b|v9/);
  });

  test('others may not read it', async () => {
    await exportCatalogue((await labHistory()).open(), { target, repository });
    expect((await stat(target)).mode & 0o077).toBe(0);
  });

  test.skipIf(!git)('ten thousand snapshots', { timeout: 120_000 }, async () => {
    const history = await longHistory(10_000);
    const report = await exportCatalogue(history, { target, repository });
    expect(report).toMatchObject({ commits: 10_000, objects: 10_003 });
    expect(runGit('rev-list', '--count', 'healthcare')).toBe('10000\n');
    expect(runGit('fsck', '--strict')).toBe('');
  });
});

/**
 * A history of one snapshot repeated: commits over one tree. Commits are written by hand, as isomorphic-git takes 1 ms
 * for each; the first is compared with what it makes.
 */
async function longHistory(length: number): Promise<ReturnType<SmallHistory['open']>> {
  const history = smallHistory({ tagged: false });
  await history.snapshot('healthcare', at);
  const first = history.lines[0];
  if (first === undefined) throw new RangeError('no line');
  const start = [...(await history.open().readBundle(first.bundle)).values()];
  const files = start.filter(({ type }) => type !== 'commit');
  const template = Buffer.from(start.find(({ type }) => type === 'commit')?.content ?? []).toString();

  const keys = testKeys();
  const random = seededRandom('long');
  const bundles = new Map([[`catalogue/${first.bundle}`, await history.backend.get(`catalogue/${first.bundle}`)]]);
  const lines = [first];
  let parent = start.find(({ type }) => type === 'commit');
  while (lines.length < length && parent !== undefined) {
    const sha256 = createHash('sha256').update(parent.content).digest('hex');
    const text = `${template.replace('\nauthor', `\nparent ${parent.id}\nauthor`)}Parent-SHA256: ${sha256}\n`;
    const content = new Uint8Array(Buffer.from(text));
    const commit: GitObject = { id: gitObjectId('commit', content), type: 'commit', content };
    const sealed = sealBundle([commit, ...files], { keys, random });
    bundles.set(sealed.key, sealed.bytes);
    lines.push({ ...first, from: asCommitId(parent.id), to: asCommitId(commit.id), bundle: sealed.id });
    parent = commit;
  }
  const get = async (key: string): Promise<Uint8Array> => bundles.get(key) ?? new Uint8Array(0);
  return openCatalogue({ get, keys, view: { lines, tags: [] } });
}
