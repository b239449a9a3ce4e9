import { expect, test } from 'vitest';
import { formatMoment, shortId } from '../src/moment.ts';

test.each([
  ['2025-01-31T23:30:00.000Z', 'UTC', '2025-01-31 23:30'],
  ['2025-01-31T23:30:00.000Z', 'Europe/Berlin', '2025-02-01 00:30'],
  ['1969-12-31T23:59:59.999999999Z', 'UTC', '1969-12-31 23:59'],
  [null, 'UTC', '-'],
  ['long ago', 'UTC', 'long ago'],
])('%s in %s is %s', (time, timezone, text) => {
  expect(formatMoment(time, timezone)).toBe(text);
});

test('a commit is named by the start of its id', () => {
  expect(shortId('0123456789abcdef')).toBe('0123456789');
});
