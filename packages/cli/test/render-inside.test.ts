import type { ChangedTensor, DifferenceInside, TensorDifference } from '@mbk/core';
import { describe, expect, test } from 'vitest';
import { joinInside, renderInside } from '../src/render-inside.ts';
import { widthOf } from '../src/terminal-width.ts';

const style = (_: unknown, text: string): string => text;
const wide = { style, columns: undefined };

function inside(lines: readonly string[], more: Partial<DifferenceInside['difference']> = {}): DifferenceInside {
  const difference = { changes: [], lines, ...more };
  return { path: 'models/a.safetensors', kind: 'model/safetensors', plugin: 'x 1', difference, problem: null };
}

function tensors(changed: readonly Partial<ChangedTensor>[], more: Partial<TensorDifference> = {}): TensorDifference {
  const whole = changed.map((one): ChangedTensor => ({
    name: 'w',
    dtype: 'F32',
    shape: [2],
    of: 'elements',
    count: 1000,
    changed: 500,
    maxAbs: 0.123_456,
    meanAbs: 0.000_012_345,
    notFinite: 0,
    ...one,
  }));
  const path = 'models/a.safetensors';
  return { path, container: 'safetensors', compared: 12, changed: whole, omitted: 0, problem: null, ...more };
}

describe('what is inside of an asset', () => {
  test('is said once: in place of the tensors that have other values stands by how much', () => {
    const plugin = inside([
      '~ fact version: 1 → 2',
      '~ tensor w: other values',
      '~ tensor s: F32 [1] → F32 [2]',
      '… and 3 more: changed tensor',
    ]);
    expect(renderInside({ inside: plugin, tensors: tensors([{}]) }, wide)).toEqual([
      'models/a.safetensors  model/safetensors',
      '  ~ fact version: 1 → 2',
      '  ~ tensor s: F32 [1] → F32 [2]',
      '  Other values in 1 of 12 tensors; the largest change is 0.123',
      '  TENSOR  TYPE  CHANGED  LARGEST       MEAN',
      '  w       F32    50.0 %    0.123  0.0000123',
    ]);
    // Without the measure, the words of the plugin stay.
    expect(renderInside({ inside: plugin, tensors: undefined }, wide)).toContain('  ~ tensor w: other values');
    const failed = tensors([], { problem: 'gone', compared: 0 });
    const told = renderInside({ inside: plugin, tensors: failed }, wide);
    expect(told).toContain('  ~ tensor w: other values');
    expect(told.at(-1)).toBe('  compared 0; gone');
    // Changes that a plugin had no room for are counted, unless they are those that are told.
    const full = { inside: inside([], { omitted: 5 }), tensors: tensors([{}], { omitted: 2 }) };
    expect(renderInside(full, wide)[1]).toBe('  … and 2 more: --json lists them');
    expect(renderInside({ ...full, tensors: tensors([{}], { omitted: 9 }) }, wide)[1]).toMatch(
      /^ {2}Other values in 10/,
    );
  });

  test('of blocks is their share, small shares are not none, and what is not finite is told', () => {
    const [, , , ...rows] = renderInside(
      {
        inside: undefined,
        tensors: tensors([
          { name: 'q', dtype: 'Q4_0', of: 'blocks', changed: 5, maxAbs: null, meanAbs: null },
          { name: 'few', changed: 1, count: 1_000_000, maxAbs: 1e-30, meanAbs: 0 },
          { name: 'nan', changed: 1000, notFinite: 2 },
        ]),
      },
      wide,
    );
    expect(rows.map((row) => row.trim().split(/ {2,}/))).toEqual([
      ['q', 'Q4_0', '0.50 % of blocks', '-', '-'],
      ['few', 'F32', '<0.01 %', '1e-30', '0'],
      ['nan', 'F32', '100.0 %', '0.123', '0.0000123', '2 values not finite'],
    ]);
  });

  test('of quantised types alone has no columns for what they have not', () => {
    const blocks = { dtype: 'Q8_0', of: 'blocks', maxAbs: null, meanAbs: null } as const;
    const changed = [
      { ...blocks, name: 'all', changed: 10, count: 10 },
      { ...blocks, name: 'near', changed: 9_999_999, count: 10_000_000 },
    ];
    expect(renderInside({ inside: undefined, tensors: tensors(changed) }, wide).slice(1)).toEqual([
      '  Other values in 2 of 12 tensors',
      '  TENSOR  TYPE            CHANGED',
      '  all     Q8_0  100.0 % of blocks',
      '  near    Q8_0  >99.9 % of blocks',
    ]);
  });

  test('fits the terminal: lines are broken, tables are made narrower', () => {
    const line = `20 records added: ${Array.from({ length: 20 }, (_, i) => `id ${i}`).join(', ')}`;
    const name = 'model.layers.31.self_attn.q_proj.weight.with.a.name.that.goes.on.and.on';
    const lines = renderInside({ inside: inside([line]), tensors: tensors([{ name }]) }, { style, columns: 60 });
    for (const one of lines.flatMap((text) => text.split('\n'))) {
      expect(widthOf(one)).toBeLessThanOrEqual(60);
      if (!one.startsWith('models/')) expect(one).toMatch(/^ {2}/);
    }
    const text = lines.join(' ').replaceAll(/\s+/g, ' ');
    for (let id = 0; id < 20; id += 1) expect(text).toContain(`id ${id}`);
  });

  test('is nothing where nothing is to be said, and no more than people read', () => {
    expect(renderInside({ inside: inside([]), tensors: tensors([]) }, wide)).toEqual([]);
    const many = tensors(
      Array.from({ length: 150 }, (_, i) => ({ name: `t${i}` })),
      { omitted: 7 },
    );
    const lines = renderInside({ inside: undefined, tensors: many }, wide);
    expect(lines[0]).toBe('models/a.safetensors  safetensors');
    expect(lines.at(-1)).toBe('  … and 57 more tensors: --json lists them');
    expect(lines).toHaveLength(1 + 1 + 1 + 100 + 1);
  });

  test('is of one asset what both say of it', () => {
    const other = tensors([], { path: 'b' });
    expect(joinInside([inside(['x'])], [other, tensors([{}])])).toMatchObject([
      { inside: { path: 'models/a.safetensors' }, tensors: { path: 'models/a.safetensors' } },
      { inside: undefined, tensors: { path: 'b' } },
    ]);
  });
});
