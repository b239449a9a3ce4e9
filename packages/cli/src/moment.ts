/** Times as people read them, in the time zone of the repository. */

import { calendarOf } from '@mbk/core';

/** A time (RFC 3339) as `2025-01-31 14:00`; `-` for none, and as it is when it cannot be read. */
export function formatMoment(time: string | null, timezone: string): string {
  return momentFormat(timezone)(time);
}

/** `formatMoment` for many times of one time zone. */
export function momentFormat(timezone: string): (time: string | null) => string {
  const calendar = calendarOf(timezone);
  return (time) => {
    if (time === null) return '-';
    const at = Date.parse(time);
    if (Number.isNaN(at)) return time;
    const { year, month, day, hour, minute } = calendar.localTime(at);
    const years = year < 1000 ? String(year).padStart(4, '0') : String(year);
    return `${years}-${twoDigits(month)}-${twoDigits(day)} ${twoDigits(hour)}:${twoDigits(minute)}`;
  };
}

const twoDigits = (value: number): string => (value < 10 ? `0${value}` : String(value));

/** The start of a commit id that is shown for it. */
export function shortId(commit: string): string {
  return commit.slice(0, 10);
}
