/**
 * Canonical JSON (RFC 8785): one value, one byte sequence, so records can be content-addressed and signed.
 *
 * ECMAScript's own number and string forms are the ones the RFC prescribes; only the order of keys is added here.
 */
import { isUtf8 } from 'node:buffer';
import { MbkError } from '../errors.ts';
import { utf8 } from './bytes.ts';

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue | undefined };

/** Canonical text of `value`; fields that are `undefined` are left out. TypeError for what JSON or the format cannot hold. */
export function canonicalText(value: JsonValue): string {
  return textOf(value, Number.isSafeInteger, 'safe integers');
}

/** The same for facts of plugins, which may have fractions: numbers as ECMAScript prints them, as RFC 8785 says. */
export function canonicalFactsText(value: JsonValue): string {
  return textOf(value, Number.isFinite, 'finite numbers');
}

function textOf(value: JsonValue, isNumber: (value: number) => boolean, numbers: string): string {
  if (typeof value === 'number') {
    if (!isNumber(value)) throw new TypeError(`canonical JSON holds ${numbers} only, got ${value}`);
    return JSON.stringify(value);
  }
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw new TypeError('canonical JSON holds well-formed strings only');
    return JSON.stringify(value);
  }
  if (value === null || typeof value === 'boolean') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item: JsonValue) => textOf(item, isNumber, numbers)).join(',')}]`;
  if (typeof value !== 'object') throw new TypeError(`canonical JSON cannot hold ${typeof value}`);
  const record = value as { readonly [key: string]: JsonValue | undefined };
  const fields: string[] = [];
  for (const key of Object.keys(record).sort()) {
    const field = record[key];
    if (field !== undefined) fields.push(`${textOf(key, isNumber, numbers)}:${textOf(field, isNumber, numbers)}`);
  }
  return `{${fields.join(',')}}`;
}

/** Canonical bytes of `value`, UTF-8. */
export function encodeCanonical(value: JsonValue): Uint8Array {
  return utf8(canonicalText(value));
}

/** The value of JSON bytes of a record named `what`; `value-invalid` if they are not UTF-8 JSON. */
export function parseJson(bytes: Uint8Array, what: string): unknown {
  if (!isUtf8(bytes)) throw new MbkError('value-invalid', `${what} is not UTF-8`);
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
  } catch (cause) {
    throw new MbkError('value-invalid', `${what} is not JSON`, { cause });
  }
}
