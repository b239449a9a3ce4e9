/** What must stay and what may go, of snapshots whose blobs are stored over others. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { memoryBackend } from '../../src/backend/memory.ts';
import { asBlobId, asPackId, packKey, type BlobId, type CommitId, type PackId } from '../../src/format/ids.ts';
import { executeCheckout } from '../../src/operations/checkout.ts';
import { livenessFrom, livenessOf, type Liveness } from '../../src/operations/liveness.ts';
import { blobTally } from '../../src/operations/usage/blob-tally.ts';
import { usageOf } from '../../src/operations/usage.ts';
import { verifyRepository } from '../../src/operations/verify.ts';
import type { Repository } from '../../src/repository.ts';
import { assetPlugins } from '../../src/snapshot/asset-plugins.ts';
import { oddHost } from '../plugins/odd-host.ts';
import { emptyFold } from '../../src/log/fold.ts';
import { indexSet, type IndexSet } from '../../src/pack/index-set.ts';
import { findWhole } from '../../src/pack/whole-copy.ts';
import { idOf, testKeys } from '../pack/test-keys.ts';
import { copyOf, testRepository, type TestRepository } from './make-repository.ts';
import { storeOver } from './store-over.ts';

/** A line of checkpoints of one run, each a little other than the one before it. */
function checkpoints(count: number): readonly Uint8Array[] {
  const floats = Float32Array.from({ length: 40_000 }, () => Math.random() - 0.5);
  return Array.from({ length: count }, () => {
    for (let i = 0; i < floats.length; i += 1) floats[i] = (floats[i] ?? 0) * (1 + Math.random() / 1000);
    return Buffer.concat([Buffer.alloc(64, 'good '), Buffer.from(floats.buffer.slice(0))]);
  });
}

/** What of such a file is its tensor. */
const tensorOf = (file: Uint8Array = new Uint8Array()): Uint8Array => file.subarray(64);

interface Chain {
  readonly lab: TestRepository;
  readonly files: readonly Uint8Array[];
  readonly commits: readonly CommitId[];
  /** The pack of each checkpoint where they were stored by hand. */
  readonly packs: readonly PackId[];
}

interface Taking {
  /** Unless given, one that goes when the test ends. */
  readonly folder?: string;
  readonly path: string;
  readonly store?: (repository: Repository, at: number) => Promise<PackId>;
}

/** A snapshot of each file, and of a note of its own, once `store` was given the chance to store the file its own way. */
async function takeChain(files: readonly Uint8Array[], { folder, path, store }: Taking): Promise<Chain> {
  const lab = await testRepository(memoryBackend(), folder);
  mkdirSync(join(lab.source, 'lab'));
  const plugins = path.endsWith('.odd') ? oddHost(lab.source) : assetPlugins([]);
  const commits: CommitId[] = [];
  const packs: PackId[] = [];
  for (const [at, bytes] of files.entries()) {
    if (store !== undefined) {
      const repository = await lab.open();
      packs.push(await store(repository, at));
      await repository.close();
    }
    writeFileSync(join(lab.source, 'lab', path), bytes);
    writeFileSync(join(lab.source, 'lab/note.bin'), randomBytes(5000));
    const { snapshots } = await lab.snapshot({ plugins });
    commits.push(...snapshots.map(({ commit }) => commit));
  }
  return { lab, files, commits, packs };
}

async function withOpen<T>(lab: TestRepository, work: (repository: Repository) => Promise<T>): Promise<T> {
  const repository = await lab.open();
  try {
    return await work(repository);
  } finally {
    await repository.close();
  }
}

/** Gives up the files of the first `count` snapshots, as a policy does. */
async function expire({ commits, lab }: Chain, count: number): Promise<void> {
  const captures = commits.slice(0, count).map((commit) => ({ commit, collection: 'data/all' }));
  await withOpen(lab, ({ log }) => log.append(() => ({ ops: [{ op: 'expire', captures }] })));
}

/** A copy of the storage with exactly what liveness keeps: the rest is condemned and deleted, entries and bytes. */
async function pruned({ lab }: Chain, { mayGo }: Liveness): Promise<TestRepository> {
  const copy = await copyOf(lab);
  const discarded = { packs: mayGo.map(({ id }) => id), segments: [], bundles: [] };
  await withOpen(copy, async ({ log }) => {
    const condemned = await log.append(() => ({ ops: [{ op: 'condemn', ...discarded }] }));
    await log.append(() => ({ ops: [{ op: 'delete', condemned: condemned?.n ?? 0, spared: [], ...discarded }] }));
  });
  for (const { id, kind } of mayGo) await copy.backend.delete(packKey(kind, id));
  return copy;
}

/** What is not expired restores byte by byte, all of what is left is sound, and what was given up is. */
async function expectWhole(
  copy: TestRepository,
  { commits, files }: Chain,
  expired: number,
  path: string,
): Promise<void> {
  await withOpen(copy, async (repository) => {
    for (const [at, commit] of commits.entries()) {
      const target = join(copy.folder, `out-${at}`);
      const request = { revision: commit, paths: [], target: Buffer.from(target).toString('latin1'), owners: false };
      if (at < expired) {
        await expect(executeCheckout(repository, request)).rejects.toMatchObject({ code: 'capture-expired' });
        continue;
      }
      expect(await executeCheckout(repository, request)).toMatchObject({ files: 2, failures: [] });
      expect(readFileSync(join(target, 'lab', path)).equals(files[at] ?? new Uint8Array())).toBe(true);
    }
    const { counts, findings } = await verifyRepository(repository, { revisions: [], data: true, jobs: 1 });
    expect(findings).toEqual([]);
    expect(counts.expiredCaptures).toBe(expired);
  });
}

const sizes = ({ mayGo, stays }: Liveness): number => [...mayGo, ...stays].reduce((sum, { size }) => sum + size, 0);

describe('of a chain that is stored by hand, begun anew at the fourth,', () => {
  const depths = [0, 1, 2, 0, 1, 2];
  const path = 'checkpoint.bin';
  const folder = mkdtempSync(join(tmpdir(), 'mbk-'));
  let taken: Chain;
  let chain: Chain;

  beforeAll(async () => {
    const files = checkpoints(depths.length);
    taken = await takeChain(files, {
      folder,
      path,
      store: (repository, at) => {
        const depth = depths[at] ?? 0;
        const bases = files.slice(at - 1, at).filter(() => depth > 0);
        return storeOver(repository, [{ bytes: files[at] ?? new Uint8Array(), bases: bases.map(idOf), depth }]);
      },
    });
  });
  beforeEach(async () => void (chain = { ...taken, lab: await copyOf(taken.lab) }));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('nothing may go while nothing is expired, and nothing is a base alone', async () => {
    const live = await withOpen(chain.lab, livenessOf);
    expect(live).toMatchObject({ isComplete: true, broken: 0, mayGo: [], pinned: { blobs: 0, bytes: 0, stored: 0 } });
    expect(live.idleBytes).toBe(0);
    expect(sizes(live)).toBeGreaterThan(6 * 160_000);
  });

  test('what only the expired need may go, a base of what is left stays and is told, and the rest restores', async () => {
    await expire(chain, 4);
    const live = await withOpen(chain.lab, livenessOf);
    const goes = new Set(live.mayGo.map(({ id }) => id));
    // The fourth is expired too, and the fifth is stored over it.
    expect(chain.packs.map((pack) => goes.has(pack))).toEqual([true, true, true, false, false, false]);
    const { length } = chain.files[3] ?? [];
    expect(live.pinned).toEqual({ blobs: 1, bytes: length, stored: (length ?? 0) + 16 });
    expect(live).toMatchObject({ isComplete: true, broken: 0 });
    await expectWhole(await pruned(chain, live), chain, 4, path);
  });

  test('a base that is needed for itself is none that is pinned', async () => {
    await expire(chain, 3);
    expect(await withOpen(chain.lab, livenessOf)).toMatchObject({ pinned: { blobs: 0 } });
  });

  test('the shallower copy of a blob is the one that stays', async () => {
    const [, , , , fifth = new Uint8Array()] = chain.files;
    const again = await withOpen(chain.lab, (repository) =>
      storeOver(repository, [{ bytes: fifth, bases: [], depth: 0 }]),
    );
    await expire(chain, 4);
    const live = await withOpen(chain.lab, livenessOf);
    const stays = new Set(live.stays.map(({ id }) => id));
    expect([...chain.packs, again].map((pack) => stays.has(pack))).toEqual([
      false,
      false,
      false,
      false,
      false,
      true,
      true,
    ]);
    expect(live.pinned.blobs).toBe(0);
    await expectWhole(await pruned(chain, live), chain, 4, path);
  });

  test('a needed blob that has no whole copy keeps what there is of it', async () => {
    const [first] = chain.packs;
    await withOpen(chain.lab, ({ log }) => log.append(() => ({ ops: [{ op: 'lost', packs: first ? [first] : [] }] })));
    const live = await withOpen(chain.lab, livenessOf);
    expect(live).toMatchObject({ broken: 3, mayGo: [] });
  });

  test('where something live cannot be read, nothing may go', async () => {
    await expire(chain, 4);
    const packs: string[] = [];
    for await (const { key } of chain.lab.backend.list('meta/')) packs.push(key);
    for (const key of packs) await chain.lab.backend.delete(key);
    expect(await withOpen(chain.lab, livenessOf)).toMatchObject({ isComplete: false, mayGo: [], idleBytes: 0 });
  });

  test('usage tells what is pinned and what may go', async () => {
    await expire(chain, 4);
    const { liveness } = await withOpen(chain.lab, usageOf);
    const { idleBytes, mayGo, pinned } = await withOpen(chain.lab, livenessOf);
    const bytes = mayGo.reduce((sum, { size }) => sum + size, 0);
    expect(liveness).toMatchObject({ isComplete: true, pinned, mayGo: { packs: mayGo.length, bytes }, idleBytes });
    expect(await withOpen(chain.lab, (repository) => usageOf(repository, { domain: 'lab' }))).toMatchObject({
      liveness: null,
    });
  });
});

test('of twenty checkpoints as snapshots store them, ten expired, exactly what is kept is enough, and what goes wrong in a base is told', async () => {
  const path = 'checkpoint.odd';
  const chain = await takeChain(checkpoints(20), { path });
  await expire(chain, 10);
  const live = await withOpen(chain.lab, livenessOf);
  expect(live).toMatchObject({ isComplete: true, broken: 0 });
  // Each is stored over the one before it, but for the first and the tenth, which begin a chain: the eleventh needs the tenth.
  expect(live.pinned).toMatchObject({ blobs: 1, bytes: tensorOf(chain.files[9]).length });
  const went = live.mayGo.reduce((sum, { size }) => sum + size, 0);
  expect(went).toBeGreaterThan(sizes(live) / 3);
  const copy = await pruned(chain, live);
  await expectWhole(copy, chain, 10, path);

  await withOpen(copy, async (repository) => {
    const index = await repository.index();
    const [newest] = index.lookup('data', idOf(tensorOf(chain.files.at(-1))));
    const [base] = index.lookup('data', newest?.frame.bases[0] ?? asBlobId('0'.repeat(64)));
    if (newest === undefined || base === undefined) throw new Error('expected a base of the newest checkpoint');
    expect(base.pack.id).not.toBe(newest.pack.id);
    const key = packKey('data', base.pack.id);
    const bytes = (await copy.backend.get(key)).slice();
    bytes[base.frame.offset + 40] = (bytes[base.frame.offset + 40] ?? 0) ^ 1;
    await copy.backend.delete(key);
    await copy.backend.put(key, [bytes]);
    const { findings } = await verifyRepository(repository, { revisions: [], data: true, jobs: 1 });
    expect(findings.map((finding) => [finding.code, finding.key])).toEqual([['pack-damaged', key]]);
    expect(findings[0]?.dependents).toContainEqual(
      expect.objectContaining({ commit: chain.commits.at(-1), path: `lab/${path}` }),
    );
  });
});

test('of any copies: every needed blob that was whole is whole in what stays, and no blob is pinned that nothing is over', async () => {
  const keys = testKeys();
  const blobOf = (number: number): BlobId => asBlobId(number.toString(16).padEnd(64, 'b'));
  const packOf = (number: number): PackId => asPackId(number.toString(16).padStart(64, 'a'));
  const copy = fc.record({
    blob: fc.nat(7),
    depth: fc.nat(3),
    bases: fc.uniqueArray(fc.nat(7), { minLength: 1, maxLength: 2 }),
  });
  const packs = fc.array(fc.array(copy, { minLength: 1, maxLength: 3 }), { maxLength: 8 });
  const wholeIn = (index: IndexSet, blob: number, stays: ReadonlySet<PackId>): boolean =>
    findWhole(index, 'data', blobOf(blob), (pack) => stays.has(pack)) !== undefined;

  await fc.assert(
    fc.asyncProperty(packs, fc.uniqueArray(fc.nat(7)), async (all, needed) => {
      const index = indexSet({ backend: memoryBackend(), keys });
      for (const [number, copies] of all.entries()) {
        index.addPack({
          row: {
            id: packOf(number),
            ephemeral: new Uint8Array(32),
            actor: keys.actor.id,
            keyset: keys.shared.id,
            size: 1000,
            kind: 'data',
            lifetime: 'long',
            frames: copies.length,
          },
          frames: copies.map(({ bases, blob, depth }) => ({
            offset: 72,
            boxLength: 100,
            plainLength: 3,
            codec: 0,
            depth,
            parameters: new Uint8Array(0),
            bases: depth === 0 ? [] : bases.map(blobOf),
            blobs: [{ id: blobOf(blob), type: 'data', length: 3 }],
            boxEnd: new Uint8Array(8),
          })),
        });
      }
      const met = blobTally();
      for (const blob of needed) met.meet(blobOf(blob), 1);
      const source = { index: async () => index, keys, log: { fold: emptyFold }, signal: undefined };
      const live = await livenessFrom(source, met, true);
      const stays = new Set(live.stays.map(({ id }) => id));
      const everything = new Set(all.map((_, number) => packOf(number)));
      expect(new Set([...stays, ...live.mayGo.map(({ id }) => id)])).toEqual(everything);
      expect(stays.size + live.mayGo.length).toBe(all.length);
      const whole = needed.filter((blob) => wholeIn(index, blob, everything));
      for (const blob of whole) expect(wholeIn(index, blob, stays)).toBe(true);
      expect(live.broken).toBe(needed.length - whole.length);
      // What is broken keeps every copy.
      for (const [number, copies] of all.entries())
        if (copies.some(({ blob }) => needed.includes(blob) && !whole.includes(blob)))
          expect(stays.has(packOf(number))).toBe(true);
      const over = new Set(all.flat().flatMap(({ bases, depth }) => (depth === 0 ? [] : bases)));
      expect(live.pinned.blobs).toBeLessThanOrEqual([...over].filter((blob) => !needed.includes(blob)).length);
    }),
    { numRuns: 100 },
  );
});
