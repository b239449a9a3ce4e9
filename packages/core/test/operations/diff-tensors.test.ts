/** By how much tensors changed between snapshots, and how little is read to know it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { diffSnapshots } from '../../src/operations/diff.ts';
import { diffTensors, type TensorDifference } from '../../src/operations/diff-tensors.ts';
import { openFiles } from '../../src/operations/snapshot-files.ts';
import type { Repository } from '../../src/repository.ts';
import { oddHost } from '../plugins/odd-host.ts';
import { testRepository, type TestRepository } from './make-repository.ts';

interface Compared {
  readonly found: readonly TensorDifference[];
  /** Blobs of content that were asked for. */
  readonly read: number;
  readonly bytes: number;
}

async function compare(lab: TestRepository, before: string, after: string): Promise<Compared> {
  const repository = await lab.open();
  let read = 0;
  const readBlob: Repository['readBlob'] = (id, type) => {
    if (type === 'data') read += 1;
    return repository.readBlob(id, type);
  };
  try {
    const report = await diffSnapshots(repository, { before, after, paths: [] });
    const sides = { before: await openFiles(repository, before), after: await openFiles(repository, after) };
    const found: TensorDifference[] = [];
    let bytes = 0;
    const onProgress = (more: number): void => void (bytes += more);
    for await (const one of diffTensors({ ...repository, readBlob }, report, { ...sides, onProgress })) found.push(one);
    return { found, read, bytes };
  } finally {
    await repository.close();
  }
}

/** A file of one tensor `w` of floats, behind 64 bytes of header. */
function write(lab: TestRepository, path: string, floats: Float32Array): void {
  mkdirSync(join(lab.source, 'lab'), { recursive: true });
  writeFileSync(join(lab.source, 'lab', path), Buffer.concat([Buffer.alloc(64, 'good '), Buffer.from(floats.buffer)]));
}

const floats = (count: number): Float32Array => Float32Array.from({ length: count }, (_, i) => (i % 1000) / 1000);

test('a tensor is told with the share of its elements that changed and how far, and only other pieces are read', async () => {
  const lab = await testRepository();
  const plugins = oddHost(lab.source);
  const large = floats(5_000_000); // five pieces
  write(lab, 'a.odd', large);
  write(lab, 'same.odd', floats(30_000));
  write(lab, 'shape.odd', floats(30_000));
  writeFileSync(join(lab.source, 'lab/plain.txt'), 'one');
  await lab.snapshot({ plugins });
  const changed = large.slice();
  changed[10] = 100;
  changed[20] = (changed[20] ?? 0) + 0.5;
  write(lab, 'a.odd', changed);
  write(lab, 'shape.odd', floats(40_000));
  writeFileSync(join(lab.source, 'lab/plain.txt'), 'two');
  await lab.snapshot({ plugins });

  const { bytes, found, read } = await compare(lab, 'lab~1', 'lab');
  const far = 100 - (large[10] ?? 0);
  const [tensor] = found[0]?.changed ?? [];
  expect(found).toMatchObject([{ path: 'lab/a.odd', container: 'odd', compared: 1, omitted: 0, problem: null }]);
  expect(tensor).toMatchObject({ name: 'w', dtype: 'F32', shape: [5_000_000], of: 'elements', count: 5_000_000 });
  expect(tensor).toMatchObject({ changed: 2, maxAbs: far, notFinite: 0 });
  expect(tensor?.meanAbs).toBeCloseTo((far + 0.5) / 5_000_000, 12);
  expect(read).toBe(2);
  expect(bytes).toBe(20_000_000);
  // One file against another, whatever they are called.
  const [leaf] = (await compare(lab, 'lab~1:lab/a.odd', 'lab:lab/a.odd')).found;
  expect(leaf?.changed).toEqual(found[0]?.changed);
});

test('what cannot be read is a problem of its file, and the others are compared', async () => {
  const lab = await testRepository();
  const plugins = oddHost(lab.source);
  write(lab, 'a.odd', floats(200_000));
  await lab.snapshot({ plugins });
  const packs: string[] = [];
  for await (const { key } of lab.backend.list('packs/')) packs.push(key);
  write(lab, 'b.odd', floats(30_000));
  await lab.snapshot({ plugins });
  write(
    lab,
    'a.odd',
    floats(200_000).map((value) => value * 2),
  );
  write(
    lab,
    'b.odd',
    floats(30_000).map((value) => value * 3),
  );
  await lab.snapshot({ plugins });
  for (const key of packs) await lab.backend.delete(key);
  const { found } = await compare(lab, 'lab~1', 'lab');
  expect(found.map(({ compared, path, problem }) => [path, compared, problem === null])).toEqual([
    ['lab/a.odd', 0, false],
    ['lab/b.odd', 1, true],
  ]);
  expect(found[1]?.changed[0]?.changed).toBe(29_970);
});
