/**
 * Moments of revisions: `2025-01-01`, `2025-01-01 14:00`, `3 days ago`, `yesterday`, in the repository's time zone.
 *
 * A date, a minute or a second means its end, so that a snapshot shown at 14:00 is found at 14:00.
 */
import type { Calendar } from './calendar.ts';

const datePattern = /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d))?(?:\.\d{1,9})?(Z|[+-]\d\d:\d\d)?)?$/;
const agoPattern = /^(\d{1,6})[ .]+(second|minute|hour|day|week|month|year)s?[ .]+ago$/;

/** The last instant that `text` includes, in milliseconds since 1970; undefined if it is not understood. */
export function momentOf(
  text: string,
  { calendar, now }: { readonly calendar: Calendar; readonly now: number },
): number | undefined {
  const words = text.trim();
  if (words === 'now') return now;
  const today = calendar.localTime(now);
  if (words === 'today') return calendar.endOfDay(today);
  if (words === 'yesterday') return calendar.endOfDay({ ...today, day: today.day - 1 });
  const ago = agoPattern.exec(words);
  if (ago !== null) return momentAgo(Number(ago[1]), ago[2] ?? '', { calendar, now });
  const date = datePattern.exec(words);
  return date === null ? undefined : dateMoment(date, calendar);
}

function momentAgo(
  count: number,
  unit: string,
  { calendar, now }: { readonly calendar: Calendar; readonly now: number },
): number {
  if (unit === 'second') return now - count * 1000;
  if (unit === 'minute') return now - count * 60_000;
  if (unit === 'hour') return now - count * 3_600_000;
  // From days on the clock time stays, whatever the clock changes between are.
  const time = calendar.localTime(now);
  const milliseconds = ((now % 1000) + 1000) % 1000;
  if (unit === 'day' || unit === 'week') {
    return calendar.instantOf({ ...time, day: time.day - count * (unit === 'week' ? 7 : 1) }) + milliseconds;
  }
  const month = time.month - count * (unit === 'year' ? 12 : 1);
  // A month ago from March 31 is the last day of February.
  const lastDay = new Date(Date.UTC(time.year, month, 0)).getUTCDate();
  return calendar.instantOf({ ...time, month, day: Math.min(time.day, lastDay) }) + milliseconds;
}

function dateMoment(match: RegExpExecArray, calendar: Calendar): number | undefined {
  const [, year, month, day, hour, minute, second, zone] = match;
  const time = {
    year: Number(year),
    month: Number(month),
    day: Number(day),
    hour: Number(hour ?? 0),
    minute: Number(minute ?? 0),
    second: Number(second ?? 0),
  };
  const utc = Date.UTC(time.year, time.month - 1, time.day, time.hour, time.minute, time.second);
  // February 30 and 25:00 would run over into another day or hour.
  const written = `${year}-${month}-${day}T${hour ?? '00'}:${minute ?? '00'}:${second ?? '00'}.000Z`;
  if (Number.isNaN(utc) || new Date(utc).toISOString() !== written) return undefined;
  if (hour === undefined) return calendar.endOfDay(time);
  const start = zone === undefined ? calendar.instantOf(time) : utc - zoneMs(zone);
  return start + (second === undefined ? 60_000 : 1000) - 1;
}

function zoneMs(zone: string): number {
  if (zone === 'Z') return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6));
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000;
}
