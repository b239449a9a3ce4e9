/** Tensors are stored as what they are to others, and come back as they were, whatever becomes of those. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { executeIndexRepair, localBackend, MbkError, memoryBackend, planIndexRepair, type Backend } from '@mbk/core';
import { packKey } from '../../packages/core/src/format/ids.ts';
import { newOutcome } from '../../packages/core/src/operations/checkout/outcome.ts';
import { fileRestorer } from '../../packages/core/src/operations/checkout/restore-files.ts';
import { openSelection } from '../../packages/core/src/operations/checkout/selection.ts';
import type { BlobCopy } from '../../packages/core/src/pack/blob-copy.ts';
import { openTarget } from '../../packages/core/src/snapshot/target-folder.ts';
import { random, temporaryFolder } from '../../packages/core/test/operations/make-repository.ts';
import { safetensorsFile } from '../assets/safetensors-file.ts';
import { encodeFloats, uniformNumbers, weights, type AssetTensor } from '../assets/tensor.ts';
import { sha256Of, tensorLab, type TensorLab } from './tensor-lab.ts';

const codecs = { raw: 0, zstd: 1, tensor: 2, delta: 3, derive: 4 } as const;

/** A model of three tensors: one of two pieces, one of a part of one, and one that is too small to be cut. */
function modelOf(dtype: 'F32' | 'BF16' | 'F16', seed = 1): readonly AssetTensor[] {
  return [
    weights('blk.0.weight', { shape: [1280, 2048], dtype, seed }),
    weights('blk.1.weight', { shape: [300, 512], dtype, seed: seed + 1 }),
    weights('blk.1.bias', { shape: [512], dtype, seed: seed + 2 }),
  ];
}

/** One number in `every` is the next one in its type, as a step of training leaves it. */
function trained(tensors: readonly AssetTensor[], step: number, every = 4): readonly AssetTensor[] {
  const random = uniformNumbers(1000 + step);
  return tensors.map(({ data, ...tensor }) => {
    const numbers = new Uint16Array(data.slice().buffer);
    for (let at = 0; at < numbers.length; at += 1)
      if (random() * every < 1) numbers[at] = (numbers[at] ?? 0) + (random() < 0.5 ? 1 : -1);
    return { ...tensor, data: new Uint8Array(numbers.buffer) };
  });
}

function floatsOf({ data }: AssetTensor): Float32Array {
  return new Float32Array(data.slice().buffer);
}

/** The bytes of a BF16 tensor as F32. */
function widened({ data }: AssetTensor): Uint8Array {
  return new Uint8Array(Uint32Array.from(new Uint16Array(data.slice().buffer), (bits) => bits * 65_536).buffer);
}

/** What frames of a codec hold and take, in bytes. */
async function bytesOf(lab: TensorLab, codec: number): Promise<{ readonly plain: number; readonly stored: number }> {
  const frames = (await lab.frames()).filter((frame) => frame.codec === codec);
  return {
    plain: frames.reduce((sum, { plainLength }) => sum + plainLength, 0),
    stored: frames.reduce((sum, { boxLength }) => sum + boxLength, 0),
  };
}

const inMemory = (): Backend => memoryBackend();
const inFolder = (): Backend => localBackend(join(temporaryFolder(), 'repository'));

describe.each([
  ['one thread', 'memory', 1, inMemory],
  ['two threads', 'memory', 2, inMemory],
  ['one thread', 'a folder', 1, inFolder],
  ['two threads', 'a folder', 2, inFolder],
] as const)('on %s, in %s', (_, __, jobs, backend) => {
  const threads = { jobs, threadsFrom: 0 };
  test('the next fine-tune of a model is stored as the difference to it', async () => {
    const lab = await tensorLab(backend());
    const before = safetensorsFile({ tensors: modelOf('BF16') });
    lab.write('model.safetensors', before);
    await lab.snapshot({ jobs, tag: 'v1' });
    const alone = await bytesOf(lab, codecs.tensor);
    const after = safetensorsFile({ tensors: trained(modelOf('BF16'), 1) });
    lab.write('model.safetensors', after);
    await lab.snapshot({ jobs, tag: 'v2' });
    const delta = await bytesOf(lab, codecs.delta);
    expect(delta.plain).toBe(1280 * 2048 * 2 + 300 * 512 * 2);
    expect(delta.stored).toBeLessThan(alone.stored / 3);
    expect(await lab.restored('lab/v1', threads)).toEqual({ 'model.safetensors': sha256Of(before) });
    expect(await lab.restored('lab/v2', threads)).toEqual({ 'model.safetensors': sha256Of(after) });
    expect((await lab.verify(threads)).findings).toEqual([]);
  });

  test('what was made from another file of the same run is stored as how it was made', async () => {
    const lab = await tensorLab(backend());
    const source = modelOf('F32');
    const made = source.map((tensor) => ({
      ...tensor,
      dtype: 'BF16' as const,
      data: encodeFloats(floatsOf(tensor), 'BF16'),
    }));
    const files = {
      // By their names the copy comes first.
      'a-copy.safetensors': safetensorsFile({ tensors: made }),
      'the-source.safetensors': safetensorsFile({ tensors: source }),
    };
    for (const [name, bytes] of Object.entries(files)) lab.write(name, bytes);
    await lab.snapshot({ jobs });
    const derived = await bytesOf(lab, codecs.derive);
    expect(derived.plain).toBe(1280 * 2048 * 2 + 300 * 512 * 2);
    expect(derived.stored).toBeLessThan(derived.plain / 1000);
    const expected = Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, sha256Of(bytes)]));
    expect(await lab.restored('lab', threads)).toEqual(expected);
    expect((await lab.verify(threads)).findings).toEqual([]);
  });

  test('small models of one run are what they are to each other too', async () => {
    const lab = await tensorLab(backend());
    const source = weights('blk.0.weight', { shape: [256, 512], dtype: 'F32', seed: 1 });
    const copy = { ...source, dtype: 'BF16' as const, data: encodeFloats(floatsOf(source), 'BF16') };
    const model = [weights('blk.0.weight', { shape: [256, 1024], dtype: 'BF16', seed: 2 })];
    const files = {
      'a-copy.safetensors': safetensorsFile({ tensors: [copy] }),
      'b-model.safetensors': safetensorsFile({ tensors: model }),
      'c-fine-tune.safetensors': safetensorsFile({ tensors: trained(model, 1) }),
      'd-source.safetensors': safetensorsFile({ tensors: [source] }),
    };
    for (const [name, bytes] of Object.entries(files)) lab.write(name, bytes);
    await lab.snapshot({ jobs });
    expect((await bytesOf(lab, codecs.derive)).plain).toBe(256 * 512 * 2);
    expect((await bytesOf(lab, codecs.delta)).plain).toBe(256 * 1024 * 2);
    const expected = Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, sha256Of(bytes)]));
    expect(await lab.restored('lab', threads)).toEqual(expected);
    expect((await lab.verify(threads)).findings).toEqual([]);
  });

  test('a fine-tune, and what was made from each model, come back and are verified from one checkout', async () => {
    const lab = await tensorLab(backend());
    const expected: Record<string, string>[] = [];
    for (const step of [1, 2]) {
      const source = trained(modelOf('BF16'), step);
      const made = source.map((tensor) => ({ ...tensor, dtype: 'F32' as const, data: widened(tensor) }));
      const files = {
        'wide.safetensors': safetensorsFile({ tensors: made }),
        'model.safetensors': safetensorsFile({ tensors: source }),
      };
      for (const [name, bytes] of Object.entries(files)) lab.write(name, bytes);
      await lab.snapshot({ ...threads, tag: `v${step}` });
      expected.push(Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, sha256Of(bytes)])));
    }
    expect(new Set((await lab.frames()).map(({ codec, depth }) => `${codec} ${depth}`))).toEqual(
      new Set(['1 0', '2 0', '3 1', '4 1', '4 2']),
    );
    for (const [at, files] of expected.entries()) expect(await lab.restored(`lab/v${at + 1}`, threads)).toEqual(files);
    expect((await lab.verify(threads)).findings).toEqual([]);
    expect((await lab.verify({ ...threads, independent: true })).findings).toEqual([]);
  });

  test.each([
    [
      'changes as soon as it is restored',
      (path: string) => writeFileSync(path, new Uint8Array(readFileSync(path).length)),
    ],
    [
      'may not be read once it is restored',
      () => {
        throw new MbkError('target-failed', 'it may not be read');
      },
    ],
  ] as const)('what was made from a file that %s comes back all the same', async (__, before) => {
    const lab = await tensorLab(backend());
    const source = modelOf('BF16').slice(0, 1);
    const made = source.map((tensor) => ({ ...tensor, dtype: 'F32' as const, data: widened(tensor) }));
    const model = safetensorsFile({ tensors: source });
    lab.write('wide.safetensors', safetensorsFile({ tensors: made }));
    lab.write('model.safetensors', model);
    await lab.snapshot(threads);
    const repository = await lab.open();
    const folder = temporaryFolder();
    const target = openTarget(Buffer.from(folder).toString('latin1'), { overwrite: 'never', owners: false, random });
    const changed: string[] = [];
    const open: typeof target.open = (path) => {
      changed.push(path);
      before(join(folder, path));
      return target.open(path);
    };
    const outcome = newOutcome();
    const settings = { overwrite: 'never', owners: false, fsync: false, verify: false, onProgress: () => {} } as const;
    const files = fileRestorer({ repository, target: { ...target, open }, outcome, ...settings, ...threads });
    try {
      const selection = await openSelection(repository, 'lab', []);
      for await (const entries of selection.entries(() => {}))
        for (const { path, entry } of entries) if (entry.type === 'file') await files.add(path, entry);
      await files.flush();
    } finally {
      await files.close();
      target.close();
      await repository.close();
    }
    // The floats are the source, and restored first, whatever the names.
    expect(changed).toEqual(['wide.safetensors']);
    expect(outcome.failures).toEqual([]);
    expect(sha256Of(readFileSync(join(folder, 'model.safetensors')))).toBe(sha256Of(model));
  });
});

test('a model that has nothing to do with those before it is stored alone', async () => {
  const lab = await tensorLab();
  lab.write('one.safetensors', safetensorsFile({ tensors: modelOf('BF16', 1) }));
  await lab.snapshot();
  lab.write('two.safetensors', safetensorsFile({ tensors: modelOf('BF16', 50) }));
  await lab.snapshot();
  expect((await lab.frames()).every(({ bases }) => bases.length === 0)).toBe(true);
});

test('a fine-tune that calls its tensors otherwise, in another order, is stored as the difference all the same', async () => {
  const lab = await tensorLab();
  const layers = Array.from({ length: 8 }, (_, layer) =>
    weights(`model.layers.${layer}.mlp.up_proj.weight`, { shape: [256, 512], dtype: 'BF16', seed: 90 + layer }),
  );
  lab.write('model.safetensors', safetensorsFile({ tensors: layers }));
  await lab.snapshot({ tag: 'v1' });
  const renamed = trained(layers, 1).map((tensor, layer) => ({
    ...tensor,
    name: `blk.${(5 * layer) % 8}.ffn_up.weight`,
  }));
  const file = safetensorsFile({ tensors: renamed });
  lab.write('converted.safetensors', file);
  await lab.snapshot({ tag: 'v2' });
  const delta = await bytesOf(lab, codecs.delta);
  expect(delta.plain).toBe(8 * 256 * 512 * 2);
  expect(await lab.restored('lab/v2')).toMatchObject({ 'converted.safetensors': sha256Of(file) });
});

test('a fine-tune of a model that only an earlier snapshot has is stored as the difference to that', async () => {
  const lab = await tensorLab();
  lab.write('model.safetensors', safetensorsFile({ tensors: modelOf('BF16', 1) }));
  await lab.snapshot({ tag: 'v1' });
  lab.write('model.safetensors', safetensorsFile({ tensors: modelOf('BF16', 50) }));
  await lab.snapshot({ tag: 'v2' });
  lab.write('model.safetensors', safetensorsFile({ tensors: modelOf('BF16', 80) }));
  await lab.snapshot({ tag: 'v3' });
  expect(await bytesOf(lab, codecs.delta)).toEqual({ plain: 0, stored: 0 });
  const tuned = safetensorsFile({ tensors: trained(modelOf('BF16', 1), 1) });
  lab.write('model.safetensors', tuned);
  await lab.snapshot({ tag: 'v4' });
  expect((await bytesOf(lab, codecs.delta)).plain).toBe(1280 * 2048 * 2 + 300 * 512 * 2);
  expect(await lab.restored('lab/v4')).toEqual({ 'model.safetensors': sha256Of(tuned) });
});

test('nothing is built upon anything where the project compresses nothing', async () => {
  const lab = await tensorLab();
  lab.write('model.safetensors', safetensorsFile({ tensors: modelOf('BF16') }));
  await lab.snapshot({ compression: 'off' });
  lab.write('model.safetensors', safetensorsFile({ tensors: trained(modelOf('BF16'), 1) }));
  await lab.snapshot({ compression: 'off' });
  expect(new Set((await lab.frames()).map(({ codec }) => codec))).toEqual(new Set([codecs.raw]));
});

test.each([
  ['the last one alone', () => 'checkpoint.safetensors'],
  ['all of them', (step: number) => `checkpoint-${String(step).padStart(2, '0')}.safetensors`],
])(
  'a chain of checkpoints, of which the folder has %s, is as deep as the format allows, then begins anew',
  async (_, nameOf) => {
    const lab = await tensorLab();
    let tensors: readonly AssetTensor[] = modelOf('BF16').slice(1, 2);
    const expected: string[] = [];
    for (let step = 0; step < 12; step += 1) {
      const file = safetensorsFile({ tensors });
      expected.push(sha256Of(file));
      lab.write(nameOf(step), file);
      await lab.snapshot({ tag: `step-${step}` });
      tensors = trained(tensors, step);
    }
    const depths = (await lab.frames()).map(({ depth }) => depth).filter((depth) => depth > 0);
    expect(depths.toSorted((a, b) => a - b)).toEqual([1, 1, 2, 2, 3, 4, 5, 6, 7, 8]);
    for (const [step, sha256] of expected.entries())
      expect(await lab.restored(`lab/step-${step}`)).toMatchObject({ [nameOf(step)]: sha256 });
    expect((await lab.verify()).findings).toEqual([]);
  },
);

describe('a base that is damaged', () => {
  test('is told with all that need it; everything else is restored, and a snapshot of the same files heals it', async () => {
    const lab = await tensorLab();
    const base = modelOf('BF16').slice(0, 1);
    const files = {
      'base.safetensors': safetensorsFile({ tensors: base }),
      'other.safetensors': safetensorsFile({ tensors: modelOf('F32', 70) }),
    };
    for (const [name, bytes] of Object.entries(files)) lab.write(name, bytes);
    await lab.snapshot({ tag: 'v1' });
    const tuned = safetensorsFile({ tensors: trained(base, 1) });
    lab.write('tuned.safetensors', tuned);
    await lab.snapshot({ tag: 'v2' });
    const built = (await lab.copies()).find(({ frame }) => frame.codec === codecs.delta);
    const [needed] = built?.frame.bases ?? [];
    const below = (await lab.copies()).find(({ id }) => id === needed);
    if (below === undefined) throw new Error('expected a base');
    await damage(lab.backend, below);

    const report = await lab.verify();
    expect(report.findings.map(({ code, severity }) => [code, severity])).toEqual([['pack-damaged', 'error']]);
    const paths = new Set(report.findings[0]?.dependents?.map(({ path }) => path));
    expect([...paths].toSorted()).toEqual(['base.safetensors', 'tuned.safetensors']);
    expect(await lab.restored('lab/v2')).toEqual({ 'other.safetensors': sha256Of(files['other.safetensors']) });

    await declareLost(lab, below);
    await lab.snapshot({ force: true, tag: 'v3' });
    const expected = { ...files, 'tuned.safetensors': tuned };
    const healed = Object.fromEntries(Object.entries(expected).map(([name, bytes]) => [name, sha256Of(bytes)]));
    for (const revision of ['lab/v3', 'lab/v2']) expect(await lab.restored(revision)).toEqual(healed);
  });
});

test('a pack that goes away while it is verified is a finding, and the verification goes on', async () => {
  const backend = memoryBackend();
  const gone = { key: '' };
  const lab = await tensorLab({
    ...backend,
    // It is read whole first, then frame by frame.
    get: (key, options) =>
      key === gone.key && (options?.offset ?? 0) > 0
        ? Promise.reject(new MbkError('entry-absent', `${key} is gone`))
        : backend.get(key, options),
  });
  lab.write('model.safetensors', safetensorsFile({ tensors: modelOf('BF16') }));
  await lab.snapshot();
  lab.write('model.safetensors', safetensorsFile({ tensors: trained(modelOf('BF16'), 1) }));
  await lab.snapshot();
  const built = (await lab.copies()).find(({ frame }) => frame.codec === codecs.delta);
  if (built === undefined) throw new Error('expected a difference');
  gone.key = packKey(built.pack.kind, built.pack.id);
  const report = await lab.verify();
  expect(report.findings.map(({ code, severity }) => [code, severity])).toEqual([['pack-damaged', 'error']]);
});

async function damage(backend: Backend, { pack, frame }: BlobCopy): Promise<void> {
  const key = packKey(pack.kind, pack.id);
  const bytes = (await backend.get(key)).slice();
  const at = frame.offset + 100;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await backend.delete(key);
  await backend.put(key, [bytes]);
}

/** What a user does with a damaged pack: takes it away and has the index repaired. */
async function declareLost(lab: TensorLab, { pack }: BlobCopy): Promise<void> {
  await lab.backend.delete(packKey(pack.kind, pack.id));
  const repository = await lab.open();
  try {
    await executeIndexRepair(repository, await planIndexRepair(repository));
  } finally {
    await repository.close();
  }
}
