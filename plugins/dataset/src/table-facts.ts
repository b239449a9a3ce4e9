/** Facts of an earlier answer, read back: they come as data, of any form. */

import type { Json, JsonObject } from '@mbk/plugin-sdk';

export interface TableFacts {
  readonly records: number | undefined;
  /** Type by column; undefined where there are none. */
  readonly columns: ReadonlyMap<string, string> | undefined;
  /** Whether columns were left out to keep the facts small. */
  readonly isCut: boolean;
  /** Counts by value, by field. */
  readonly labels: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

export function tableFacts(facts: JsonObject): TableFacts {
  const columns = listOf(facts['columns']);
  return {
    records: numberOf(facts['records']),
    columns: columns && new Map(columns.map(({ name, type }) => [textOf(name), textOf(type)])),
    isCut: facts['columnsOmitted'] !== undefined || facts['moreColumns'] !== undefined,
    labels: new Map(
      (listOf(facts['labels']) ?? []).map(({ field, values }) => [
        textOf(field),
        new Map((listOf(values) ?? []).map(({ count, value }) => [textOf(value), numberOf(count) ?? 0])),
      ]),
    ),
  };
}

/** The objects of a list; undefined for what is no list. */
export function listOf(value: Json | undefined): readonly JsonObject[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return (value as readonly Json[]).filter(isObject);
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '');
export const numberOf = (value: Json | undefined): number | undefined =>
  typeof value === 'number' ? value : undefined;

export interface ColumnChange {
  readonly name: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** Columns that came, went or changed their type, in the order of the first, then of the second. */
export function columnChanges(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): readonly ColumnChange[] {
  const names = [...before.keys(), ...[...after.keys()].filter((name) => !before.has(name))];
  return names
    .map((name) => ({ name, before: before.get(name), after: after.get(name) }))
    .filter((change) => change.before !== change.after);
}
