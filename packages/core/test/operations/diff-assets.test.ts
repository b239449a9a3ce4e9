/** What changed inside assets: between two snapshots, and between one and the source as it is. */
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Handlers } from '../../src/pool/channel.ts';
import { diffAssetFolders } from '../../src/operations/diff-asset-folders.ts';
import { diffAssets, type DifferenceInside } from '../../src/operations/diff-assets.ts';
import { diffSnapshots } from '../../src/operations/diff.ts';
import { exportFolders, type ExportedFolder } from '../../src/operations/export-folders.ts';
import { openFiles } from '../../src/operations/snapshot-files.ts';
import { storedFiles } from '../../src/operations/stored-files.ts';
import { fileOf } from '../chunker/cut.ts';
import { oddHost } from '../plugins/odd-host.ts';
import { testRepository, type TestRepository } from './make-repository.ts';

function write(lab: TestRepository, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [path, content] of Object.entries(files)) {
    const place = join(lab.source, path);
    fs.mkdirSync(join(place, '..'), { recursive: true });
    fs.writeFileSync(place, content);
  }
}

async function take(lab: TestRepository): Promise<void> {
  const plugins = oddHost(lab.source);
  await lab.snapshot({ plugins });
  await plugins.close();
}

interface Compared {
  readonly inside: readonly DifferenceInside[];
  /** Of remote files that the plugin asked for. */
  readonly bytesRead: number;
}

/** `after` is a revision, or the source where there is none. */
async function compare(lab: TestRepository, before: string, after?: string): Promise<Compared> {
  const repository = await lab.open('reader');
  const root = Buffer.from(lab.source).toString('latin1');
  const folder = { root, isPart: () => true };
  const report = await diffSnapshots(repository, { before, after: after ?? folder, paths: [] });
  const stored = storedFiles(repository);
  let bytesRead = 0;
  const read = stored.handlers['read'];
  const handlers: Handlers = {
    ...stored.handlers,
    read: (call: never) => {
      bytesRead += (call as { readonly length: number }).length;
      return read?.(call);
    },
  };
  const host = oddHost(after === undefined ? lab.source : undefined, { handlers });
  const sides = {
    host,
    stored,
    before: await openFiles(repository, before),
    after: after === undefined ? { root } : await openFiles(repository, after),
  };
  const inside: DifferenceInside[] = [];
  for await (const one of diffAssetFolders(repository, report, sides)) inside.push(one);
  for await (const one of diffAssets(repository, report, sides)) inside.push(one);
  await host.close();
  await repository.close();
  return { inside, bytesRead };
}

async function exported(
  lab: TestRepository,
  revision: string,
  paths: readonly string[] = [],
): Promise<ExportedFolder[]> {
  const repository = await lab.open('reader');
  const stored = storedFiles(repository);
  const host = oddHost(undefined, { handlers: stored.handlers });
  const folders: ExportedFolder[] = [];
  const opened = await openFiles(repository, revision);
  for await (const one of exportFolders(repository, opened, { host, paths, stored })) folders.push(one);
  await host.close();
  await repository.close();
  return folders;
}

/** A file of the odd plugin: its word, then noise; `changed` bytes from the middle on. */
function odd(word: string, size: number, changed = 0): Uint8Array {
  const bytes = Buffer.from(fileOf([size], 3));
  bytes.write(`${word}\n`);
  bytes.fill(1, size - changed, size);
  return bytes;
}

describe('files', () => {
  test('are compared by the plugin that knows them, stored ones and those of the source', async () => {
    const lab = await testRepository();
    write(lab, {
      'lab/a.odd': 'good 1',
      'lab/b.odd': 'good',
      'lab/c.odd': 'good',
      'lab/d.odd': 'good',
      'lab/e.txt': 'a',
    });
    await take(lab);
    write(lab, { 'lab/a.odd': 'good 22', 'lab/b.odd': 'throws', 'lab/c.odd': 'rubbish', 'lab/e.txt': 'b' });
    const ofSource = await compare(lab, 'lab');
    await take(lab);
    const ofSnapshots = await compare(lab, 'lab~1', 'lab');
    const [a, b, c, ...others] = ofSnapshots.inside;
    expect(a).toEqual({
      path: 'lab/a.odd',
      kind: 'model/odd',
      plugin: 'odd 1.0.0',
      difference: {
        changes: [{ what: 'size', name: 'size', change: 'changed', before: 6, after: 7 }],
        lines: ['6 to 7'],
      },
      problem: null,
    });
    expect(b).toMatchObject({ path: 'lab/b.odd', difference: null, problem: { code: 'host/plugin-failed' } });
    expect(c).toMatchObject({ path: 'lab/c.odd', difference: null, problem: { code: 'host/plugin-answer' } });
    expect(others).toEqual([]);
    expect(ofSource.inside).toEqual(ofSnapshots.inside);
  });

  test('spans of stored files are compared by what they are made of, and read only where that differs', async () => {
    const lab = await testRepository();
    const size = 8_000_000;
    write(lab, { 'lab/a.odd': odd('good', size) });
    await take(lab);
    write(lab, { 'lab/a.odd': odd('good', size, 4) });
    await take(lab);
    const { bytesRead, inside } = await compare(lab, 'lab~1', 'lab');
    expect(inside).toMatchObject([{ difference: { changes: [{ what: 'half', name: '1' }] } }]);
    // One span is read, of two; an answer from memory would have to be wrong.
    expect(bytesRead).toBeLessThan(2 * size);
    const other = await compare(lab, 'lab~1');
    expect(other.inside).toEqual(inside);
  });
});

describe('folders', () => {
  test('are compared with what is known of their files, which are not read', async () => {
    const lab = await testRepository();
    write(lab, {
      'lab/set/MARKER': 'm',
      'lab/set/a.lines': '1\n2\n',
      'lab/set/deep/b.lines': '3\n',
      'lab/set/gone': '-',
      'lab/none/c.lines': '',
    });
    await take(lab);
    fs.rmSync(join(lab.source, 'lab/set/gone'));
    write(lab, { 'lab/set/a.lines': '1\n2\n3\n', 'lab/set/new.lines': '9\n', 'lab/none/c.lines': '1\n' });
    const ofSource = await compare(lab, 'lab');
    await take(lab);
    const { inside } = await compare(lab, 'lab~1', 'lab');
    // Its files come after it, those that changed.
    expect(inside.map(({ path }) => path)).toEqual(['lab/set', 'lab/none/c.lines', 'lab/set/a.lines']);
    expect(inside[0]).toMatchObject({
      path: 'lab/set',
      kind: 'dataset/folder',
      plugin: 'odd 1.0.0',
      problem: null,
      difference: { changes: [{ name: 'lab/set' }] },
    });
    const [change] = inside[0]?.difference?.changes ?? [];
    const forms = (side: unknown): string => String(side).replaceAll(/ [0-9a-f]{4}(?=;|$)/g, '');
    expect(forms(change?.before)).toBe('MARKER - -1; a.lines dataset/lines 2; deep/b.lines dataset/lines 1; gone - -1');
    expect(forms(change?.after)).toBe(
      'MARKER - -1; a.lines dataset/lines 3; deep/b.lines dataset/lines 1; new.lines dataset/lines 1',
    );
    expect(ofSource.inside).toEqual(inside);
    // Seen from a folder above or below, the paths are those from there.
    expect((await compare(lab, 'lab~1:lab/set', 'lab:lab/set')).inside).toMatchObject([
      { path: '.' },
      { path: 'a.lines' },
    ]);
    expect((await compare(lab, 'lab~1:lab/none', 'lab:lab/none')).inside).toMatchObject([{ path: 'c.lines' }]);
  });

  test('are exported with what their plugin wants beside them, never outside of them', async () => {
    const lab = await testRepository();
    write(lab, {
      'lab/set/MARKER': 'm',
      'lab/set/a.lines': '1\n',
      'lab/deep/bad/MARKER': 'm',
      'lab/deep/bad/escape.lines': '1\n',
    });
    await take(lab);
    const [bad, set] = await exported(lab, 'lab');
    expect(bad).toMatchObject({ path: 'lab/deep/bad', files: [], problem: { code: 'host/plugin-answer' } });
    expect(set).toMatchObject({ path: 'lab/set', location: 'lab/set', kind: 'dataset/folder', problem: null });
    expect(set?.files.map(({ path, text }) => [path, text.replaceAll(/[0-9a-f]{64}/g, '#')])).toEqual([
      ['SUMS', '#  MARKER\n#  a.lines\n'],
    ]);
    expect((await exported(lab, 'lab', ['lab/set'])).map(({ path }) => path)).toEqual(['lab/set']);
    expect((await exported(lab, 'lab', ['lab/set/a.lines'])).map(({ path }) => path)).toEqual([]);
    expect((await exported(lab, 'lab:lab/set')).map(({ path }) => path)).toEqual(['.']);
  });
});
