import { twinRecipes } from '@mbk/kernels';
import { blockOf } from '@mbk/plugin-sdk';
import { describe, expect, test } from 'vitest';
import { probedDtype, probeElements, probeOf, probesOf } from '../../../src/codec/derive/probes.ts';
import { numberedRecipe, sourceOf } from '../../../src/codec/derive/recipe.ts';
import { sourceBytes } from '../../../src/codec/derive/source-bytes.ts';
import { makeSegment, workspaceBytes, workspaceIn } from '../../../src/codec/derive/workspace.ts';
import { gaussian } from '../gaussian.ts';

const twin = workspaceIn(twinRecipes(new Uint8Array(workspaceBytes)));

function made(bytes: Uint8Array, dtype: string, number: number): Uint8Array {
  const [source, recipe] = [sourceOf(dtype), numberedRecipe(number)];
  if (source === undefined || recipe === undefined) throw new Error('expected a source and a recipe');
  const units = Math.floor(bytes.length / source.bytes / recipe.elements);
  return makeSegment(twin, sourceBytes([bytes], 0), { source, recipe, units }).slice();
}

describe('probes', () => {
  test('name what floats become, by the hash of its first bytes', () => {
    for (const dtype of ['F32', 'F16', 'BF16'] as const) {
      const floats = gaussian(dtype, 5000 * blockOf(dtype).bytes);
      const probes = probesOf(floats, dtype) ?? {};
      for (const [number, name] of ['F32', 'F16', 'BF16', 'BF16-cut', 'Q8_0', 'Q4_0'].entries()) {
        if (dtype === 'BF16' && name === 'BF16-cut') {
          expect(probes[name]).toBeUndefined();
          continue;
        }
        const target = made(floats.subarray(0, 4096 * blockOf(dtype).bytes), dtype, number);
        expect({ name, probe: probeOf(target, probedDtype(name)) }).toEqual({ name, probe: probes[name] });
      }
      // No more is looked at than 2,048 elements, and no fewer where there are so many.
      const others = floats.slice();
      others.fill(1, probeElements * blockOf(dtype).bytes);
      expect(probesOf(others, dtype)).toEqual(probes);
      others.fill(1, (probeElements - 1) * blockOf(dtype).bytes);
      for (const [name, probe] of Object.entries(probesOf(others, dtype) ?? {})) expect(probe).not.toBe(probes[name]);
    }
  });

  test('are the same for ever', () => {
    const floats = Uint8Array.from({ length: 128 }, (_, i) => (i % 4 === 3 ? 0x3c + (i >> 6) : (i * 37) & 255));
    expect(probesOf(floats, 'F32')).toEqual({
      F32: 'be32804c',
      F16: 'bdc9917d',
      BF16: '84ecfa77',
      'BF16-cut': '6e500c84',
      Q8_0: '490f49a9',
      Q4_0: '3fbe48a9',
      Q4_1: '530887c1',
      Q5_0: '18d270fa',
      Q5_1: '26bbe76c',
    });
    expect(probesOf(new Uint8Array(2), 'F16')).toEqual({
      F32: '2144df1c',
      F16: '41d912ff',
      BF16: '41d912ff',
    });
    expect(probeOf(new Uint8Array(4), 'F32')).toBe('2144df1c');
    expect(
      probeOf(
        Uint8Array.from({ length: 9 }, (_, i) => 0x31 + i),
        'F16',
      ),
    ).toBe('9ae0daaf');
  });

  test('leave out a variant that makes the same, and blocks that would not be whole', () => {
    const wide = made(gaussian('BF16', 200), 'BF16', 0);
    expect(Object.keys(probesOf(wide, 'F32') ?? {})).toEqual(['F32', 'F16', 'BF16']);
    const whole = ['F32', 'F16', 'BF16', 'Q8_0', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1'];
    expect(Object.keys(probesOf(wide.subarray(0, 4 * 96), 'F32') ?? {})).toEqual(whole);
    const fused = Uint32Array.from({ length: 32 }, (_, i) => [0xbd8d_3dd9, 0xbcf7_2c3d][i] ?? 0);
    expect(Object.keys(probesOf(new Uint8Array(fused.buffer), 'F32') ?? {})).toContain('Q4_0-fused');
    expect(probedDtype('Q4_0-fused')).toBe('Q4_0');
  });

  test('there are none of other types, and none of nothing', () => {
    expect(probesOf(new Uint8Array(8192), 'F64')).toBeUndefined();
    expect(probesOf(new Uint8Array(3), 'F32')).toBeUndefined();
    expect(probeOf(new Uint8Array(8192), 'Q6_K')).toBeUndefined();
    expect(probeOf(new Uint8Array(17), 'Q4_0')).toBeUndefined();
  });
});
