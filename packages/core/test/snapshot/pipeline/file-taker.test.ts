/** Threads take what this thread takes: whole snapshots of one source, with any number of them. */
import fs from 'node:fs';
import { join } from 'node:path';
import { definePlugin } from '@mbk/plugin-sdk';
import { describe, expect, test } from 'vitest';
import type { Backend } from '../../../src/backend/backend.ts';
import { memoryBackend } from '../../../src/backend/memory.ts';
import { MbkError } from '../../../src/errors.ts';
import { executeCheckout } from '../../../src/operations/checkout.ts';
import { snapshot, type SnapshotRequest } from '../../../src/operations/snapshot.ts';
import { verifyRepository } from '../../../src/operations/verify.ts';
import { assetPlugins } from '../../../src/snapshot/asset-plugins.ts';
import { fileOf } from '../../chunker/cut.ts';
import { requestFor, testRepository } from '../../operations/make-repository.ts';

const MiB = 1_048_576;

/** One large file, a model, a few of middling size, many small ones, equal ones, empty ones, hard links and links. */
function fill(source: string): void {
  const at = (...names: string[]): string => join(source, 'lab', ...names);
  fs.mkdirSync(at('many'), { recursive: true });
  fs.writeFileSync(at('large.bin'), fileOf([23 * MiB + 7, -3 * MiB, 9 * MiB], 11));
  fs.writeFileSync(at('model.tensors'), fileOf([3 * MiB + 64], 3));
  fs.writeFileSync(at('small.tensors'), fileOf([100_064], 4));
  fs.writeFileSync(at('middle.bin'), fileOf([700_000], 5));
  for (let i = 0; i < 900; i += 1) fs.writeFileSync(at('many', `${i}`), fileOf([(i * 37) % 9000], i % 50));
  fs.writeFileSync(at('many', 'empty'), '');
  fs.linkSync(at('large.bin'), at('many', 'large twin'));
  fs.linkSync(at('many', '7'), at('many', 'small twin'));
  fs.symlinkSync('../large.bin', at('many', 'link'));
}

/** A plugin for the models of these tests: one tensor behind a header of 64 bytes. */
const tensors = definePlugin({
  apiVersion: 1,
  name: 'tensors',
  version: '1.0.0',
  match: [{ kind: 'model/tensors', extensions: ['.tensors'] }],
  layout: async ({ size }) => ({
    container: 'tensors',
    tensors: [{ name: 'w', dtype: 'F32', shape: [(size - 64) / 4], offset: 64, length: size - 64 }],
  }),
});

/** The same repository as it is, in a storage of its own: the keys, and so the cuts, are the same. */
async function copyOf(backend: Backend): Promise<Backend> {
  const copy = memoryBackend();
  for await (const { key } of backend.list('')) await copy.put(key, [await backend.get(key)]);
  return copy;
}

describe('threads of a snapshot', () => {
  test('make the trees that one thread makes, and what they stored comes back and is sound', async () => {
    const lab = await testRepository();
    fill(lab.source);
    const made: unknown[] = [];
    for (const jobs of [1, 2, 5, undefined]) {
      const repository = await lab.open(`host ${jobs}`, { backend: await copyOf(lab.backend) });
      const request = { ...requestFor(lab.source), jobs, plugins: assetPlugins([tensors]) };
      const { snapshots, incomplete, files, bytes, readBytes } = await snapshot(repository, request);
      const trees = snapshots.flatMap(({ collections }) => collections.map(({ name, tree }) => [name, tree]));
      made.push({ trees, incomplete, files, bytes, readBytes });
      expect((await verifyRepository(repository, { revisions: [], data: true })).findings).toEqual([]);
      const out = join(lab.folder, `out ${jobs}`);
      const target = Buffer.from(out).toString('latin1');
      const report = await executeCheckout(repository, { revision: 'lab', paths: [], target, owners: false });
      expect(report).toMatchObject({ damaged: 0, refused: 0, links: 2 });
      for (const name of ['large.bin', 'model.tensors', 'small.tensors', 'middle.bin', 'many/33', 'many/empty']) {
        const [a, b] = [lab.source, out].map((root) => fs.readFileSync(join(root, 'lab', name)));
        expect(a !== undefined && b !== undefined && Buffer.compare(a, b)).toBe(0);
      }
      await repository.close();
    }
    for (const one of made.slice(1)) expect(one).toEqual(made[0]);
  });

  test('compress as they are told: not at all, with little work, or as far as they can', async () => {
    const lab = await testRepository();
    fs.mkdirSync(join(lab.source, 'lab'));
    const lines = Array.from({ length: 24_000 }, (_, i) => `step ${i} loss ${Math.sin(i).toFixed(6)}\n`);
    fs.writeFileSync(join(lab.source, 'lab', 'log'), lines.join(''));
    for (const jobs of [1, 2]) {
      const storedWith = async (compression: SnapshotRequest['compression']): Promise<number> => {
        const repository = await lab.open(`${compression} ${jobs}`, { backend: await copyOf(lab.backend) });
        const { storedBytes } = await snapshot(repository, { ...requestFor(lab.source), jobs, compression });
        expect((await verifyRepository(repository, { revisions: [], data: true })).findings).toEqual([]);
        await repository.close();
        return storedBytes;
      };
      const fast = await storedWith('fast');
      expect(await storedWith('off')).toBeGreaterThan(2 * fast);
      expect(await storedWith('best')).toBeLessThan(0.9 * fast);
      expect(Math.abs((await storedWith(undefined)) - fast)).toBeLessThan(0.02 * fast);
    }
  });

  test('store no blob twice, whoever meets it first', async () => {
    const lab = await testRepository();
    const noise = fileOf([20 * MiB], 3);
    fs.mkdirSync(join(lab.source, 'lab'));
    for (let i = 0; i < 4; i += 1) fs.writeFileSync(join(lab.source, 'lab', `copy ${i}`), noise);
    const report = await lab.snapshot({ jobs: 3 });
    expect(report.readBytes).toBe(80 * MiB);
    expect(report.newBytes).toBeLessThan(20.1 * MiB);
    expect(report.storedBytes).toBeLessThan(21 * MiB);
  });

  test('take what was given up between the walk and the reading as it is then, and tell what is gone', async () => {
    const lab = await testRepository();
    const folder = join(lab.source, 'lab');
    fs.mkdirSync(folder);
    for (const name of ['gone', 'grown', 'link', 'pipe', 'same'])
      fs.writeFileSync(join(folder, name), `this is ${name}`);
    fs.writeFileSync(join(folder, 'z'), 'z');
    let isDone = false;
    const assign = (path: string): { domain: string; collection: string } => {
      // The last file has been seen: nothing was read yet, as the batch is not full.
      if (path === 'lab/z' && !isDone) {
        isDone = true;
        fs.rmSync(join(folder, 'gone'));
        fs.writeFileSync(join(folder, 'grown'), Buffer.alloc(600_000, 'more'));
        fs.rmSync(join(folder, 'link'));
        fs.symlinkSync('same', join(folder, 'link'));
      }
      return { domain: 'lab', collection: 'data/all' };
    };
    const report = await lab.snapshot({ jobs: 2, assign });
    expect(report.incomplete.map(({ path }) => path).sort()).toEqual(['lab/gone', 'lab/link']);
    const repository = await lab.open();
    const target = Buffer.from(join(lab.folder, 'out')).toString('latin1');
    await executeCheckout(repository, { revision: 'lab', paths: [], target, owners: false });
    expect(fs.readFileSync(join(lab.folder, 'out/lab/grown')).length).toBe(600_000);
    await repository.close();
  });

  test('end with the error of the storage, and what was stored is used by the next run', async () => {
    const whole = memoryBackend();
    let left = 1;
    const backend: Backend = {
      ...whole,
      async put(key, bytes, options) {
        if (key.startsWith('packs/') && (left -= 1) < 0) throw new MbkError('backend-full', 'no room');
        return whole.put(key, bytes, options);
      },
    };
    const lab = await testRepository(backend);
    fs.mkdirSync(join(lab.source, 'lab'));
    fs.writeFileSync(join(lab.source, 'lab/noise'), fileOf([60 * MiB], 9));
    await expect(lab.snapshot({ jobs: 2 })).rejects.toMatchObject({ code: 'backend-full' });
    left = Infinity;
    const report = await lab.snapshot({ jobs: 2 });
    expect(report.newBytes).toBeLessThan(54 * MiB);
  });

  test('end at once when the signal aborts', async () => {
    const whole = memoryBackend();
    const controller = new AbortController();
    const backend: Backend = {
      ...whole,
      async put(key, bytes, options) {
        if (key.startsWith('packs/')) controller.abort(new Error('enough'));
        return whole.put(key, bytes, options);
      },
    };
    const lab = await testRepository(backend);
    fs.mkdirSync(join(lab.source, 'lab'));
    fs.writeFileSync(join(lab.source, 'lab/noise'), fileOf([40 * MiB], 9));
    const repository = await lab.open('host', { signal: controller.signal });
    await expect(snapshot(repository, { ...requestFor(lab.source), jobs: 2 })).rejects.toMatchObject({
      code: 'interrupted',
    });
    await repository.close();
    expect((await lab.snapshot({ jobs: 2 })).incomplete).toEqual([]);
  });
});
