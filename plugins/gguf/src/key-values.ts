/** The key-values of a header by name, and their values as what a rule or a fact takes them for. */

import type { GgufKeyValue } from './header.ts';

export interface KeyValues {
  /** In the order of the file, as far as it could be read. */
  readonly all: readonly GgufKeyValue[];
  /** The first of that name. */
  find(key: string): GgufKeyValue | undefined;
  /** A whole number of any integer type, where JavaScript has it exactly. */
  whole(key: string): number | undefined;
  /** A string that was kept (`readValues`). */
  text(key: string): string | undefined;
  /** How many elements an array has. */
  length(key: string): number | undefined;
}

/** An index of `all`, with the texts that were read. */
export function indexKeyValues(all: readonly GgufKeyValue[], texts: ReadonlyMap<string, string>): KeyValues {
  const byKey = new Map<string, GgufKeyValue>();
  for (const keyValue of all) {
    if (!byKey.has(keyValue.key)) byKey.set(keyValue.key, keyValue);
  }
  const find = (key: string): GgufKeyValue | undefined => byKey.get(key);
  return {
    all,
    find,
    whole(key) {
      const found = find(key);
      const value = found?.type === 'bool' ? undefined : Number(found?.scalar);
      return Number.isSafeInteger(value) ? value : undefined;
    },
    text: (key) => texts.get(key),
    length: (key) => find(key)?.array?.count,
  };
}
