import { plugin as checkpoint } from '@mbk/plugin-checkpoint';
import { plugin as gguf, readGgufHeader } from '@mbk/plugin-gguf';
import { type Layout, layoutLimits, type LayoutTensor, memoryReader, type Plugin } from '@mbk/plugin-sdk';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ModelFilesOptions, tensorsOf, writeCheckpoints, writeModels, writeWeights } from './model-files.ts';
import { bytesOf } from './placed-file.ts';
import { fromBfloats, toQ4, toQ8 } from './quantise.ts';
import { elementsOf } from './tensor-sink.ts';

const size: ModelFilesOptions = { layers: 2, width: 64, seed: 7, states: ['base', 'next'] };
const tensors = tensorsOf(size);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mbk-bench-'));
  writeModels(join(folder, 'models'), size);
  writeCheckpoints(join(folder, 'checkpoint'), size);
});
afterAll(() => rmSync(folder, { recursive: true }));

const context = { signal: new AbortController().signal, limits: layoutLimits };

async function layoutOf(plugin: Plugin, path: string, bytes: Uint8Array): Promise<Layout> {
  const layout = await plugin.layout?.(memoryReader(path, bytes), context);
  if (layout === undefined) throw new TypeError(`expected a layout of ${path}`);
  return layout;
}

/** A copy, so that it begins where numbers may begin. */
function sliceOf(bytes: Uint8Array, { length, offset }: LayoutTensor): Uint8Array<ArrayBuffer> {
  return bytes.slice(offset, offset + length) as Uint8Array<ArrayBuffer>;
}

const read = (path: string): Uint8Array => new Uint8Array(readFileSync(join(folder, path)));

describe.each(['base', 'next'])('%s', (state) => {
  test('the safetensors file is read by the plugin, with every tensor at its place', async () => {
    const path = `models/${state}/base.safetensors`;
    const layout = await layoutOf(checkpoint, path, read(path));
    expect(layout.tensors.map(({ dtype, name, shape }) => ({ dtype, name, shape }))).toEqual(
      tensors.map((tensor) => ({ ...tensor, dtype: 'BF16' })),
    );
  });

  test.each([
    ['q8_0', 'Q8_0', toQ8, 34],
    ['q4_0', 'Q4_0', toQ4, 18],
  ] as const)(
    'the %s file is read by the plugin and is what the BF16 weights give',
    async (name, dtype, quantise, blockBytes) => {
      const original = read(`models/${state}/base.safetensors`);
      const quantised = read(`models/${state}/model-${name}.gguf`);
      const from = await layoutOf(checkpoint, 'base.safetensors', original);
      const to = await layoutOf(gguf, 'model.gguf', quantised);
      expect(to.tensors).toHaveLength(tensors.length);
      for (const [at, tensor] of to.tensors.entries()) {
        const source = from.tensors[at];
        if (source === undefined) throw new RangeError('expected as many tensors');
        expect(tensor.name).toBe(source.name);
        expect(tensor.shape).toEqual(source.shape);
        const weights = new Float32Array(elementsOf(tensor));
        fromBfloats(new Uint16Array(sliceOf(original, source).buffer), weights);
        const isWhole = tensor.shape.length === 1;
        const wanted = isWhole ? bytesOf(weights) : new Uint8Array((weights.length / 32) * blockBytes);
        if (!isWhole) quantise(weights, wanted);
        expect(tensor.dtype).toBe(isWhole ? 'F32' : dtype);
        expect(Buffer.from(sliceOf(quantised, tensor)).equals(wanted)).toBe(true);
      }
    },
  );

  test('the checkpoint is read by the plugin: weights and both moments', async () => {
    const bytes = read(`checkpoint/${state}/step_000${state === 'base' ? 100 : 101}.pt`);
    const layout = await layoutOf(checkpoint, 'step.pt', bytes);
    const kept = tensors.slice(0, 3);
    expect(layout.tensors.map(({ dtype, name }) => `${name} ${dtype}`)).toEqual(
      ['model', 'exp_avg', 'exp_avg_sq'].flatMap((group) => kept.map(({ name }) => `${group}.${name} F32`)),
    );
    const floatsOf = (name: string): Float32Array => {
      const tensor = layout.tensors.find((one) => one.name === name);
      return new Float32Array(tensor === undefined ? [] : sliceOf(bytes, tensor).buffer);
    };
    const weights = floatsOf(`model.${kept[0]?.name}`);
    const squares = weights.map((weight) => Math.fround(weight * Math.fround(0.01)) ** 2);
    expect(floatsOf(`exp_avg_sq.${kept[0]?.name}`)).toEqual(squares);
  });
});

test('the checksums of the checkpoint are those of its members', async () => {
  const bytes = read('checkpoint/base/step_000100.pt');
  const layout = await layoutOf(checkpoint, 'step.pt', bytes);
  for (const tensor of layout.tensors) {
    const data = sliceOf(bytes, tensor);
    const after = Buffer.from(bytes).subarray(tensor.offset + tensor.length);
    expect(after.readUInt32LE(0)).toBe(0x08074b50);
    expect(after.readUInt32LE(4)).toBe(crc32(data));
  }
});

test('a fine-tune moves most tensors a little and leaves every seventh alone', async () => {
  const [base, next] = ['base', 'next'].map((state) => read(`models/${state}/base.safetensors`));
  if (base === undefined || next === undefined) throw new RangeError('expected two states');
  const { tensors: placed } = await layoutOf(checkpoint, 'base.safetensors', base);
  for (const [at, tensor] of placed.entries())
    expect(Buffer.from(sliceOf(base, tensor)).equals(sliceOf(next, tensor)), tensor.name).toBe(at % 7 === 0);
});

test('the same seed makes the same files, and another one others', () => {
  const hash = (path: string): string => createHash('sha256').update(read(path)).digest('hex');
  // A state is the same with and without the other.
  writeModels(join(folder, 'again'), { ...size, states: ['next'] });
  writeModels(join(folder, 'other'), { ...size, seed: 8 });
  expect(hash('again/next/model-q4_0.gguf')).toBe(hash('models/next/model-q4_0.gguf'));
  expect(hash('other/next/model-q4_0.gguf')).not.toBe(hash('models/next/model-q4_0.gguf'));
});

test('the GGUF header tells how it was quantised', async () => {
  const header = await readGgufHeader(memoryReader('m.gguf', read('models/next/model-q8_0.gguf')), context);
  const values = new Map(header?.keyValues.map(({ key, scalar }) => [key, scalar]));
  expect(values.get('general.file_type')).toBe(7);
  expect(values.get('bench.block_count')).toBe(size.layers);
});

test('a file of a wanted size has about that size and is read by the plugin', async () => {
  writeWeights(join(folder, 'large.safetensors'), { bytes: 1, seed: 1 });
  const bytes = read('large.safetensors');
  expect(bytes.length).toBeGreaterThan(67e6);
  expect((await layoutOf(checkpoint, 'large.safetensors', bytes)).tensors).toHaveLength(7);
});
