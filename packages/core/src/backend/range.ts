import { MbkError } from '../errors.ts';
import type { GetOptions, ListOptions } from './backend.ts';

/** The part of an entry of `size` bytes that `options` ask for; one that passes the end is 'backend-read-short'. */
export function resolveRange(backendName: string, key: string, size: number, options: GetOptions): Range {
  const offset = options.offset ?? 0;
  checkCount('offset', offset, 0);
  if (options.length !== undefined) checkCount('length', options.length, 0);
  const end = options.length === undefined ? size : offset + options.length;
  if (offset > size || end > size) throw readShort(backendName, key, Math.max(offset, end), size);
  return { offset, length: end - offset };
}

export interface Range {
  readonly offset: number;
  readonly length: number;
}

/** The error for an entry of which fewer bytes are there than were asked for. */
export function readShort(backendName: string, key: string, expected: number, actual: number): MbkError {
  const message = `${key} in ${backendName} is too short: ${expected} bytes are needed, ${actual} are there`;
  return new MbkError('backend-read-short', message, { details: { key, expected, actual } });
}

/** The `limit` of a listing, `Infinity` when there is none. */
export function resolveLimit(options: ListOptions): number {
  if (options.limit !== undefined) checkCount('limit', options.limit, 1);
  return options.limit ?? Infinity;
}

function checkCount(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new RangeError(`expected ${name} to be a whole number from ${least}, got ${value}`);
  }
}
