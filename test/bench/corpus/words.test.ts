import { expect, test } from 'vitest';
import { randomSource } from './random-source.ts';
import { lineMaker, zipfTable } from './words.ts';

test('ranks are as likely as their power, and the last stands for all that are rarer', () => {
  const draw = zipfTable(4, 1.25);
  const counts = [0, 0, 0, 0];
  const steps = 100_000;
  for (let step = 0; step < steps; step += 1) {
    const rank = draw((step + 0.5) / steps);
    counts[rank] = (counts[rank] ?? 0) + 1;
  }
  // The endless sum of n ** -1.25 is 4.595.
  for (const [rank, count] of counts.slice(0, 3).entries())
    expect(count / steps).toBeCloseTo((rank + 1) ** -1.25 / 4.595, 2);
});

test('every number below 1 draws a rank that there is', () => {
  const draw = zipfTable(1000, 1.25);
  const random = randomSource(1);
  for (let turn = 0; turn < 10_000; turn += 1) expect(draw(random.uniform())).toBeLessThan(1000);
  expect(draw(1 - 2 ** -32)).toBeLessThan(1000);
});

test('any line can be made by itself, is JSON, and ends with a line feed', () => {
  const lines = lineMaker(7);
  const buffer = Buffer.alloc(lines.maxBytes + 10);
  const end = lines.write(41, buffer, 10);
  const text = buffer.toString('utf8', 10, end);
  const line = JSON.parse(text) as { id: number; domain: string; prompt: string; response: string };
  expect(text.endsWith('}\n')).toBe(true);
  expect(line).toMatchObject({ id: 41, domain: 'education' });
  expect(line.prompt.split(' ')).toHaveLength(25);
  expect(line.response.split(' ')).toHaveLength(35);
  const again = Buffer.alloc(lines.maxBytes);
  expect(again.toString('utf8', 0, lineMaker(7).write(41, again, 0))).toBe(text);
});
