import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { PackId } from '../../../src/format/ids.ts';
import { lastVerification } from '../../../src/operations/last-verification.ts';
import { verifyRepository, type VerifyReport, type VerifyRequest } from '../../../src/operations/verify.ts';
import { openVerifyMemory, verifyMemoryPath } from '../../../src/operations/verify/verify-memory.ts';
import { temporaryFolder, testRepository, type TestRepository } from '../make-repository.ts';

const id = (text: string): PackId => text.repeat(64) as PackId;
const day = 86_400_000;

describe('the memory of verifications', () => {
  test('keeps what was found right, and forgets what was not', () => {
    const memory = openVerifyMemory(temporaryFolder());
    memory.note(1000, [id('a'), id('b')], []);
    memory.note(2000, [id('a')], [id('b')]);
    expect([...memory.verifiedAt()]).toEqual([[id('a'), 2000]]);
    memory.keepOnly(new Set());
    expect(memory.verifiedAt().size).toBe(0);
    memory.close();
  });

  test('begins anew when its file is damaged', () => {
    const folder = temporaryFolder();
    const first = openVerifyMemory(folder);
    first.note(1, [id('a')], []);
    first.close();
    writeFileSync(verifyMemoryPath(folder), randomBytes(8192));
    const second = openVerifyMemory(folder);
    expect(second.verifiedAt().size).toBe(0);
    second.note(1, [id('a')], []);
    expect(second.verifiedAt().size).toBe(1);
    second.close();
  });
});

async function filled(): Promise<TestRepository> {
  const lab = await testRepository();
  mkdirSync(join(lab.source, 'lab'));
  for (const name of ['a', 'b', 'c']) {
    writeFileSync(join(lab.source, 'lab', name), randomBytes(100_000));
    await lab.snapshot();
  }
  return lab;
}

async function verify(lab: TestRepository, request: Partial<VerifyRequest>, nowMs = Date.now()): Promise<VerifyReport> {
  const repository = await lab.open('host', { now: () => nowMs });
  try {
    return await verifyRepository(repository, { revisions: [], data: false, jobs: 1, ...request });
  } finally {
    await repository.close();
  }
}

describe('verify', () => {
  test('reads with --max-age what this host has not read for so long', async () => {
    const lab = await filled();
    const start = Date.now();
    const all = await verify(lab, { maxAgeMs: 30 * day }, start);
    expect([all.read.packs, all.errors, all.level]).toEqual([all.read.ofPacks, 0, 'data']);
    expect((await verify(lab, { maxAgeMs: 30 * day }, start + 29 * day)).read.packs).toBe(0);
    expect((await verify(lab, { maxAgeMs: 30 * day }, start + 31 * day)).read.packs).toBe(all.read.ofPacks);
  });

  test('reads with --sample what was not read for longest, until all was', async () => {
    const lab = await filled();
    let read = 0;
    for (let round = 0; round < 20; round += 1) {
      const report = await verify(lab, { sample: 0.34 });
      expect(report.errors).toBe(0);
      read += report.read.packs;
      const repository = await lab.open();
      const { verifiedPacks, packs, allSince } = await lastVerification(repository);
      await repository.close();
      expect(verifiedPacks).toBe(Math.min(read, packs));
      expect(allSince === null).toBe(verifiedPacks < packs);
      if (verifiedPacks === packs) return;
    }
    expect.unreachable('every pack ought to have been read');
  });

  test('looks at the ends of all packs, whatever the sample is', async () => {
    const lab = await filled();
    await verify(lab, { data: true });
    for await (const { key } of lab.backend.list('packs/')) {
      await lab.backend.delete(key);
      break;
    }
    const report = await verify(lab, { maxAgeMs: 30 * day });
    expect([report.read.packs, report.errors > 0]).toEqual([0, true]);
  });

  test('relies on no pack that was found damaged since', async () => {
    const lab = await filled();
    await verify(lab, { data: true });
    let damaged = '';
    for await (const { key } of lab.backend.list('packs/')) {
      const bytes = await lab.backend.get(key);
      bytes[1000] = (bytes[1000] ?? 0) ^ 1;
      await lab.backend.delete(key);
      await lab.backend.put(key, [bytes]);
      damaged = key;
      break;
    }
    expect((await verify(lab, { data: true })).errors).toBe(1);
    const { read, findings } = await verify(lab, { maxAgeMs: 30 * day });
    expect([read.packs, findings.map(({ key }) => key)]).toEqual([1, [damaged]]);
  });

  test('goes on where the memory cannot be written', async () => {
    const lab = await filled();
    const repository = await lab.open();
    mkdirSync(verifyMemoryPath(repository.stateFolder), { recursive: true });
    chmodSync(repository.stateFolder, 0o700);
    const report = await verifyRepository(repository, { revisions: [], data: true, jobs: 1 });
    expect(report.errors).toBe(0);
    expect(repository.notices.join()).toContain('not remembered');
    await repository.close();
  });
});
