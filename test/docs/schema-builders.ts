/** The few shapes that JSON Schemas of the command line are built from. */

export type Schema = Readonly<Record<string, unknown>>;

export const text: Schema = { type: 'string' };
export const flag: Schema = { type: 'boolean' };
/** Numbers of things, and sizes in bytes. */
export const count: Schema = { type: 'integer', minimum: 0 };
export const time: Schema = {
  type: 'string',
  pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d+)?Z$',
  description: 'RFC 3339, UTC.',
};
export const commit: Schema = { type: 'string', pattern: '^[0-9a-f]{40}$' };
export const sha256: Schema = { type: 'string', pattern: '^[0-9a-f]{64}$' };
export const id32: Schema = { type: 'string', pattern: '^[0-9a-f]{32}$' };
export const nothing: Schema = { type: 'null' };
/** A name in bytes. */
export const path: Schema = {
  anyOf: [
    text,
    {
      type: 'object',
      required: ['hex'],
      properties: { hex: { type: 'string', pattern: '^([0-9a-f]{2})*$' } },
      description: 'Bytes that are not UTF-8.',
    },
  ],
};

export function orNull(schema: Schema): Schema {
  return { anyOf: [schema, nothing] };
}

export function list(items: Schema, more: Schema = {}): Schema {
  return { type: 'array', items, ...more };
}

export function oneOfTexts(...values: readonly string[]): Schema {
  return { type: 'string', enum: values };
}

/** An object with all of `properties` but those that may be absent. Readers pass over what they do not know. */
export function object(properties: Readonly<Record<string, Schema>>, mayBeAbsent: readonly string[] = []): Schema {
  return {
    type: 'object',
    required: Object.keys(properties).filter((name) => !mayBeAbsent.includes(name)),
    properties,
  };
}

/** A line of long work. */
export function event(
  type: string,
  properties: Readonly<Record<string, Schema>>,
  mayBeAbsent: readonly string[] = [],
): Schema {
  return object({ type: { const: type }, ...properties }, mayBeAbsent);
}
