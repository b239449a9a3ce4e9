/** What each day or month brought, by the lines of the log alone. */
import { calendarOf } from '../../catalogue/calendar.ts';
import type { Line } from '../../format/log-state.ts';

/** What a part of time brought; from the log alone. */
export interface PeriodUsage {
  /** `2025-01`, or `2025-01-31` by day, in the time zone of the repository. */
  readonly period: string;
  readonly snapshots: number;
  /** Plain bytes of the files of captures, of those that were new, and bytes that were written for them. */
  readonly raw: number;
  readonly added: number;
  readonly stored: number;
}

/** Of lines in any order. */
export function periodsOf(lines: readonly Line[], timezone: string, by: 'day' | 'month'): PeriodUsage[] {
  const calendar = calendarOf(timezone);
  const periods = new Map<string, { -readonly [Field in keyof PeriodUsage]: PeriodUsage[Field] }>();
  for (const { line } of lines) {
    const { year, month, day } = calendar.localTime(line.takenAt);
    const parts = [String(year).padStart(4, '0'), twoDigits(month), ...(by === 'day' ? [twoDigits(day)] : [])];
    const period = parts.join('-');
    const row = periods.get(period) ?? { period, snapshots: 0, raw: 0, added: 0, stored: 0 };
    periods.set(period, row);
    row.snapshots += 1;
    row.raw += line.captures.reduce((sum, { bytes }) => sum + bytes, 0);
    row.added += line.added;
    row.stored += line.stored;
  }
  return [...periods.values()].sort((a, b) => (a.period < b.period ? -1 : 1));
}

const twoDigits = (value: number): string => String(value).padStart(2, '0');
