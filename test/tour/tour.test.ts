import { expect, test } from 'vitest';
import { maskTour } from './mask.ts';
import { runTour } from './run-tour.ts';
import { readTour } from './tour-page.ts';

test('the tour of the README, taken word for word, prints what the README shows', async () => {
  const steps = readTour();
  expect(steps.length).toBeGreaterThan(7);
  const taken = await runTour(steps);
  expect(taken.map(({ command, status, printed }) => ({ command, status, printed: maskTour(printed) }))).toEqual(
    steps.map(({ command, shown }) => ({ command, status: 0, printed: maskTour(shown) })),
  );
});
