import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { writeCheckpoints } from './measure-chain.ts';
import { linePlot } from './plot.ts';

const training = { seed: 7, checkpoints: 4, stepsEach: 3, widths: [16, 32, 8] };

function checkpointsOf(seed: number): {
  readonly losses: readonly (number | null)[];
  readonly files: readonly string[];
} {
  const folder = mkdtempSync(join(tmpdir(), 'mbk-chain-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const losses = writeCheckpoints(folder, { ...training, seed });
  const files = losses.map((_, at) => readFileSync(join(folder, `checkpoint-${at}`, 'model.safetensors'), 'latin1'));
  return { losses, files };
}

test('every checkpoint of a training run is another, and the same again with the same seed', () => {
  const { losses, files } = checkpointsOf(7);
  expect(new Set(files).size).toBe(training.checkpoints);
  expect(losses[0]).toBeNull();
  for (const loss of losses.slice(1)) expect(loss).toBeGreaterThan(0);
  expect(checkpointsOf(7)).toEqual({ losses, files });
  expect(checkpointsOf(8).files).not.toEqual(files);
});

test('a plot has a line for each series, within its frame, and what is named in it is text', () => {
  const svg = linePlot(
    [
      { name: 'a<b', values: [1, 2, 7] },
      { name: 'c', values: [0, 0, 0] },
    ],
    { title: 't', x: 'x', y: 'y' },
  );
  expect(svg.match(/<polyline /g)).toHaveLength(2);
  expect(svg).toContain('a&lt;b');
  const numbers = [...svg.matchAll(/points="([^"]*)"/g)].flatMap(([, points = '']) => points.split(/[ ,]/).map(Number));
  expect(numbers).toHaveLength(12);
  for (const number of numbers) expect(number).toBeGreaterThanOrEqual(0);
});
