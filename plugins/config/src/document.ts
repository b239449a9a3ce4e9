/** A configuration that was read: its value, and where each part of it stands in the file. */

import type { Finding, Json } from '@mbk/plugin-sdk';

export type Format = 'YAML' | 'JSON' | 'JSONC' | 'JSON5' | 'TOML' | 'INI' | 'dotenv';

/** Both from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface ConfigDocument {
  readonly format: Format;
  /** Undefined where the text could not be read to its end. */
  readonly value: Json | undefined;
  /** Places by pointer (RFC 6901), as far as the format's reader tells them. */
  readonly places: ReadonlyMap<string, Place>;
  /** How many documents the file holds: a YAML file may hold several, and `value` is then their list. */
  readonly documents: number;
  readonly findings: readonly Finding[];
}

/** What a reader of one format gives. */
export type ParsedText = Omit<ConfigDocument, 'format'>;

/** Deepest nesting that is followed. */
export const maxDepth = 100;

/** A name as one segment of a pointer (RFC 6901, section 3). */
export function pointerSegment(name: string): string {
  return `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** The name that the last segment of a pointer stands for; empty for the whole document. */
export function lastName(pointer: string): string {
  return pointer
    .slice(pointer.lastIndexOf('/') + 1)
    .replaceAll('~1', '/')
    .replaceAll('~0', '~');
}

/** A member that is set whatever its name is: `__proto__` is an ordinary key of a configuration. */
export function setMember(target: Record<string, Json>, name: string, value: Json): void {
  Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
}

/** Every scalar and every empty container, by pointer, in the order of the file. */
export function* leaves(value: Json, pointer = ''): Generator<readonly [pointer: string, value: Json]> {
  if (typeof value !== 'object' || value === null) {
    yield [pointer, value];
    return;
  }
  const entries = Object.entries(value);
  if (entries.length === 0) yield [pointer, value];
  for (const [name, member] of entries) yield* leaves(member, pointer + pointerSegment(name));
}

/** Whether nothing in it is nested deeper than `maxDepth`. */
export function isShallow(value: Json, left: number = maxDepth): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return left > 0 && Object.values(value).every((member) => isShallow(member, left - 1));
}
