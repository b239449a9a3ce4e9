/** Text and values of a file for people and programs. */

import type { Json } from '@mbk/plugin-sdk';
import type { GgufKeyValue } from './header.ts';

const longest = 200;

/** Short, without control characters, one line; so that no terminal or report obeys a model file. */
export function shownText(text: string): string {
  const plain = text
    .slice(0, 4 * longest)
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu, ' ')
    .trim();
  return plain.length > longest ? `${plain.slice(0, longest - 1)}…`.toWellFormed() : plain;
}

/** A number as JSON has it, else its digits; of a string the text, where it was kept; of an array its form. */
export function shownValue({ array, scalar, type, valueLength }: GgufKeyValue, text: string | undefined): Json {
  if (array !== undefined) return `${array.count} × ${array.elementType}`;
  if (type === 'string') return text === undefined ? `string in ${valueLength} bytes` : shownText(text);
  if (type === 'bool' && (scalar === 0 || scalar === 1)) return scalar === 1;
  const number = Number(scalar);
  const isExact = typeof scalar === 'bigint' ? Number.isSafeInteger(number) : Number.isFinite(number);
  return isExact ? number : String(scalar);
}
