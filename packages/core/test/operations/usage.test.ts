import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sha256Hex } from '../../src/crypto/hash.ts';
import type { BlobId } from '../../src/format/ids.ts';
import { blobTally } from '../../src/operations/usage/blob-tally.ts';
import { usageOf, type UsageReport, type UsageRequest } from '../../src/operations/usage.ts';
import { testRepository, type TestRepository } from './make-repository.ts';

async function usage(lab: TestRepository, request?: UsageRequest): Promise<UsageReport> {
  const repository = await lab.open();
  try {
    return await usageOf(repository, request);
  } finally {
    await repository.close();
  }
}

/** Two domains that share a file of 300,000 bytes; two snapshots, between which one domain gets 200,000 bytes more. */
async function twoDomains(): Promise<TestRepository> {
  const lab = await testRepository();
  const shared = randomBytes(300_000);
  for (const domain of ['one', 'two']) {
    mkdirSync(join(lab.source, domain));
    writeFileSync(join(lab.source, domain, 'shared.bin'), shared);
  }
  await lab.snapshot();
  writeFileSync(join(lab.source, 'one', 'more.bin'), randomBytes(200_000));
  await lab.snapshot();
  return lab;
}

describe('usage', () => {
  test('counts captures whole, blobs once in their group, and once in all', async () => {
    const { domains, ...report } = await usage(await twoDomains());
    const [one, two] = domains;
    expect(domains.map(({ domain, snapshots }) => [domain, snapshots])).toEqual([
      ['one', 2],
      ['two', 2],
    ]);
    expect([one?.raw, two?.raw, report.raw]).toEqual([800_000, 600_000, 1_400_000]);
    // Beside the files stand the trees, which are small.
    const near = (value: number | undefined, bytes: number): void => {
      expect(value).toBeGreaterThanOrEqual(bytes);
      expect(value).toBeLessThan(bytes + 10_000);
    };
    near(one?.deduplicated, 500_000);
    near(two?.deduplicated, 300_000);
    near(report.deduplicated, 500_000);
    near(report.stored, 500_000);
    expect(one?.collections[0]).toMatchObject({ collection: 'data/all', captures: 2, files: 2, newest: 500_000 });
  });

  test('what is stored is a part of what the storage holds', async () => {
    const { stored, storage } = await usage(await twoDomains());
    expect(stored).toBeLessThanOrEqual(storage.packs + storage.meta);
    const { total, ...kinds } = storage;
    expect(Object.values(kinds).reduce((sum, bytes) => sum + bytes, 0)).toBe(total);
    expect(storage.other).toBe(0);
  });

  test('periods add up to the history', async () => {
    const { periods, raw, snapshots } = await usage(await twoDomains(), { by: 'day' });
    expect(periods.reduce((sum, one) => sum + one.snapshots, 0)).toBe(snapshots);
    expect(periods.reduce((sum, one) => sum + one.raw, 0)).toBe(raw);
    expect(periods[0]?.period).toMatch(/^\d{4}-\d\d-\d\d$/);
  });

  test('of one domain is that domain alone', async () => {
    const lab = await twoDomains();
    const { domains, raw } = await usage(lab, { domain: 'two' });
    expect([domains.length, raw]).toEqual([1, 600_000]);
    await expect(usage(lab, { domain: 'three' })).rejects.toMatchObject({ code: 'revision-unknown' });
  });

  test('tells what could not be counted', async () => {
    const lab = await twoDomains();
    for await (const { key } of lab.backend.list('catalogue/')) {
      await lab.backend.delete(key);
      break;
    }
    const repository = await lab.open('other-host');
    try {
      expect((await usageOf(repository)).problems.length).toBeGreaterThan(0);
    } finally {
      await repository.close();
    }
  });
});

test('a tally gives back the stamp that a blob was given last', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat({ max: 3000 }), fc.integer({ min: 1, max: 9 })), { maxLength: 4000 }),
      (meets) => {
        const tally = blobTally();
        const model = new Map<string, number>();
        for (const [number, stamp] of meets) {
          const id = sha256Hex(new Uint8Array([number & 255, number >> 8])) as BlobId;
          expect(tally.meet(id, stamp)).toBe(model.get(id) ?? 0);
          model.set(id, stamp);
        }
        expect(tally.size).toBe(model.size);
      },
    ),
    { numRuns: 20 },
  );
});
