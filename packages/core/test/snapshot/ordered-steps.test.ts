import fc from 'fast-check';
import { expect, test } from 'vitest';
import { orderedSteps } from '../../src/snapshot/ordered-steps.ts';

test('steps are done in the order in which they were added, each when what it waits for is there', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.option(fc.nat(5)), { maxLength: 60 }),
      fc.integer({ min: 2, max: 10 }),
      async (waits, most) => {
        const done: number[] = [];
        const line = orderedSteps({ most, onFull: () => undefined });
        for (const [number, ticks] of waits.entries()) {
          let isReady = ticks === null;
          const ready = async (): Promise<void> => {
            for (let tick = 0; tick < (ticks ?? 0); tick += 1) await Promise.resolve();
            isReady = true;
          };
          await line.add(
            () => {
              expect(isReady).toBe(true);
              done.push(number);
            },
            ticks === null ? undefined : ready(),
          );
        }
        await line.finish();
        expect(done).toEqual([...waits.keys()]);
      },
    ),
  );
});

test('no more than a bound wait; who is waited for is told to hurry', async () => {
  const waiting: PromiseWithResolvers<void>[] = [];
  let done = 0;
  const line = orderedSteps({ most: 4, onFull: () => waiting.splice(0).forEach(({ resolve }) => resolve()) });
  for (let number = 0; number < 40; number += 1) {
    const one = Promise.withResolvers<void>();
    waiting.push(one);
    await line.add(() => void (done += 1), one.promise);
    expect(number + 1 - done).toBeLessThanOrEqual(5);
  }
  await line.finish();
  expect(done).toBe(40);
});

test('what one waits for in vain is told in its turn, and nothing behind it is done', async () => {
  const done: number[] = [];
  const line = orderedSteps({ most: 8, onFull: () => undefined });
  const late = Promise.withResolvers<void>();
  await line.add(() => void done.push(0), late.promise);
  await line.add(() => void done.push(1), Promise.reject(new Error('vanished')));
  await line.add(() => void done.push(2));
  late.resolve();
  await expect(line.finish()).rejects.toThrow('vanished');
  expect(done).toEqual([0]);
});
