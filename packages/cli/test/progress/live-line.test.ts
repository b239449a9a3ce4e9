import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { layOut, startLiveLine } from '../../src/progress/live-line.ts';
import type { ProgressView } from '../../src/progress/live-line.ts';
import { widthOf } from '../../src/terminal-width.ts';
import { recordingStream } from '../recording-stream.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const view: ProgressView = {
  facts: ['42%', '12 s left', '1 of 2 files'],
  more: ['3 B new'],
  path: 'models/医疗/a.gguf',
};

test('facts that do not fit are left out from the last on, and a path loses its start', () => {
  expect(layOut(view, 60)).toEqual(['42%  12 s left  1 of 2 files', '3 B new  models/医疗/a.gguf']);
  expect(layOut(view, 24)).toEqual(['42%  12 s left', '3 B new  …ls/医疗/a.gguf']);
  expect(layOut(view, 20)).toEqual(['42%  12 s left', '3 B new']);
  for (const columns of [20, 21, 22, 23, 30, 80])
    for (const line of layOut(view, columns)) expect(widthOf(line)).toBeLessThanOrEqual(columns);
});

test('lines are written over in one write, without clearing the screen', () => {
  const { stream, text } = recordingStream({ isTTY: true, columns: 40 });
  const live = startLiveLine(stream, () => view);
  vi.advanceTimersByTime(1000);
  const first = text();
  expect(first).toBe('\r42%  12 s left  1 of 2 files\u001b[K\n3 B new  models/医疗/a.gguf\u001b[J');
  vi.advanceTimersByTime(200);
  expect(text().slice(first.length)).toBe(`\r\u001b[1A${first.slice(1)}`);
  live.stop();
});

test('a terminal that became narrower has broken the lines: all of their rows go', () => {
  const { stream, text, resize } = recordingStream({ isTTY: true, columns: 40 });
  const live = startLiveLine(stream, () => view);
  vi.advanceTimersByTime(1000);
  const before = text().length;
  resize(20); // 28 and 27 columns: two rows each
  expect(text().slice(before)).toMatch(
    /^\r\u001b\[3A\u001b\[K(?:\n\u001b\[K){3}\u001b\[3A\r42% {2}12 s left\u001b\[K\n3 B new\u001b\[J$/,
  );
  live.stop();
  const atEnd = text();
  resize(40);
  expect(text()).toBe(atEnd);
});

test.each([
  ['a pipe', { isTTY: false }, {}],
  ['a dumb terminal', { isTTY: true }, { canRewrite: false }],
])('%s gets a plain line every half minute', (_, kind, options) => {
  const { stream, text } = recordingStream(kind);
  const live = startLiveLine(stream, () => view, options);
  vi.advanceTimersByTime(60_000);
  live.stop();
  expect(text()).toBe('42%, 12 s left, 1 of 2 files, 3 B new, models/医疗/a.gguf\n'.repeat(2));
});
