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

/**
 * The calendar of an IANA time zone; RangeError if the runtime does not know it. Make one for many instants: it costs as
 * much as a hundred of them.
 */
export function calendarOf(timezone: string): Calendar {
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

  const localTime = (at: number): LocalTime => {
    // In en-US the month comes first. Its parts one by one would cost three times as much.
    const [month, day, year, hour, minute, second] = (format.format(at).match(/\d+/g) ?? []).map(Number);
    return {
      year: year ?? Number.NaN,
      month: month ?? Number.NaN,
      day: day ?? Number.NaN,
      hour: hour ?? Number.NaN,
      minute: minute ?? Number.NaN,
      second: second ?? Number.NaN,
    };
  };
  /** Local time read as if it were UTC, minus the instant. */
  const offsetMs = (at: number): number => asUtc(localTime(at)) - Math.floor(at / 1000) * 1000;

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
