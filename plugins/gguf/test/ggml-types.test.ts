import { blockOf } from '@mbk/plugin-sdk';
import { expect, test } from 'vitest';
import { ggmlDtype } from '../src/index.ts';

/** ggml.h and ggml-common.h: id, elements and bytes of a block; kept apart from the plugin's tables on purpose. */
const expected = `
0 1/4, 1 1/2, 2 32/18, 3 32/20, 6 32/22, 7 32/24, 8 32/34, 9 32/36, 10 256/84, 11 256/110, 12 256/144, 13 256/176,
14 256/210, 15 256/292, 16 256/66, 17 256/74, 18 256/98, 19 256/50, 20 32/18, 21 256/110, 22 256/82, 23 256/136,
24 1/1, 25 1/2, 26 1/4, 27 1/8, 28 1/8, 29 256/56, 30 1/2, 34 256/54, 35 256/66, 39 32/17, 40 64/36, 41 128/18, 42 64/18`;

test('every type id that ggml knows has its block, every other has none', () => {
  const found = Array.from({ length: 256 }, (_, id) => {
    const dtype = ggmlDtype(id);
    const block = dtype && blockOf(dtype);
    return block && `${id} ${block.elements}/${block.bytes}`;
  });
  expect(found.filter((line) => line !== undefined)).toEqual(expected.trim().split(/,\s+/));
});

test('no two ids share a name', () => {
  const names = Array.from({ length: 64 }, (_, id) => ggmlDtype(id)).filter((name) => name !== undefined);
  expect(new Set(names).size).toBe(names.length);
});
