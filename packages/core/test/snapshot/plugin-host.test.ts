/** A plugin may do what it likes: it costs a finding, never the snapshot. */
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { AssetLine } from '../../src/format/asset-line.ts';
import { readAssetTable } from '../../src/operations/asset-table.ts';
import type { SnapshotReport, SnapshotRequest } from '../../src/operations/snapshot.ts';
import { fileOf } from '../chunker/cut.ts';
import { testRepository, type TestRepository } from '../operations/make-repository.ts';
import { oddHost } from '../plugins/odd-host.ts';

/** Long enough for a busy machine: what hangs here hangs for ever. */
const idleMs = 3000;

async function assetsOf(lab: TestRepository, report: SnapshotReport): Promise<ReadonlyMap<string, AssetLine>> {
  const repository = await lab.open('reader');
  const assets = new Map<string, AssetLine>();
  for (const { commit } of report.snapshots) {
    const { manifest } = await repository.catalogue().readSnapshot(commit);
    for (const { assets: table } of manifest.collections) {
      if (table === null) continue;
      for await (const line of readAssetTable(repository.readBlob, table))
        assets.set(typeof line.path === 'string' ? line.path : line.path.hex, line);
    }
  }
  await repository.close();
  return assets;
}

function write(lab: TestRepository, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [path, content] of Object.entries(files)) {
    const place = join(lab.source, path);
    fs.mkdirSync(join(place, '..'), { recursive: true });
    fs.writeFileSync(place, content);
  }
}

async function take(
  lab: TestRepository,
  request: Partial<SnapshotRequest> = {},
  layouts?: string,
): Promise<SnapshotReport> {
  const host = oddHost(lab.source, { idleMs, heapMb: 64 }, layouts);
  const report = await lab.snapshot({ plugins: host, ...request });
  await host.close();
  return report;
}

const codesOf = (line: AssetLine | undefined): readonly string[] => line?.findings?.map(({ code }) => code) ?? [];

describe('assets of a snapshot', () => {
  test.each([1, 2])('are examined whatever one plugin does with one of them, with %i threads', async (jobs) => {
    const lab = await testRepository();
    const words = ['good', 'throws', 'loops', 'hangs', 'exits', 'dies', 'rubbish', 'functions', 'past-the-end', 'bad'];
    write(lab, Object.fromEntries(words.map((word) => [`lab/${word}.odd`, `${word}\n`])));
    write(lab, { 'lab/eats.odd': 'eats\n', 'lab/loops.lines': 'loops\n', 'lab/three.lines': 'a\nb\nc\n' });
    const report = await take(lab, { jobs });
    const assets = await assetsOf(lab, report);
    const codes = Object.fromEntries([...assets].map(([path, line]) => [path.slice(4), codesOf(line)]));
    expect(codes).toEqual({
      'good.odd': [],
      'throws.odd': ['host/plugin-failed'],
      'loops.odd': ['host/plugin-hung'],
      'hangs.odd': ['host/plugin-hung'],
      'exits.odd': ['host/plugin-died'],
      'dies.odd': ['host/plugin-died'],
      'eats.odd': ['host/plugin-memory'],
      'rubbish.odd': ['host/plugin-answer'],
      'functions.odd': ['host/plugin-answer'],
      'past-the-end.odd': ['host/plugin-failed'],
      'bad.odd': ['odd/bad'],
      'loops.lines': ['host/plugin-hung'],
      'three.lines': [],
    });
    expect(assets.get('lab/good.odd')).toMatchObject({
      plugin: 'odd 1.0.0',
      summary: 'odd: good',
      facts: { size: 5, half: 0.5 },
    });
    expect(assets.get('lab/three.lines')).toMatchObject({ summary: '3 lines', facts: { lines: 3, bytes: 6 } });
    const [finding] = assets.get('lab/throws.odd')?.findings ?? [];
    expect(finding?.message).toMatch(/odd 1\.0\.0 failed on lab\/throws\.odd: TypeError: cannot read/);
    expect(report.findings.filter(({ finding: { severity } }) => severity === 'error')).toHaveLength(11);
    expect(report.incomplete).toEqual([]);
  });

  test('are cut without a layout that never comes', async () => {
    for (const layouts of ['loops', 'throws']) {
      const lab = await testRepository();
      write(lab, { 'lab/large.odd': fileOf([3_000_064], 1), 'lab/small.odd': fileOf([1064], 2) });
      const report = await take(lab, {}, layouts);
      expect(report.files).toBe(2);
      expect(report.incomplete).toEqual([]);
    }
  });

  test.each([1, 3])('have the rows of their tensors looked at as they pass by, with %i threads', async (jobs) => {
    const lab = await testRepository();
    const floats = new Float32Array(3_000_000).fill(1);
    floats[1_500_000] = Number.NaN;
    floats[2_000_001] = -Infinity;
    const bytes = Buffer.concat([Buffer.alloc(64, 'rows '), Buffer.from(floats.buffer)]);
    write(lab, { 'lab/bad.odd': bytes, 'lab/few.odd': bytes.subarray(0, 64 + 400) });
    const assets = await assetsOf(lab, await take(lab, { jobs }));
    expect(assets.get('lab/bad.odd')?.findings).toEqual([
      { code: 'odd/rows', severity: 'info', message: '1 1 6000000' },
    ]);
    expect(assets.get('lab/few.odd')?.findings?.[0]?.message).toBe('0 0 -1');
  });

  test.each([1, 3])('are streamed once as they are read, with %i threads', async (jobs) => {
    const lab = await testRepository();
    const line = `${'x'.repeat(99)}\n`;
    write(lab, {
      'lab/long.lines': line.repeat(50_000),
      'lab/other.lines': line.repeat(30_000),
      'lab/enough.lines': `enough\n${line.repeat(90_000)}`,
    });
    const assets = await assetsOf(lab, await take(lab, { jobs }));
    expect(assets.get('lab/long.lines')?.facts).toEqual({ lines: 50_000, bytes: 5_000_000 });
    expect(assets.get('lab/other.lines')?.facts).toEqual({ lines: 30_000, bytes: 3_000_000 });
    expect(assets.get('lab/enough.lines')?.findings).toBeUndefined();
  });

  test('see their siblings, and none outside of the source', async () => {
    const lab = await testRepository();
    fs.writeFileSync(join(lab.folder, 'secret.txt'), 'secret');
    write(lab, { 'lab/sibling.odd': 'sibling\n', 'lab/other.txt': '12345', 'lab/escape.odd': 'escape\n' });
    fs.symlinkSync('../../secret.txt', join(lab.source, 'lab/link.txt'));
    const assets = await assetsOf(lab, await take(lab));
    expect(assets.get('lab/sibling.odd')?.findings?.[0]?.message).toBe('5');
    expect(codesOf(assets.get('lab/escape.odd'))).toEqual([]);
  });

  test('that did not change are examined again only when something that counts did', async () => {
    const lab = await testRepository();
    write(lab, { 'lab/sibling.odd': 'sibling\n', 'lab/good.odd': 'good\n', 'lab/other.txt': '1' });
    const past = new Date(Date.now() - 10_000);
    for (const name of ['sibling.odd', 'good.odd', 'other.txt'])
      fs.utimesSync(join(lab.source, 'lab', name), past, past);
    await new Promise((resolve) => setTimeout(resolve, 2100)); // the stat cache trusts no younger rows
    await take(lab);
    write(lab, { 'lab/other.txt': '1234567' });
    const report = await take(lab);
    expect(report.readBytes).toBe(7);
    const assets = await assetsOf(lab, report);
    expect(assets.get('lab/sibling.odd')?.findings?.[0]?.message).toBe('7');
    expect(assets.get('lab/good.odd')?.summary).toBe('odd: good');
  });

  test('make a folder an asset, with facts of its files, and drift is found', async () => {
    const lab = await testRepository();
    write(lab, {
      'lab/set/MARKER': 'm',
      'lab/set/a.lines': '1\n2\n',
      'lab/set/deep/b.lines': '3\n',
      'lab/none.txt': '',
    });
    const first = await assetsOf(lab, await take(lab));
    expect(first.get('lab/set')).toMatchObject({
      kind: 'dataset/folder',
      sha256: null,
      size: 7,
      summary: '3 files',
      facts: { files: ['MARKER', 'a.lines', 'deep/b.lines'], lines: 3, marker: 1 },
    });
    write(lab, { 'lab/set/a.lines': '1\n2\n3\n' });
    const second = await assetsOf(lab, await take(lab));
    expect(second.get('lab/set/a.lines')?.findings).toEqual([
      { code: 'odd/drift', severity: 'warning', message: '2 to 3' },
    ]);
    expect(codesOf(second.get('lab/set/deep/b.lines'))).toEqual([]);
  });

  test('with errors are flagged, and stop a strict run before it is history', async () => {
    const lab = await testRepository();
    write(lab, { 'lab/bad.odd': 'bad\n' });
    await expect(take(lab, { strict: true })).rejects.toMatchObject({ code: 'validation-failed', exitCode: 3 });
    const repository = await lab.open();
    expect(repository.log.fold.heads.size).toBe(0);
    await repository.close();
    const report = await take(lab);
    const reader = await lab.open('reader');
    const { manifest } = await reader.catalogue().readSnapshot(report.snapshots[0]?.commit ?? ('' as never));
    expect(manifest.collections[0]?.flags).toEqual(['findings']);
    await reader.close();
  });
});
