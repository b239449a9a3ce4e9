import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { packKey } from '../../src/format/ids.ts';
import {
  executeIndexRepair,
  needsIndexRepair,
  planIndexRepair,
  type IndexRepaired,
  type IndexRepairPlan,
} from '../../src/operations/repair-index.ts';
import { verifyRepository } from '../../src/operations/verify.ts';
import type { Repository } from '../../src/repository.ts';
import { testRepository, type TestRepository } from './make-repository.ts';

async function labWithThree(): Promise<TestRepository> {
  const lab = await testRepository();
  for (const name of ['a', 'b', 'c']) {
    writeFileSync(join(lab.source, name), randomBytes(600_000));
    await lab.snapshot();
  }
  return lab;
}

async function keysUnder(lab: TestRepository, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of lab.backend.list(prefix)) keys.push(key);
  return keys;
}

async function repair(repository: Repository): Promise<{ plan: IndexRepairPlan; done: IndexRepaired }> {
  const plan = await planIndexRepair(repository);
  return { plan, done: await executeIndexRepair(repository, plan) };
}

async function errorsOf(lab: TestRepository, host = 'judge'): Promise<number> {
  return (await verifyRepository(await lab.open(host), { revisions: [], data: true })).errors;
}

describe('repair index', () => {
  test('has nothing to do in a sound repository, and appends nothing', async () => {
    const lab = await labWithThree();
    const repository = await lab.open();
    const { n } = repository.log;
    const { plan, done } = await repair(repository);
    expect(needsIndexRepair(plan)).toBe(false);
    expect(done).toMatchObject({ entry: null, added: [], dropped: 0, adopted: 0, lost: 0 });
    expect(repository.log.n).toBe(n);
  });

  test('makes missing and damaged segments again from the footers of the packs', async () => {
    const lab = await labWithThree();
    const [first = '', second = ''] = await keysUnder(lab, 'index/');
    await lab.backend.delete(first);
    const bytes = await lab.backend.get(second);
    await lab.backend.delete(second);
    await lab.backend.put(second, [bytes.subarray(0, 100)]);
    expect(await errorsOf(lab)).toBeGreaterThan(0);
    const repository = await lab.open('fresh');
    const { plan, done } = await repair(repository);
    expect(new Map(plan.segments.map(({ id, hasCopy }) => [`index/${id}`, hasCopy]))).toEqual(
      new Map([
        [first, false],
        [second, false],
      ]),
    );
    expect(done).toMatchObject({ dropped: 2, adopted: plan.adopt.length, lost: 0 });
    expect(plan.adopt.length).toBeGreaterThan(0);
    expect(await errorsOf(lab)).toBe(0);
    expect(await errorsOf(lab, 'another')).toBe(0);
  });

  test('uses the local copy of a segment before it reads packs', async () => {
    const lab = await labWithThree();
    await (await lab.open()).index();
    const [key = ''] = await keysUnder(lab, 'index/');
    await lab.backend.delete(key);
    const { plan, done } = await repair(await lab.open());
    expect(plan).toMatchObject({ segments: [{ hasCopy: true }], adopt: [] });
    expect(done).toMatchObject({ dropped: 1, adopted: 0 });
    expect(await errorsOf(lab)).toBe(0);
  });

  test('takes up packs that no segment names', async () => {
    const lab = await labWithThree();
    const repository = await lab.open();
    const [segment] = [...repository.log.fold.segments.values()].slice(-1);
    if (segment === undefined) throw new Error('no segment');
    await repository.log.append(() => ({ ops: [{ op: 'index', add: [], drop: [segment.id] }] }));
    expect(await errorsOf(lab)).toBeGreaterThan(0);
    const { plan, done } = await repair(await lab.open('fresh'));
    expect(plan.adopt.map(({ kind }) => kind).sort()).toEqual(['data', 'meta']);
    expect(done.adopted).toBe(2);
    expect(await errorsOf(lab)).toBe(0);
  });

  test('declares packs that are gone lost, names what they take away, and the next snapshot heals it', async () => {
    const lab = await labWithThree();
    const repository = await lab.open();
    const [gone] = [...(await repository.index()).packs()].filter(({ kind }) => kind === 'data');
    if (gone === undefined) throw new Error('no pack');
    await lab.backend.delete(packKey('data', gone.id));
    const { plan, done } = await repair(repository);
    expect(plan.lost).toHaveLength(1);
    expect(plan.lost[0]?.dependents.length).toBeGreaterThan(0);
    expect(plan.lost[0]?.dependents[0]).toMatchObject({ domain: 'system', collection: 'other/files' });
    expect(done).toMatchObject({ lost: 1 });
    expect(repository.log.fold.lost.get(gone.id)).toBe(repository.log.n);
    expect(await errorsOf(lab)).toBeGreaterThan(0);
    await lab.snapshot();
    expect(await errorsOf(lab)).toBe(0);
    const again = await repair(await lab.open('fresh'));
    expect(needsIndexRepair(again.plan)).toBe(false);
  });

  test('leaves packs alone that are deleted, of another repository, or unreadable', async () => {
    const lab = await labWithThree();
    const other = await testRepository();
    writeFileSync(join(other.source, 'x'), randomBytes(600_000));
    await other.snapshot();
    const [foreign = ''] = await keysUnder(other, 'packs/');
    await lab.backend.put(foreign, [await other.backend.get(foreign)]);
    await lab.backend.put(`packs/00/${'0'.repeat(64)}`, [randomBytes(5000)]);
    const { plan } = await repair(await lab.open());
    expect(plan.adopt).toEqual([]);
    expect(plan.left.map(({ key }) => key).sort()).toEqual([foreign, `packs/00/${'0'.repeat(64)}`].sort());
    rmSync(join(other.source, 'x'));
  });
});
