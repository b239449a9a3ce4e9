/** Times as people read them, in the time zone of the repository. */

import { calendarOf } from '@mbk/core';

/** A time (RFC 3339) as `2025-01-31 14:00`; `-` for none, and as it is when it cannot be read. */
export function formatMoment(time: string | null, timezone: string): string {
  return momentFormat(timezone)(time);
}

/** `formatMoment` for many times of one time zone. */
export function momentFormat(timezone: string): (time: string | null) => string {
  const calendar = calendarOf(timezone);
  // A history has thousands of times in a few days.
  let last = { day: NaN, text: '' };
  return (time) => {
    if (time === null) return '-';
    const at = Date.parse(time);
    if (Number.isNaN(at)) return time;
    const minutes = Math.floor(at / 60_000) + calendar.offsetMinutes(at);
    const day = Math.floor(minutes / dayMinutes);
    if (day !== last.day) last = { day, text: calendar.dateOf(at) };
    const left = minutes - day * dayMinutes;
    return `${last.text} ${twoDigits(Math.floor(left / 60))}:${twoDigits(left % 60)}`;
  };
}

const dayMinutes = 1440;

const twoDigits = (value: number): string => (value < 10 ? `0${value}` : String(value));

/** The start of a commit id that is shown for it. */
export function shortId(commit: string): string {
  return commit.slice(0, 10);
}
