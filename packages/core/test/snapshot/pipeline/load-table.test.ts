import { expect, test } from 'vitest';
import { largeLoad, loadTable, smallLoad } from '../../../src/snapshot/pipeline/load-table.ts';

const tableOf = (threads: number): ReturnType<typeof loadTable> => loadTable(new SharedArrayBuffer(4 * threads));

test('who has the least to do is taken, until all have enough', () => {
  const table = tableOf(3);
  expect([1, 2, 3, 4, 5, 6].map(() => table.takeLeast(2, smallLoad))).toEqual([0, 1, 2, 0, 1, 2]);
  expect(table.takeLeast(2, smallLoad)).toBeUndefined();
  table.release(1, smallLoad);
  expect(table.takeLeast(2, smallLoad)).toBe(1);
});

test('a helper is never oneself, nor a thread that reads a large file', () => {
  const table = tableOf(3);
  expect(table.takeLeast(Infinity, largeLoad)).toBe(0);
  expect(table.takeLeast(Infinity, largeLoad)).toBe(1);
  for (let piece = 0; piece < largeLoad; piece += 1) expect(table.takeHelper(0, 10, false)).toBe(2);
  expect(table.takeHelper(0, 10, false)).toBeUndefined();
  expect(tableOf(1).takeHelper(0, 10, false)).toBeUndefined();
});

test('a piece stays where it is as long as others have as much to do', () => {
  const table = tableOf(2);
  expect(table.takeHelper(0, 0, false)).toBe(1);
  expect(table.takeHelper(0, 0, false)).toBe(1);
  expect(table.takeHelper(0, 0, false)).toBeUndefined();
  expect(table.takeHelper(0, 1, false)).toBe(1);
});

test('pieces that take long go to and fro', () => {
  const table = tableOf(2);
  expect(table.takeHelper(0, 0, true)).toBe(1);
  expect(table.takeHelper(0, 0, true)).toBeUndefined();
  expect(table.takeHelper(0, 1, true)).toBe(1);
  expect(table.takeHelper(0, 1, true)).toBeUndefined();
});
