/** Real weights that were cast and quantised by other programs are made again from their source, bit for bit. */

import { plugin as checkpoint } from '@mbk/plugin-checkpoint';
import { plugin as gguf } from '@mbk/plugin-gguf';
import { blockOf, layoutLimits, memoryReader } from '@mbk/plugin-sdk';
import { describe, expect, test } from 'vitest';
import {
  derivedGives,
  encodeDerived,
  probedDtype,
  probeElements,
  probeOf,
  probesOf,
} from '../../packages/core/src/codec/derive.ts';
import { readRealAssets, realAssets } from './real-assets.ts';

interface Tensor {
  readonly dtype: string;
  readonly unit: number;
  readonly bytes: Uint8Array;
}

/** The tensors of a file in the order of its layout. */
async function tensorsOf(ending: string): Promise<readonly Tensor[]> {
  const [file] = readRealAssets(ending);
  if (file === undefined) throw new Error(`expected a file ${ending}`);
  const plugin = ending.endsWith('.gguf') ? gguf : checkpoint;
  const context = { signal: new AbortController().signal, limits: layoutLimits };
  const layout = await plugin.layout?.(memoryReader(file.path, file.bytes), context);
  return (layout?.tensors ?? []).map(({ dtype, offset, length }) => {
    return { dtype, unit: blockOf(dtype)?.bytes ?? 1, bytes: file.bytes.subarray(offset, offset + length) };
  });
}

/** Elements of a tensor. */
function countOf({ dtype, unit, bytes }: Tensor): number {
  return (bytes.length / unit) * (blockOf(dtype)?.elements ?? 0);
}

/** The first of `sources` with as many elements and a probe of a tensor, found by its own bytes, without a name. */
function sourceOf(tensor: Tensor, sources: readonly Tensor[]): Tensor | undefined {
  const { dtype, bytes } = tensor;
  const probe = probeOf(bytes.subarray(0, 8192), dtype);
  return sources.find((source) => {
    if (countOf(source) !== countOf(tensor)) return false;
    const probes = probesOf(source.bytes.subarray(0, 4 * probeElements), source.dtype) ?? {};
    return Object.entries(probes).some(([name, hash]) => probedDtype(name) === dtype && hash === probe);
  });
}

describe.skipIf(realAssets === undefined)('real weights (skipped unless MBK_TEST_ASSETS names their folder)', () => {
  const targets = ['bf16.safetensors', 'f32.safetensors', 'q8_0.gguf', 'q4_0.gguf'];
  const cases = ['rife-hd', 'rife-anime'].flatMap((model) => targets.map((target) => ({ model, target })));

  test.each(cases)('$model, $target: made of its F16 source, of which nothing differs', async ({ model, target }) => {
    const sources = await tensorsOf(`${model}.f16.gguf`);
    const tensors = await tensorsOf(`${model}.${target}`);
    expect(tensors).toHaveLength(17);
    for (const tensor of tensors) {
      const source = sourceOf(tensor, sources);
      if (source === undefined) throw new Error(`expected a source of ${tensor.bytes.length} bytes of ${tensor.dtype}`);
      const bases = [source.bytes];
      const encoded = encodeDerived(tensor.bytes, tensor, { dtype: source.dtype, bases, offset: 0 });
      expect(encoded?.stored).toEqual(new Uint8Array(0));
      expect(encoded && derivedGives(tensor.bytes, encoded, { bases, what: 'a frame' })).toBe(true);
    }
  });

  test.each(['rife-hd', 'rife-anime'])('%s in F16 and in blocks is made of its F32 source', async (model) => {
    const sources = await tensorsOf(`${model}.f32.safetensors`);
    for (const target of ['f16.safetensors', 'f16.gguf', 'bf16.safetensors', 'q8_0.gguf', 'q4_0.gguf']) {
      for (const tensor of await tensorsOf(`${model}.${target}`)) {
        const source = sourceOf(tensor, sources);
        if (source === undefined) throw new Error(`expected a source of ${tensor.bytes.length} bytes of ${target}`);
        const given = { dtype: 'F32', bases: [source.bytes], offset: 0 };
        expect(encodeDerived(tensor.bytes, tensor, given)?.stored).toEqual(new Uint8Array(0));
      }
    }
  });

  test('weights of another training are made of none', async () => {
    const sources = await tensorsOf('rife-hd.f16.gguf');
    const tensors = await tensorsOf('rife-anime.q8_0.gguf');
    for (const [i, tensor] of tensors.entries()) {
      expect(sourceOf(tensor, sources)).toBeUndefined();
      const source = sources[i];
      if (source === undefined) continue;
      expect(encodeDerived(tensor.bytes, tensor, { dtype: 'F16', bases: [source.bytes], offset: 0 })).toBeUndefined();
    }
  });
});
