import { describe, expect, test } from 'vitest';
import { calendarOf } from '../../src/catalogue/calendar.ts';
import { momentOf } from '../../src/catalogue/moment.ts';

const now = Date.parse('2025-03-31T12:34:56.789Z');
const moment = (text: string, timezone = 'Europe/Berlin'): string | undefined => {
  const found = momentOf(text, { calendar: calendarOf(timezone), now });
  return found === undefined ? undefined : new Date(found).toISOString();
};

describe('moments', () => {
  test.each([
    ['now', '2025-03-31T12:34:56.789Z'],
    ['today', '2025-03-31T21:59:59.999Z'],
    ['yesterday', '2025-03-30T21:59:59.999Z'],
    ['2025-01-01', '2025-01-01T22:59:59.999Z'],
    ['2025-01-01 14:00', '2025-01-01T13:00:59.999Z'],
    ['2025-01-01T14:00:05', '2025-01-01T13:00:05.999Z'],
    ['2025-01-01T14:00Z', '2025-01-01T14:00:59.999Z'],
    ['2025-01-01T14:00:00.000-05:30', '2025-01-01T19:30:00.999Z'],
    ['90 seconds ago', '2025-03-31T12:33:26.789Z'],
    ['5 minutes ago', '2025-03-31T12:29:56.789Z'],
    ['2 hours ago', '2025-03-31T10:34:56.789Z'],
    // Summer time began on the 30th: the clock time stays.
    ['1 day ago', '2025-03-30T12:34:56.789Z'],
    ['3 days ago', '2025-03-28T13:34:56.789Z'],
    ['1.week.ago', '2025-03-24T13:34:56.789Z'],
    ['1 month ago', '2025-02-28T13:34:56.789Z'],
    ['13 months ago', '2024-02-29T13:34:56.789Z'],
    ['1 year ago', '2024-03-31T12:34:56.789Z'],
  ])('%s', (text, expected) => {
    expect(moment(text)).toBe(expected);
  });

  test.each([
    '2025-02-30',
    '2025-13-01',
    '2025-1-1',
    '2025-01-01 24:00',
    '2025-01-01 14:60',
    '2025-01-01Z',
    'ago',
    '-3 days ago',
    '3 fortnights ago',
    'tomorrow',
    '0050-01-01',
    '',
  ])('%s is not understood', (text) => {
    expect(moment(text)).toBeUndefined();
  });
});
