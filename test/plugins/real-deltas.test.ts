/** A real fine-tune as its differences from its base: what it takes, and that it comes back. */

import { plugin as checkpoint } from '@mbk/plugin-checkpoint';
import { plugin as gguf } from '@mbk/plugin-gguf';
import { blockOf, layoutLimits, memoryReader } from '@mbk/plugin-sdk';
import { describe, expect, test } from 'vitest';
import { encodeTensorDelta, estimateDelta, tensorDeltaReader } from '../../packages/core/src/codec/tensor-delta.ts';
import { readRealAssets, realAssets } from '../assets/real-assets.ts';

interface Tensor {
  readonly dtype: string;
  readonly bytes: Uint8Array;
}

async function tensorsOf(ending: string): Promise<ReadonlyMap<string, Tensor>> {
  const [file] = readRealAssets(ending);
  if (file === undefined) throw new Error(`expected a file ${ending}`);
  const plugin = ending.endsWith('.gguf') ? gguf : checkpoint;
  const context = { signal: new AbortController().signal, limits: layoutLimits };
  const layout = await plugin.layout?.(memoryReader(file.path, file.bytes), context);
  return new Map(
    (layout?.tensors ?? []).map(({ name, dtype, offset, length }) => [
      name,
      { dtype, bytes: file.bytes.subarray(offset, offset + length) },
    ]),
  );
}

describe('a fine-tune beside its base', () => {
  // Bits of a weight at most; the quantised ones have a scale for each 32 weights or a head for each 256.
  test.skipIf(realAssets === undefined).each([
    ['f32.safetensors', 21.7],
    ['bf16.safetensors', 5.9],
    ['f16.gguf', 8.9],
    ['q8_0.gguf', 3.4],
    ['q6_k.gguf', 2.3],
    ['q5_k.gguf', 1.75],
    ['q4_k.gguf', 1.35],
    ['q4_0.gguf', 1],
    ['q3_k.gguf', 0.8],
    ['q2_k.gguf', 0.7],
  ])('%s takes %f bits a weight at most (skipped unless MBK_TEST_ASSETS names real files)', async (kind, most) => {
    const base = await tensorsOf(`rife-hd.${kind}`);
    let weights = 0;
    let stored = 0;
    for (const [name, { dtype, bytes }] of await tensorsOf(`rife-anime.${kind}`)) {
      const old = base.get(name)?.bytes ?? new Uint8Array(0);
      const block = blockOf(dtype);
      if (block === undefined) throw new Error(`expected a known type of ${name}`);
      const element = { dtype, unit: block.bytes };
      const encoded = encodeTensorDelta(bytes, element, old);
      if (encoded === undefined) throw new Error(`expected a delta of ${name}`);
      const own = { stored: encoded.stored.slice(), parameters: encoded.parameters };
      const options = { plainLength: bytes.length, parameters: own.parameters, bases: [old], what: name };
      expect(Buffer.compare(tensorDeltaReader.decode(own.stored, options), bytes)).toBe(0);
      const size = own.stored.length + own.parameters.length;
      if (size > 5000) expect(Math.abs(estimateDelta(bytes, element, old) / size - 1)).toBeLessThan(0.25);
      stored += size;
      weights += (bytes.length / block.bytes) * block.elements;
    }
    expect((8 * stored) / weights).toBeLessThan(most);
  });
});
