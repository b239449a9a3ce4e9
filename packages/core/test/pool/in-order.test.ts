import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { inOrder } from '../../src/pool/in-order.ts';

test('results come in the order of the items, with so many begun ahead and no more', async () => {
  let under = 0;
  let most = 0;
  const begin = async (n: number): Promise<number> => {
    most = Math.max(most, (under += 1));
    await pause((n * 7) % 5);
    under -= 1;
    return -n;
  };
  const items = Array.from({ length: 20 }, (_, n) => n);
  const results: number[] = [];
  for await (const result of inOrder(items, () => 4, begin)) results.push(result);
  expect(results).toEqual(items.map((n) => -n));
  expect(most).toBe(4);
});

test('a failure is told in its turn, once what was begun beside it is over', async () => {
  const over: number[] = [];
  const begin = async (n: number): Promise<number> => {
    if (n === 1) throw new Error('one');
    await pause(5);
    over.push(n);
    return n;
  };
  const results: number[] = [];
  const all = async (): Promise<void> => {
    for await (const result of inOrder([0, 1, 2, 3], () => 3, begin)) results.push(result);
  };
  await expect(all()).rejects.toThrow('one');
  expect(results).toEqual([0]);
  expect(over.toSorted()).toEqual([0, 2, 3].filter((n) => over.includes(n)));
  expect(over).toContain(2);
});
