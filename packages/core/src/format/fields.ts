/**
 * Checked reading of a record's fields: what a decoder returns has the type it says, or it throws `value-invalid`
 * with the record, the field and what was expected.
 */
import { MbkError } from '../errors.ts';
import { isHex } from './ids.ts';

export interface Fields {
  readonly what: string;
  has(name: string): boolean;
  raw(name: string): unknown;
  string(name: string, rules?: { readonly pattern?: RegExp; readonly max?: number }): string;
  /** A safe integer in [min, max]; min is 0 unless given. */
  int(name: string, rules?: { readonly min?: number; readonly max?: number }): number;
  /** `bytes` bytes in lower-case hex. */
  hex(name: string, bytes: number): string;
  bool(name: string): boolean;
  literal<T extends string | number | boolean | null>(name: string, ...allowed: readonly T[]): T;
  array<T>(name: string, item: (value: unknown, what: string) => T, rules?: { readonly max?: number }): T[];
  object(name: string): Fields;
  /** `read(this)` if the field is there, else undefined. */
  optional<T>(name: string, read: (fields: Fields) => T): T | undefined;
  /** `read(this)` unless the field is null. */
  nullable<T>(name: string, read: (fields: Fields) => T): T | null;
}

/** The fields of a JSON object named `what` in messages. */
export function readFields(value: unknown, what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new MbkError('value-invalid', `${what}: expected an object`);
  }
  const record = value as Readonly<Record<string, unknown>>;
  const invalid = (name: string, expected: string): MbkError =>
    new MbkError('value-invalid', `${what}: field ${name}: expected ${expected}`, {
      details: { record: what, field: name },
    });
  const raw = (name: string): unknown => (Object.hasOwn(record, name) ? record[name] : undefined);

  const fields: Fields = {
    what,
    raw,
    has: (name) => raw(name) !== undefined,
    string(name, { pattern, max = 65_536 } = {}) {
      const field = raw(name);
      if (typeof field !== 'string' || field.length > max || !field.isWellFormed()) {
        throw invalid(name, `a string of at most ${max} characters`);
      }
      if (pattern !== undefined && !pattern.test(field)) throw invalid(name, `a string like ${pattern}`);
      return field;
    },
    int(name, { min = 0, max = Number.MAX_SAFE_INTEGER } = {}) {
      const field = raw(name);
      if (!Number.isSafeInteger(field) || (field as number) < min || (field as number) > max) {
        throw invalid(name, `an integer from ${min} to ${max}`);
      }
      return field as number;
    },
    hex(name, bytes) {
      const field = raw(name);
      if (!isHex(field, bytes)) throw invalid(name, `${bytes * 2} lower-case hex digits`);
      return field;
    },
    bool(name) {
      const field = raw(name);
      if (typeof field !== 'boolean') throw invalid(name, 'true or false');
      return field;
    },
    literal<T extends string | number | boolean | null>(name: string, ...allowed: readonly T[]): T {
      const field = raw(name) as T;
      if (!allowed.includes(field)) throw invalid(name, allowed.map((one) => JSON.stringify(one)).join(' or '));
      return field;
    },
    array(name, item, { max = 1_048_576 } = {}) {
      const field = raw(name);
      if (!Array.isArray(field) || field.length > max) throw invalid(name, `an array of at most ${max} items`);
      return field.map((one: unknown, index) => item(one, `${what}: ${name}[${index}]`));
    },
    object: (name) => readFields(raw(name), `${what}: ${name}`),
    optional: (name, read) => (raw(name) === undefined ? undefined : read(fields)),
    nullable: (name, read) => (raw(name) === null ? null : read(fields)),
  };
  return fields;
}
