import type { ShownTensor, ShownTensors } from '@mbk/core';
import { expect, test } from 'vitest';
import { renderTensors } from '../src/render-tensors.ts';

const style = (_: unknown, text: string): string => text;
const commit = 'c'.repeat(40) as ShownTensors['commit'];
const blob = 'ab'.repeat(32) as ShownTensors['sha256'];

function tensor(more: Partial<ShownTensor>): ShownTensor {
  const how = ['tensor'];
  const facts = { name: 'w', dtype: 'F32', shape: [2, 3], bytes: 4096, inSkeleton: false, how, stored: 2048 };
  return { ...facts, depth: 0, bases: 0, base: null, ...more };
}

function render(tensors: readonly ShownTensor[]): string[] {
  const file = { commit, domain: 'lab', path: 'a.gguf', container: 'gguf', size: 10_000, sha256: blob, tensors };
  return renderTensors('lab:a.gguf', file, { style, columns: undefined }).split('\n');
}

test('tensors that are stored by themselves need no columns for bases', () => {
  expect(render([tensor({}), tensor({ name: 'b', how: ['raw', 'zstd'], inSkeleton: true })])).toEqual([
    'lab:a.gguf',
    '2 tensors, 8.00 KiB in a file of 9.77 KiB (gguf), stored in 4.00 KiB',
    '',
    'TENSOR  TYPE  SHAPE      SIZE    STORED  HOW',
    'w       F32   2 × 3  4.00 KiB  2.00 KiB  tensor',
    'b       F32   2 × 3  4.00 KiB  2.00 KiB  raw, zstd (skeleton)',
  ]);
  expect(render([])).toHaveLength(2);
});

test('a base is said by what differs: its name, its path, its snapshot', () => {
  const other = 'd'.repeat(40) as ShownTensors['commit'];
  const based = (base: Partial<NonNullable<ShownTensor['base']>>, bases = 1): ShownTensor =>
    tensor({ depth: 2, bases, base: { blob, tensor: 'w', path: 'a.gguf', commit, ...base } });
  const bases = render([
    based({ commit: other }),
    based({ tensor: 'v' }),
    based({ path: 'b.gguf', commit: other }, 3),
    based({ tensor: null, path: null, commit: null }),
    tensor({ depth: 0 }),
  ])
    .slice(4)
    .map((line) => line.split(/ {2,}/).slice(6).join(' | '));
  expect(bases).toEqual([
    '2 | of dddddddddd',
    '2 | v',
    '2 | in b.gguf of dddddddddd and 2 more',
    '2 | blob abababababab',
    '',
  ]);
});
