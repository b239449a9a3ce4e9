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
  return new RecordFields(value as Readonly<Record<string, unknown>>, what);
}

/** A class, because there is one for each entry of each tree: closures would cost more than the checks. */
class RecordFields implements Fields {
  readonly what: string;
  readonly #record: Readonly<Record<string, unknown>>;

  constructor(record: Readonly<Record<string, unknown>>, what: string) {
    this.#record = record;
    this.what = what;
  }

  raw(name: string): unknown {
    return Object.hasOwn(this.#record, name) ? this.#record[name] : undefined;
  }

  has(name: string): boolean {
    return this.raw(name) !== undefined;
  }

  string(name: string, { pattern, max = 65_536 }: { readonly pattern?: RegExp; readonly max?: number } = {}): string {
    const field = this.raw(name);
    if (typeof field !== 'string' || field.length > max || !field.isWellFormed()) {
      throw this.#invalid(name, `a string of at most ${max} characters`);
    }
    if (pattern !== undefined && !pattern.test(field)) throw this.#invalid(name, `a string like ${pattern}`);
    return field;
  }

  int(
    name: string,
    { min = 0, max = Number.MAX_SAFE_INTEGER }: { readonly min?: number; readonly max?: number } = {},
  ): number {
    const field = this.raw(name);
    if (!Number.isSafeInteger(field) || (field as number) < min || (field as number) > max) {
      throw this.#invalid(name, `an integer from ${min} to ${max}`);
    }
    return field as number;
  }

  hex(name: string, bytes: number): string {
    const field = this.raw(name);
    if (!isHex(field, bytes)) throw this.#invalid(name, `${bytes * 2} lower-case hex digits`);
    return field;
  }

  bool(name: string): boolean {
    const field = this.raw(name);
    if (typeof field !== 'boolean') throw this.#invalid(name, 'true or false');
    return field;
  }

  literal<T extends string | number | boolean | null>(name: string, ...allowed: readonly T[]): T {
    const field = this.raw(name) as T;
    if (!allowed.includes(field)) {
      throw this.#invalid(name, allowed.map((one) => JSON.stringify(one)).join(' or '));
    }
    return field;
  }

  array<T>(
    name: string,
    item: (value: unknown, what: string) => T,
    { max = 1_048_576 }: { readonly max?: number } = {},
  ): T[] {
    const field = this.raw(name);
    if (!Array.isArray(field) || field.length > max) throw this.#invalid(name, `an array of at most ${max} items`);
    return field.map((one: unknown, index) => item(one, `${this.what}: ${name}[${index}]`));
  }

  object(name: string): Fields {
    return readFields(this.raw(name), `${this.what}: ${name}`);
  }

  optional<T>(name: string, read: (fields: Fields) => T): T | undefined {
    return this.raw(name) === undefined ? undefined : read(this);
  }

  nullable<T>(name: string, read: (fields: Fields) => T): T | null {
    return this.raw(name) === null ? null : read(this);
  }

  #invalid(name: string, expected: string): MbkError {
    return new MbkError('value-invalid', `${this.what}: field ${name}: expected ${expected}`, {
      details: { record: this.what, field: name },
    });
  }
}
