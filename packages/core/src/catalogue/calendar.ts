/**
 * Days and clock times of one time zone, by the zone data that the runtime carries (Intl).
 *
 * Instants are milliseconds since 1970. A local time that a clock change skips is taken as if the clock had not been
 * changed yet; one that occurs twice is taken the second time.
 */

/** Fields of a local time, as on a calendar: months and days count from 1. */
export interface LocalTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

export interface Calendar {
  readonly timezone: string;
  localTime(at: number): LocalTime;
  /** Offset from UTC in whole minutes, positive east of Greenwich. */
  offsetMinutes(at: number): number;
  /** `2025-01-31`. */
  dateOf(at: number): string;
  /** The instant of a local time; fields may run over (day 32, hour -1). */
  instantOf(time: LocalTime): number;
  /** The last millisecond of the day that `time` is in; its hour, minute and second do not count. */
  endOfDay(time: LocalTime): number;
}

const dayMs = 86_400_000;
/** In which the last instant of a Date is. */
const lastDay = 100_000_000;

/**
 * The calendar of an IANA time zone; RangeError if the runtime does not know it. Make one for many instants: but for UTC
 * it costs as much as thousands of them, and it remembers the offsets of days.
 */
export function calendarOf(timezone: string): Calendar {
  const askOffset = timezone === 'UTC' ? () => 0 : offsetsOf(timezone);
  /** Offsets at the beginnings of days in UTC. */
  const offsets = new Map<number, number>();
  const offsetOfDay = (day: number): number => {
    const offset = offsets.get(day) ?? askOffset(day * dayMs);
    offsets.set(day, offset);
    return offset;
  };
  /** Local time read as if it were UTC, minus the instant. */
  const offsetMs = (at: number): number => {
    const day = Math.floor(at / dayMs);
    if (day < 0 || day >= lastDay) return askOffset(at);
    // No zone changed twice within a day of UTC since 1970: where both ends of a day agree, all of it does.
    const offset = offsetOfDay(day);
    return offsetOfDay(day + 1) === offset ? offset : askOffset(at);
  };
  const localTime = (at: number): LocalTime => {
    const local = new Date(at + offsetMs(at));
    return {
      year: local.getUTCFullYear(),
      month: local.getUTCMonth() + 1,
      day: local.getUTCDate(),
      hour: local.getUTCHours(),
      minute: local.getUTCMinutes(),
      second: local.getUTCSeconds(),
    };
  };

  const instantOf = (time: LocalTime): number => {
    const local = asUtc(time);
    // Zones have changed by up to a whole day at once (Samoa, 2011): look that far to both sides.
    const before = local - offsetMs(local - dayMs);
    const after = local - offsetMs(local + dayMs);
    const valid = [before, after].filter((instant) => instant + offsetMs(instant) === local);
    return valid.length === 0 ? before : Math.max(...valid);
  };

  return {
    timezone,
    localTime,
    instantOf,
    offsetMinutes: (at) => Math.round(offsetMs(at) / 60_000),
    dateOf: (at) => new Date(asUtc(localTime(at))).toISOString().slice(0, 10),
    endOfDay: ({ year, month, day }) => instantOf({ year, month, day: day + 1, hour: 0, minute: 0, second: 0 }) - 1,
  };
}

/** Offset from UTC in milliseconds at an instant, as the runtime knows it: some microseconds each. */
function offsetsOf(timezone: string): (at: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (at) => {
    // In en-US the month comes first. Its parts one by one would cost three times as much.
    const numbers = (format.format(at).match(/\d+/g) ?? []).map(Number);
    const [month = Number.NaN, day = Number.NaN, year = Number.NaN, hour, minute, second] = numbers;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1000) * 1000;
  };
}

/** Whether the runtime knows the time zone. */
export function isTimezone(timezone: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: timezone });
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

function asUtc({ year, month, day, hour, minute, second }: LocalTime): number {
  return Date.UTC(year, month - 1, day, hour, minute, second);
}
