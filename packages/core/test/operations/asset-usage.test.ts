/** What each asset takes and what saved the rest. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assetUsageOf, type AssetUsageReport, type SavedSizes } from '../../src/operations/asset-usage.ts';
import { savedSums } from '../../src/operations/usage/saved-sums.ts';
import type { Repository } from '../../src/repository.ts';
import { oddHost } from '../plugins/odd-host.ts';
import { idOf } from '../pack/test-keys.ts';
import { testRepository, type TestRepository } from './make-repository.ts';
import { storeOver } from './store-over.ts';

function write(lab: TestRepository, path: string, bytes: Uint8Array): void {
  mkdirSync(dirname(join(lab.source, path)), { recursive: true });
  writeFileSync(join(lab.source, path), bytes);
}

async function usage(lab: TestRepository, domain?: string): Promise<AssetUsageReport> {
  return withOpen(lab, (repository) => assetUsageOf(repository, { domain }));
}

async function withOpen<T>(lab: TestRepository, work: (repository: Repository) => Promise<T>): Promise<T> {
  const repository = await lab.open();
  try {
    return await work(repository);
  } finally {
    await repository.close();
  }
}

/** All of the plain bytes are stored or saved by something. */
function expectSum({ absent, raw, saved, stored }: SavedSizes): void {
  expect(Object.values(saved).reduce((sum, bytes) => sum + bytes, stored + absent)).toBe(raw);
}

const odd = (bytes: Uint8Array): Uint8Array => Buffer.concat([Buffer.from('good\n'), bytes]);

describe('usage of assets', () => {
  test('counts every capture whole, and each blob where it is met first', async () => {
    const lab = await testRepository();
    const [one, two] = [odd(randomBytes(100_000)), odd(randomBytes(50_000))];
    write(lab, 'lab/a.odd', one);
    write(lab, 'lab/deep/b.odd', two);
    write(lab, 'lab/deep/copy.odd', one);
    write(lab, 'lab/set/MARKER', Buffer.from('m'));
    write(lab, 'lab/set/in/c.bin', randomBytes(20_000));
    write(lab, 'lab/notes.txt', Buffer.alloc(30_000, 'text '));
    const plugins = oddHost(lab.source);
    await lab.snapshot({ plugins });
    write(lab, 'lab/deep/b.odd', odd(randomBytes(60_000)));
    await lab.snapshot({ plugins });
    rmSync(join(lab.source, 'lab/deep/copy.odd'));
    await lab.snapshot({ plugins });

    const report = await usage(lab);
    const [domain] = report.domains;
    const [collection] = domain?.collections ?? [];
    const byPath = new Map(collection?.assets.map((asset) => [asset.path, asset]));
    expect(report.problems).toEqual([]);
    expect([...byPath.keys()].sort()).toEqual(['lab/a.odd', 'lab/deep/b.odd', 'lab/deep/copy.odd', 'lab/set']);
    const rawOf = (path: string): unknown[] => [byPath.get(path)?.captures, byPath.get(path)?.raw];
    expect(rawOf('lab/a.odd')).toEqual([3, 3 * one.length]);
    expect(rawOf('lab/deep/b.odd')).toEqual([3, two.length + 2 * 60_005]);
    expect(rawOf('lab/deep/copy.odd')).toEqual([2, 2 * one.length]);
    expect(rawOf('lab/set')).toEqual([3, 3 * 20_001]);
    // Noise does not compress; what is there twice is saved on the one that comes later.
    expect(byPath.get('lab/a.odd')?.saved.dedup).toBe(2 * one.length);
    expect(byPath.get('lab/deep/copy.odd')).toMatchObject({ stored: 0, saved: { dedup: 2 * one.length } });
    expect(collection?.others).toMatchObject({ raw: 90_000, saved: { dedup: 60_000 } });
    // Small files share frames, and each has its part of what its frame saves.
    expect(report.saved.zstd).toBeGreaterThan(28_000);
    for (const sizes of [report, domain, collection, collection?.others, ...byPath.values()])
      if (sizes !== undefined) expectSum(sizes);
    expect(report.raw).toBe(collection?.raw);
    const parts = [...byPath.values(), collection?.others];
    expect(parts.reduce((sum, part) => sum + (part?.raw ?? 0), 0)).toBe(collection?.raw);
    expect(Math.abs(parts.reduce((sum, part) => sum + (part?.stored ?? 0), 0) - report.stored)).toBeLessThan(10);
  });

  test('tells what zeros, differences and recipes save, and what is not there', async () => {
    const lab = await testRepository();
    const [base, over, derived, absent] = [1, 2, 3, 4].map(() => randomBytes(80_000));
    if (base === undefined || over === undefined || derived === undefined || absent === undefined) return;
    await withOpen(lab, (repository) =>
      storeOver(repository, [
        { bytes: base, bases: [], depth: 0 },
        { bytes: over, bases: [idOf(base)], depth: 1, encoded: { codec: 3, stored: over.subarray(0, 1000) } },
        { bytes: derived, bases: [idOf(base)], depth: 1, encoded: { codec: 4, stored: derived.subarray(0, 10) } },
      ]),
    );
    write(lab, 'lab/base', base);
    write(lab, 'lab/over', over);
    write(lab, 'lab/derived', derived);
    write(lab, 'lab/sparse', Buffer.concat([randomBytes(1000), Buffer.alloc(3_000_000)]));
    await lab.snapshot();
    const report = await usage(lab, 'lab');
    expect(report.saved).toMatchObject({ delta: 80_000 - 1016, derive: 80_000 - 26, raw: -16, dedup: 0, other: 0 });
    expect(report.saved.zeros).toBeGreaterThan(2_800_000);
    expect(report.absent).toBe(0);
    expectSum(report);
    await expect(usage(lab, 'nobody')).rejects.toMatchObject({ code: 'revision-unknown' });
  });

  test('reads a folder list that many snapshots share once, and counts it as often as they are', async () => {
    const lab = await testRepository();
    for (let at = 0; at < 20; at += 1) write(lab, `lab/still/${at}`, randomBytes(100));
    for (let at = 0; at < 5; at += 1) {
      write(lab, 'lab/moving', randomBytes(100 + at));
      await lab.snapshot();
    }
    await withOpen(lab, async (repository) => {
      let trees = 0;
      const readBlob: Repository['readBlob'] = (id, type) => {
        if (type === 'tree') trees += 1;
        return repository.readBlob(id, type);
      };
      const report = await assetUsageOf({ ...repository, readBlob }, {});
      expect(report.raw).toBe(5 * 2000 + 510);
      expect(report.saved.dedup).toBe(4 * 2000);
      // A root and a folder of each snapshot, and the one that never changed.
      expect(trees).toBe(11);
    });
  });
});

test('sums always add up', () => {
  const blob = fc.tuple(fc.nat(6), fc.nat(100_000), fc.double({ min: 0, max: 100_000, noNaN: true }));
  fc.assert(
    fc.property(fc.array(blob), fc.nat(1e9), fc.nat(1000), (blobs, raw, zeros) => {
      const sums = savedSums();
      sums.addFile(raw, 3);
      sums.addZeros(zeros);
      for (const [codec, plain, stored] of blobs) sums.addBlob(codec, plain, stored);
      const twice = savedSums();
      twice.add(sums);
      twice.add(sums);
      expectSum(sums.sizes());
      expectSum(twice.sizes());
      expect(twice.sizes().raw).toBe(6 * raw);
    }),
  );
});
