import fc from 'fast-check';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { room } from '../../src/pool/room.ts';

test('all have their turn, in order, and never more than there is, unless one alone is larger', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 15 })), async (sizes) => {
      const memory = room(10);
      const order: number[] = [];
      const held: number[] = [];
      const users = sizes.map(async (size, number) => {
        await memory.take(size);
        order.push(number);
        held.push(size);
        const sum = held.reduce((total, one) => total + one, 0);
        expect(sum <= 10 || held.filter((one) => one > 0).length === 1).toBe(true);
        await setImmediate();
        held.splice(held.indexOf(size), 1);
        memory.give(size);
      });
      await Promise.all(users);
      expect(order).toEqual(sizes.map((_, number) => number));
    }),
    { numRuns: 50 },
  );
});
