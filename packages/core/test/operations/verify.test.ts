import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { localBackend } from '../../src/backend/local.ts';
import type { PackId } from '../../src/format/ids.ts';
import { packKey } from '../../src/format/ids.ts';
import {
  verifyRepository,
  type VerifyEvent,
  type VerifyReport,
  type VerifyRequest,
} from '../../src/operations/verify.ts';
import { executeIndexRepair, planIndexRepair } from '../../src/operations/repair-index.ts';
import { idOf } from '../pack/test-keys.ts';
import { storeOver } from './store-over.ts';
import { temporaryFolder, testRepository, type TestRepository } from './make-repository.ts';

/** A source with every kind of record: chunk lists, zero runs, links, empty files and folders. */
export function fillSource(source: string): void {
  mkdirSync(join(source, 'lab/deep/empty'), { recursive: true });
  writeFileSync(join(source, 'lab/model.bin'), randomBytes(2_500_000));
  writeFileSync(join(source, 'lab/notes.txt'), 'alpha');
  writeFileSync(join(source, 'lab/deep/zero'), '');
  writeFileSync(join(source, 'lab/deep/sparse'), randomBytes(70_000));
  truncateSync(join(source, 'lab/deep/sparse'), 2_000_000);
  linkSync(join(source, 'lab/notes.txt'), join(source, 'lab/deep/same'));
  symlinkSync('../notes.txt', join(source, 'lab/deep/link'));
  writeFileSync(join(source, 'top.txt'), 'top');
}

/** Whether threads work is to make no difference. */
const ways = [
  ['on one thread', { jobs: 1 }],
  ['on threads', { jobs: 2, threadsFrom: 0 }],
] as const;

async function keysUnder(backend: Backend, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of backend.list(prefix)) keys.push(key);
  return keys;
}

async function damage(backend: Backend, key: string, change: (bytes: Uint8Array) => Uint8Array): Promise<void> {
  const bytes = change(await backend.get(key));
  await backend.delete(key);
  await backend.put(key, [bytes]);
}

const flipAt =
  (at: number) =>
  (bytes: Uint8Array): Uint8Array =>
    bytes.map((byte, i) => (i === (at + bytes.length) % bytes.length ? byte ^ 1 : byte));

async function labWithTwo(stored?: Backend): Promise<TestRepository> {
  const lab = await testRepository(stored);
  fillSource(lab.source);
  await lab.snapshot();
  writeFileSync(join(lab.source, 'lab/notes2.txt'), 'beta');
  await lab.snapshot({ tag: 'v2' });
  return lab;
}

describe.each(ways)('verify, %s,', (_, way) => {
  const verify = async (lab: TestRepository, request: Partial<VerifyRequest> = {}): Promise<VerifyReport> => {
    const repository = await lab.open();
    try {
      return await verifyRepository(repository, { revisions: [], data: false, ...way, ...request });
    } finally {
      await repository.close();
    }
  };

  test('finds nothing in a sound repository and says what it looked at', async () => {
    const lab = await labWithTwo();
    const events: VerifyEvent[] = [];
    const repository = await lab.open();
    const report = await verifyRepository(
      repository,
      { revisions: [], data: true, independent: true, ...way },
      { onEvent: (event) => events.push(event) },
    );
    expect(report.findings).toEqual([]);
    expect(report).toMatchObject({ level: 'data', errors: 0, warnings: 0, head: { n: 3 } });
    expect(report.counts).toMatchObject({
      logEntries: 3,
      segments: 2,
      snapshots: 4,
      tags: 6,
      captures: 4,
      expiredCaptures: 0,
    });
    expect(report.counts.packBytes).toBeGreaterThan(2_500_000);
    expect(report.strays).toEqual({ packs: 0, segments: 0, bundles: 0, states: 0, other: 0, bytes: 0 });
    expect(new Set(events.map((event) => (event.type === 'progress' ? event.phase : event.type)))).toEqual(
      new Set(['keys', 'log', 'index', 'snapshots', 'packs']),
    );
  });

  test('names every file that a missing pack takes away, and no other', async () => {
    const lab = await labWithTwo();
    const [key = ''] = await largest(lab.backend, 'packs/');
    await lab.backend.delete(key);
    const { findings } = await verify(lab);
    expect(findings.map(({ code, key: found }) => [code, found])).toEqual([['pack-absent', key]]);
    const [finding] = findings;
    const paths = new Set(finding?.dependents?.map(({ path }) => path));
    expect(paths).toContain('lab/model.bin');
    expect(paths).toContain('lab/deep/sparse');
    expect(paths).not.toContain('lab/notes2.txt');
    expect(new Set(finding?.dependents?.map(({ commit }) => commit)).size).toBeGreaterThanOrEqual(2);
  });

  describe('of blobs that are stored over others', () => {
    /** Files `a` to `d` with one blob each: `b` over `a`, `c` over `b`, and `d` by itself; one pack each. */
    const labOfChain = async (): Promise<{ readonly lab: TestRepository; readonly packs: readonly PackId[] }> => {
      const lab = await testRepository();
      const blobs = ['a', 'b', 'c', 'd'].map(() => randomBytes(100_000));
      mkdirSync(join(lab.source, 'lab'));
      const repository = await lab.open();
      const packs: PackId[] = [];
      for (const [at, bytes] of blobs.entries()) {
        const bases = at === 3 ? [] : blobs.slice(Math.max(at - 1, 0), at).map(idOf);
        packs.push(await storeOver(repository, [{ bytes, bases, depth: at === 3 ? 0 : at }]));
        writeFileSync(join(lab.source, 'lab', 'abcd'[at] ?? ''), bytes);
      }
      await repository.close();
      await lab.snapshot();
      return { lab, packs };
    };
    const keyOf = (packs: readonly PackId[], at: number): string => packKey('data', packs[at] ?? ('' as PackId));
    const pathsOf = ({ findings: [finding] }: VerifyReport): unknown[] =>
      (finding?.dependents ?? []).map(({ path }) => path).toSorted();

    test('damage in a base names every file that needs it, at any depth, and no other', async () => {
      const { lab, packs } = await labOfChain();
      expect(await verify(lab, { data: true })).toMatchObject({ findings: [] });
      const whole = await lab.backend.get(keyOf(packs, 0));
      await damage(lab.backend, keyOf(packs, 0), flipAt(50_000));
      const damaged = await verify(lab, { data: true });
      expect(damaged.findings.map(({ code, key }) => [code, key])).toEqual([['pack-damaged', keyOf(packs, 0)]]);
      expect(pathsOf(damaged)).toEqual(['lab/a', 'lab/b', 'lab/c']);

      await damage(lab.backend, keyOf(packs, 0), () => whole);
      await damage(lab.backend, keyOf(packs, 1), flipAt(50_000));
      expect(pathsOf(await verify(lab, { data: true }))).toEqual(['lab/b', 'lab/c']);

      await lab.backend.delete(keyOf(packs, 1));
      const absent = await verify(lab);
      expect(absent.findings.map(({ code, key }) => [code, key])).toEqual([['pack-absent', keyOf(packs, 1)]]);
      expect(pathsOf(absent)).toEqual(['lab/b', 'lab/c']);
    });

    test('a base that is no file of a snapshot is read with it, and stored again with what is lost under it', async () => {
      const { lab, packs } = await labOfChain();
      for (const name of ['a', 'b']) rmSync(join(lab.source, 'lab', name));
      await lab.snapshot();
      await damage(lab.backend, keyOf(packs, 0), flipAt(50_000));
      const newest = await verify(lab, { data: true, revisions: ['lab'] });
      expect(newest.findings.map(({ code, key }) => [code, key])).toEqual([['pack-damaged', keyOf(packs, 0)]]);
      expect(pathsOf(newest)).toEqual(['lab/c']);

      await lab.backend.delete(keyOf(packs, 0));
      const repository = await lab.open();
      await executeIndexRepair(repository, await planIndexRepair(repository));
      await repository.close();
      await lab.snapshot();
      expect(await verify(lab, { data: true, revisions: ['lab'] })).toMatchObject({ errors: 0 });
    });
  });

  test('a changed byte in a frame is found by reading data, and names the frame and its files', async () => {
    const lab = await labWithTwo();
    const [key = ''] = await largest(lab.backend, 'packs/');
    await damage(lab.backend, key, flipAt(200_000));
    expect((await verify(lab)).errors).toBe(0);
    const { findings } = await verify(lab, { data: true });
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({ code: 'pack-damaged', severity: 'error', key });
    expect(findings[0]?.message).toMatch(/frames? \d/);
    expect(findings[0]?.dependents?.length).toBeGreaterThan(0);
  });

  test('packs that are files are read by whoever checks them, and damage in them is told as ever', async () => {
    const lab = await labWithTwo(localBackend(join(temporaryFolder(), 'repository')));
    expect(await verify(lab, { data: true })).toMatchObject({ errors: 0, findings: [] });
    const [key = ''] = await largest(lab.backend, 'packs/');
    await damage(lab.backend, key, flipAt(200_000));
    const { findings } = await verify(lab, { data: true });
    expect(findings).toMatchObject([{ code: 'pack-damaged', severity: 'error', key }]);
    expect(findings[0]?.message).toMatch(/SHA-256.*frames? \d/);
  });

  test('a cut pack is noticed without reading data; with data, what is left of it counts', async () => {
    const lab = await labWithTwo();
    const [key = ''] = await largest(lab.backend, 'packs/');
    const before = await verify(lab);
    expect(before.errors).toBe(0);
    await damage(lab.backend, key, (bytes) => bytes.subarray(0, bytes.length - 10));
    expect((await verify(lab)).findings).toMatchObject([{ code: 'pack-damaged', key }]);
    const { findings } = await verify(lab, { data: true });
    expect(findings).toMatchObject([{ code: 'pack-damaged', key, dependents: [] }]);
  });

  test('with revisions only what they need is looked at', async () => {
    const lab = await testRepository();
    mkdirSync(join(lab.source, 'one'));
    mkdirSync(join(lab.source, 'two'));
    writeFileSync(join(lab.source, 'one/a'), randomBytes(600_000));
    await lab.snapshot();
    writeFileSync(join(lab.source, 'two/b'), randomBytes(700_000));
    await lab.snapshot();
    const [key = ''] = await largest(lab.backend, 'packs/');
    await damage(lab.backend, key, flipAt(300_000));
    expect((await verify(lab, { data: true, revisions: ['one'] })).errors).toBe(0);
    const two = await verify(lab, { data: true, revisions: ['two'] });
    expect(two.findings).toMatchObject([
      { code: 'pack-damaged', key, dependents: [{ domain: 'two', path: 'two/b', collection: 'data/all' }] },
    ]);
    expect(two.counts.packs).toBeLessThan((await verify(lab)).counts.packs);
  });

  test('index, bundles, keys and the log are read whole', async () => {
    for (const [prefix, code] of [
      ['index/', 'segment-damaged'],
      ['catalogue/', 'bundle-damaged'],
      ['copy/slots/', 'key-entry-damaged'],
      ['grants/', 'key-entry-damaged'],
    ] as const) {
      const lab = await labWithTwo();
      const [key = ''] = await keysUnder(lab.backend, prefix);
      await damage(lab.backend, key, flipAt(150));
      const { findings, errors } = await verify(lab);
      expect(errors, key).toBeGreaterThan(0);
      expect(
        findings.map(({ code: found, key: at }) => [found, at]),
        key,
      ).toContainEqual([code, key]);
    }
  });

  test('a snapshot whose captures expired needs nothing of them', async () => {
    const lab = await labWithTwo();
    const repository = await lab.open();
    const captures = repository.log.fold.lines
      .values()
      .toArray()
      .flatMap(({ to, line }) => line.captures.map(({ collection }) => ({ commit: to, collection })));
    await repository.log.append(() => ({ ops: [{ op: 'expire', captures, reason: 'test' }] }));
    const packs = [...(await repository.index()).packs()];
    for (const { kind, id } of packs) await lab.backend.delete(packKey(kind, id as PackId));
    const { findings, counts } = await verify(lab);
    expect(counts).toMatchObject({ captures: 0, expiredCaptures: 4 });
    expect(findings.every(({ code, dependents }) => code === 'pack-absent' && dependents?.length === 0)).toBe(true);
  });

  test('entries that nothing names are counted and no error', async () => {
    const lab = await labWithTwo();
    const [key = ''] = await keysUnder(lab.backend, 'packs/');
    const bytes = await lab.backend.get(key);
    await lab.backend.put(`packs/00/${'0'.repeat(64)}`, [bytes]);
    await lab.backend.put('elsewhere/file', [bytes]);
    const { errors, strays } = await verify(lab);
    expect(errors).toBe(0);
    expect(strays).toEqual({ packs: 1, segments: 0, bundles: 0, states: 0, other: 1, bytes: 2 * bytes.length });
  });

  test('what a killed init, key add or key remove leaves is no damage', async () => {
    const lab = await labWithTwo();
    const unfinished = await testRepository();
    const [slot = ''] = await keysUnder(unfinished.backend, 'slots/');
    const [grant = ''] = await keysUnder(unfinished.backend, 'grants/');
    for (const key of [slot, grant]) await lab.backend.put(key, [await unfinished.backend.get(key)]);
    expect((await verify(lab)).findings).toEqual([]);
    await lab.backend.delete('copy/mbk.json');
    expect((await verify(lab)).findings).toMatchObject([
      { code: 'key-entry-absent', severity: 'warning', key: 'copy/mbk.json' },
    ]);
  });

  test('a copy of a slot or grant in use that is gone is damage', async () => {
    for (const prefix of ['copy/slots/', 'grants/']) {
      const lab = await labWithTwo();
      const [key = ''] = await keysUnder(lab.backend, prefix);
      await lab.backend.delete(key);
      expect((await verify(lab)).findings).toMatchObject([{ code: 'key-entry-absent', severity: 'error', key }]);
    }
  });
});

async function largest(backend: Backend, prefix: string): Promise<string[]> {
  const entries: { readonly key: string; readonly size: number }[] = [];
  for await (const entry of backend.list(prefix)) entries.push(entry);
  return entries.sort((a, b) => b.size - a.size).map(({ key }) => key);
}
