/** How the tensors of a stored file are stored, and over what. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { showTensors, type ShownTensor, type ShownTensors } from '../../src/operations/show-tensors.ts';
import { oddHost } from '../plugins/odd-host.ts';
import { idOf } from '../pack/test-keys.ts';
import { testRepository } from './make-repository.ts';
import { storeOver, type StoredOver } from './store-over.ts';

interface Lab {
  /** Writes files of one tensor each, stores blobs by hand, takes a snapshot; its commit. */
  take(tensors: Readonly<Record<string, Uint8Array>>, byHand?: readonly StoredOver[]): Promise<string>;
  show(revision: string): Promise<ShownTensors>;
}

async function oddLab(): Promise<Lab> {
  const lab = await testRepository();
  const plugins = oddHost(lab.source);
  return {
    async take(tensors, byHand = []) {
      const repository = await lab.open();
      if (byHand.length > 0) await storeOver(repository, byHand);
      await repository.close();
      for (const [path, bytes] of Object.entries(tensors)) {
        mkdirSync(dirname(join(lab.source, path)), { recursive: true });
        writeFileSync(join(lab.source, path), Buffer.concat([Buffer.alloc(64, 'good '), bytes]));
      }
      const { snapshots } = await lab.snapshot({ plugins });
      return snapshots[0]?.commit ?? '';
    },
    async show(revision) {
      const repository = await lab.open();
      try {
        return await showTensors(repository, revision);
      } finally {
        await repository.close();
      }
    },
  };
}

const only = ({ tensors: [tensor] }: ShownTensors): Partial<ShownTensor> => tensor ?? {};

test('tensors are told with their codec, what they take and where they lie', async () => {
  const { show, take } = await oddLab();
  const noise = randomBytes(100_000);
  await take({
    'lab/noise.odd': noise,
    'lab/zeros.odd': new Uint8Array(200_000),
    'lab/plain.txt': new Uint8Array(10),
  });
  const shown = await show('lab:lab/noise.odd');
  expect(shown).toMatchObject({ domain: 'lab', path: 'lab/noise.odd', container: 'odd', size: 100_064 });
  expect(shown.tensors).toHaveLength(1);
  const facts = { name: 'w', dtype: 'F32', shape: [25_000], bytes: 100_000, inSkeleton: false };
  expect(only(shown)).toEqual({ ...facts, how: ['raw'], stored: expect.any(Number), depth: 0, bases: 0, base: null });
  expect(only(shown).stored).toBeGreaterThanOrEqual(100_000);
  expect(only(shown).stored).toBeLessThan(100_200);
  expect(only(await show('lab:lab/zeros.odd'))).toMatchObject({ bytes: 200_000, how: ['zeros'], stored: 0 });
  for (const revision of ['lab:lab/plain.txt', 'lab:lab', 'lab'])
    await expect(show(revision)).rejects.toMatchObject({ code: 'usage-invalid' });
  await expect(show('lab:lab/none')).rejects.toMatchObject({ code: 'path-absent' });
});

test('a base is named by the snapshot before, by a file beside it, and else by its blob', async () => {
  const { show, take } = await oddLab();
  const [first, second, third, beside, stranger, over] = Array.from({ length: 6 }, () => randomBytes(80_000));
  if (!first || !second || !third || !beside || !stranger || !over) return;
  const oldest = await take({ 'lab/a.odd': first });
  const next = await take({ 'lab/a.odd': second }, [
    { bytes: second, bases: [idOf(first)], depth: 1, encoded: { codec: 3, stored: second.subarray(0, 5000) } },
  ]);
  const newest = await take({ 'lab/a.odd': third, 'lab/b.odd': beside, 'lab/c.odd': over }, [
    { bytes: third, bases: [idOf(second)], depth: 2, encoded: { codec: 3, stored: third.subarray(0, 100) } },
    {
      bytes: beside,
      bases: [idOf(third), idOf(second)],
      depth: 3,
      encoded: { codec: 4, stored: beside.subarray(0, 9) },
    },
    { bytes: stranger, bases: [], depth: 0 },
    { bytes: over, bases: [idOf(stranger)], depth: 1 },
  ]);
  const base = { tensor: 'w', path: 'lab/a.odd' };
  expect(only(await show(`${next}:lab/a.odd`))).toMatchObject({
    how: ['tensor-delta'],
    stored: 5016,
    depth: 1,
    bases: 1,
    base: { ...base, blob: idOf(first), commit: oldest },
  });
  expect(only(await show('lab:lab/a.odd'))).toMatchObject({
    depth: 2,
    base: { ...base, blob: idOf(second), commit: next },
  });
  expect(only(await show('lab:lab/b.odd'))).toMatchObject({
    how: ['derive'],
    depth: 3,
    bases: 2,
    base: { ...base, blob: idOf(third), commit: newest },
  });
  expect(only(await show('lab:lab/c.odd'))).toMatchObject({
    base: { blob: idOf(stranger), tensor: null, path: null, commit: null },
  });
});
