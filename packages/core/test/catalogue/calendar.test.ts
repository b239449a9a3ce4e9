import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { calendarOf, isTimezone } from '../../src/catalogue/calendar.ts';

const at = (text: string): number => Date.parse(text);
const midnight = { hour: 0, minute: 0, second: 0 };

describe('calendar', () => {
  test('dates are those of the time zone', () => {
    expect(calendarOf('UTC').dateOf(at('2025-01-01T23:30:00Z'))).toBe('2025-01-01');
    expect(calendarOf('Europe/Berlin').dateOf(at('2025-01-01T23:30:00Z'))).toBe('2025-01-02');
    expect(calendarOf('America/New_York').dateOf(at('2025-01-01T04:59:59Z'))).toBe('2024-12-31');
  });

  test('offsets are minutes east of Greenwich, with summer time', () => {
    expect(calendarOf('Europe/Berlin').offsetMinutes(at('2025-01-01T00:00:00Z'))).toBe(60);
    expect(calendarOf('Europe/Berlin').offsetMinutes(at('2025-07-01T00:00:00Z'))).toBe(120);
    expect(calendarOf('Asia/Kolkata').offsetMinutes(at('2025-07-01T00:00:00.500Z'))).toBe(330);
    expect(calendarOf('America/St_Johns').offsetMinutes(at('2025-01-01T00:00:00Z'))).toBe(-210);
  });

  test('a day ends with its last millisecond, on days of 23 and 25 hours too', () => {
    const berlin = calendarOf('Europe/Berlin');
    const end = (year: number, month: number, day: number): string =>
      new Date(berlin.endOfDay({ year, month, day, ...midnight })).toISOString();
    expect(end(2025, 1, 31)).toBe('2025-01-31T22:59:59.999Z');
    expect(end(2025, 3, 30)).toBe('2025-03-30T21:59:59.999Z');
    expect(end(2025, 10, 26)).toBe('2025-10-26T22:59:59.999Z');
  });

  test('a time that was skipped counts by the clock before, one that came twice by its second time', () => {
    const berlin = calendarOf('Europe/Berlin');
    expect(berlin.instantOf({ year: 2025, month: 3, day: 30, hour: 2, minute: 30, second: 0 })).toBe(
      at('2025-03-30T01:30:00Z'),
    );
    expect(berlin.instantOf({ year: 2025, month: 10, day: 26, hour: 2, minute: 30, second: 0 })).toBe(
      at('2025-10-26T01:30:00Z'),
    );
  });

  test('a day that a zone left out ends where it would have begun', () => {
    const samoa = calendarOf('Pacific/Apia');
    expect(samoa.endOfDay({ year: 2011, month: 12, day: 30, ...midnight })).toBe(at('2011-12-30T10:00:00Z') - 1);
    expect(samoa.endOfDay({ year: 2011, month: 12, day: 29, ...midnight })).toBe(at('2011-12-30T10:00:00Z') - 1);
  });

  test('local times are those of the runtime, also on days when the clock changes', () => {
    const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Pacific/Apia', 'Asia/Kathmandu'];
    const formats = new Map(
      zones.map((timeZone) => [
        timeZone,
        new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' }),
      ]),
    );
    const calendars = new Map(zones.map((timezone) => [timezone, calendarOf(timezone)]));
    // Days at whose ends a zone changed, and others.
    const days = fc.oneof(
      fc.constantFrom('2011-12-30', '2025-03-30', '2025-10-26', '2025-03-09', '2025-04-05').map(at),
      fc.integer({ min: 0, max: 40_000 }).map((day) => day * 86_400_000),
    );
    const seconds = fc.integer({ min: -86_400, max: 2 * 86_400 });
    fc.assert(
      fc.property(fc.constantFrom(...zones), days, seconds, (timezone, day, second) => {
        const instant = day + second * 1000;
        const time = calendars.get(timezone)?.localTime(instant);
        const [year, month, date, hour, minute, rest] = (formats.get(timezone)?.format(instant) ?? '')
          .split(/\D/)
          .map(Number);
        expect(time).toEqual({ year, month, day: date, hour, minute, second: rest });
      }),
    );
  });

  test('local times come back to their instant, up to the hour that a clock change repeats', () => {
    const zones = fc.constantFrom(
      'UTC',
      'Europe/Berlin',
      'America/New_York',
      'Australia/Lord_Howe',
      'Asia/Kathmandu',
      'America/Sao_Paulo',
    );
    const seconds = fc.integer({ min: 0, max: 4_000_000_000 });
    fc.assert(
      fc.property(zones, seconds, (timezone, second) => {
        const calendar = calendarOf(timezone);
        const back = calendar.instantOf(calendar.localTime(second * 1000));
        expect(calendar.localTime(back)).toEqual(calendar.localTime(second * 1000));
        expect([0, 1_800_000, 3_600_000]).toContain(back - second * 1000);
        const end = calendar.endOfDay(calendar.localTime(second * 1000));
        expect(calendar.dateOf(end)).toBe(calendar.dateOf(second * 1000));
        expect(calendar.dateOf(end + 1)).not.toBe(calendar.dateOf(second * 1000));
      }),
    );
  });

  test('unknown zones are told apart', () => {
    expect(isTimezone('Europe/Berlin')).toBe(true);
    expect(isTimezone('Mars/Olympus')).toBe(false);
    expect(() => calendarOf('Mars/Olympus')).toThrow(RangeError);
  });
});
