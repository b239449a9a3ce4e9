/** Quantities as people write them on the command line. */

import { MbkError } from '@mbk/core';

/** `5%` or `0.5%` as the part of a whole, above 0 and at most 1. Errors: `usage-invalid`, naming `flag`. */
export function parsePercent(flag: string, text: string): number {
  const percent = /^(\d{1,3}(?:\.\d{1,6})?)%$/.exec(text)?.[1];
  const part = Number(percent) / 100;
  if (percent !== undefined && part > 0 && part <= 1) return part;
  throw new MbkError('usage-invalid', `${flag} ${JSON.stringify(text)} is no part of a whole`, {
    remedy: 'Write it as 5%, above 0% and at most 100%.',
  });
}

const dayMs = 86_400_000;
const units: Readonly<Record<string, number>> = {
  h: dayMs / 24,
  d: dayMs,
  w: 7 * dayMs,
  m: 30 * dayMs,
  y: 365 * dayMs,
};

/** `12h`, `30d`, `2w`, `6m` (of 30 days), `1y` (of 365) in milliseconds. Errors: `usage-invalid`, naming `flag`. */
export function parseAge(flag: string, text: string): number {
  const [, number = '', unit = ''] = /^([1-9]\d{0,4})([hdwmy])$/.exec(text) ?? [];
  const unitMs = units[unit];
  if (unitMs !== undefined) return Number(number) * unitMs;
  throw new MbkError('usage-invalid', `${flag} ${JSON.stringify(text)} is no age`, {
    remedy: 'Write it as 12h, 30d, 2w, 6m or 1y.',
  });
}
