/** Checkpoints as a user looks at them: how tensors are stored, what they take, and by how much they changed. */

import { createRequire } from 'node:module';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { safetensorsFile } from '../assets/safetensors-file.ts';
import { weights } from '../assets/tensor.ts';
import { torchZipFile } from '../assets/torch-zip-file.ts';
import { closed, commandSchemas, schemaPath } from '../docs/command-schemas.ts';
import { root } from '../docs/markdown.ts';
import { commandLab, type CommandLab } from './command-calls.ts';

interface Ajv {
  compile(schema: object): ((value: unknown) => boolean) & { errors?: unknown };
}
const { Ajv2020 } = createRequire(join(root, 'packages/core/package.json'))('ajv/dist/2020.js') as {
  readonly Ajv2020: new (options: object) => Ajv;
};
const ajv = new Ajv2020({ strict: false, allErrors: true });

let lab: CommandLab;

/** A checkpoint of two large tensors and a small one; `changed` elements of the first one are others. */
function checkpoint(changed: number): { readonly tensors: ReturnType<typeof weights>[] } {
  const first = weights('layers.0.weight', { shape: [300, 200], dtype: 'F32', seed: 1 });
  const floats = new Float32Array(first.data.slice().buffer);
  for (let i = 0; i < changed; i += 1) floats[i] = (floats[i] ?? 0) + 0.25;
  return {
    tensors: [
      { ...first, data: new Uint8Array(floats.buffer) },
      weights('layers.1.weight', { shape: [300, 200], dtype: 'BF16', seed: 2 }),
      weights('norm', { shape: [8], dtype: 'F16', seed: 3 + Math.min(changed, 1) }),
    ],
  };
}

beforeAll(async () => {
  lab = await commandLab();
  for (const changed of [0, 600]) {
    mkdirSync(join(lab.project, 'models'), { recursive: true });
    writeFileSync(join(lab.project, 'models/m.safetensors'), safetensorsFile(checkpoint(changed)));
    writeFileSync(join(lab.project, 'models/m.pt'), torchZipFile(checkpoint(changed)));
    expect(await lab.run(['snapshot', '-m', `${changed} changed`])).toMatchObject({ code: 0 });
  }
});
afterAll(() => rmSync(lab.folder, { recursive: true, force: true }));

async function said(...args: readonly string[]): Promise<string> {
  const { code, stderr, stdout } = await lab.run(args);
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
}

/** What a command prints for programs, held against its schema. */
async function valid<Value>(...args: readonly string[]): Promise<Value> {
  const value = JSON.parse(await said(...args, '--json')) as Value;
  const validate = ajv.compile(closed(commandSchemas[schemaPath(args[0] ?? '')]) as object);
  expect(validate(value) ? [] : validate.errors).toEqual([]);
  return value;
}

test('show --tensors tells how each tensor is stored', async () => {
  const text = await said('show', 'lab:models/m.safetensors', '--tensors');
  expect(text).toMatch(/^3 tensors, 352 KiB in a file of 352 KiB \(safetensors\), stored in [\d.]+ KiB$/m);
  expect(text).toMatch(/^layers\.0\.weight +F32 +300 × 200 +234 KiB +[\d.]+ KiB +[a-z, -]+( |$)/m);
  expect(text).toMatch(/^norm +F16 +8 +16 B +\d+ B +\w+ \(skeleton\)/m);
  const { container, tensors } = await valid<{ container: string; tensors: readonly object[] }>(
    'show',
    'lab:models/m.safetensors',
    '--tensors',
  );
  expect(container).toBe('safetensors');
  expect(tensors).toMatchObject([
    {
      name: 'layers.0.weight',
      bytes: 240_000,
      inSkeleton: false,
      how: [expect.any(String)],
      depth: expect.any(Number),
    },
    { name: 'layers.1.weight', bytes: 120_000, inSkeleton: false },
    { name: 'norm', bytes: 16, inSkeleton: true },
  ]);
  expect(await lab.run(['show', 'lab', '--tensors'])).toMatchObject({ code: 2 });
  expect(await lab.run(['show', 'lab:models/a.txt', '--tensors'])).toMatchObject({ code: 2 });
});

test('diff tells by how much tensors changed, once', async () => {
  const text = await said('diff', 'lab~1', 'lab');
  expect(text).not.toContain('other values');
  for (const file of ['m.safetensors', 'm.pt']) expect(text).toMatch(new RegExp(`^models/${file}  \\w+/`, 'm'));
  expect(text.match(/^ {2}Other values in 2 of 3 tensors; the largest change is 0\.25$/gm)).toHaveLength(2);
  expect(text.match(/^ {2}layers\.0\.weight +F32 +1\.0 % +0\.25 +0\.0025$/gm)).toHaveLength(2);
  expect(text).toMatch(/^ {2}norm +F16 +100\.0 %/m);
  const { tensors } = await valid<{ tensors: readonly { path: string }[] }>('diff', 'lab~1', 'lab');
  expect(tensors.map(({ path }) => path)).toEqual(['models/m.pt', 'models/m.safetensors']);
  expect(tensors[1]).toMatchObject({
    compared: 3,
    changed: [{ name: 'layers.0.weight', of: 'elements', count: 60_000, changed: 600 }, { name: 'norm' }],
    problem: null,
  });
  expect(await valid('diff', 'lab~1', 'lab', '--no-inside')).toMatchObject({ inside: [], tensors: [] });
  expect(await said('diff', 'lab~1', 'lab', '--no-inside')).not.toContain('layers.0.weight');
});

test('usage --assets tells what each asset takes, and usage what may go', async () => {
  interface Sizes {
    readonly raw: number;
    readonly stored: number;
    readonly saved: Readonly<Record<string, number>>;
  }
  interface Report extends Sizes {
    readonly domains: readonly (Sizes & {
      readonly collections: readonly { readonly assets: readonly (Sizes & { path: string })[] }[];
    })[];
  }
  const report = await valid<Report>('usage', '--assets');
  const assets = report.domains[0]?.collections[0]?.assets ?? [];
  expect(assets.map(({ path }) => path)).toEqual(expect.arrayContaining(['models/m.pt', 'models/m.safetensors']));
  // The same tensors in two containers, and one of them in two snapshots: stored once.
  const dedup = assets.reduce((sum, { saved }) => sum + (saved['dedup'] ?? 0), 0);
  expect(dedup).toBeGreaterThan(2 * 360_000 + 120_000);
  const text = await said('usage', '--assets');
  expect(text).toMatch(/^ASSET +CAPTURES +RAW +STORED +DEDUP +CODED +DELTA +DERIVED$/m);
  expect(text).toMatch(/^lab models\/all +4 /m);
  expect(text).toMatch(/^ {2}models\/m\.pt +2 /m);
  expect(await valid('usage')).toMatchObject({ liveness: { isComplete: true, mayGo: { packs: 0, bytes: 0 } } });
  expect(await valid('usage', 'lab', '--assets')).toMatchObject({ raw: report.domains[0]?.raw });
});
