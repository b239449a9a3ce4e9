/** The schema of records, gathered from the records: which fields there are, and of which types. */

import type { JsonObject } from '@mbk/plugin-sdk';
import { shown } from './utf8.ts';

/** What a value may be; bits, so that a column may have several. */
export const types = { null: 1, boolean: 2, integer: 4, number: 8, string: 16, array: 32, object: 64 } as const;
export type TypeName = keyof typeof types;

export interface Column {
  readonly name: string;
  /** UTF-8 of the name. */
  readonly bytes: Uint8Array;
  /** Types seen so far. */
  mask: number;
  /** Records that have it. */
  present: number;
  /** Number of the last of them. */
  last: number;
  /** Whether its values are counted. */
  readonly isLabel: boolean;
}

export interface Columns {
  /** The column of this name, made when it is new; undefined beyond the bound. */
  of(name: string): Column | undefined;
  readonly list: readonly Column[];
  /** Whether there were more than are kept. */
  readonly isCut: boolean;
}

const most = 1000;

/** `isLabel` is asked once for each column. */
export function makeColumns(isLabel: (name: string) => boolean): Columns {
  const byName = new Map<string, Column>();
  const list: Column[] = [];
  let isCut = false;
  return {
    of(name) {
      const found = byName.get(name);
      if (found !== undefined) return found;
      if (list.length >= most) {
        isCut = true;
        return undefined;
      }
      const made = {
        name,
        bytes: new TextEncoder().encode(name),
        mask: 0,
        present: 0,
        last: 0,
        isLabel: isLabel(name),
      };
      byName.set(name, made);
      list.push(made);
      return made;
    },
    list,
    get isCut() {
      return isCut;
    },
  };
}

/** `string`, `integer|string`; `null` alone where nothing else was there. Integers among numbers are numbers. */
export function typeText(mask: number): string {
  const plain = (mask & types.number) === 0 ? mask : mask & ~types.integer;
  const names = (Object.keys(types) as TypeName[]).filter((name) => name !== 'null' && (plain & types[name]) !== 0);
  return names.length === 0 ? 'null' : names.join('|');
}

/** Of several types that no reader takes for one. */
export const isMixed = (mask: number): boolean => typeText(mask).includes('|');

/** The columns as facts, of `records` records. */
export function columnFacts(columns: readonly Column[], records: number): readonly JsonObject[] {
  return columns.map(({ mask, name, present }) => ({
    name: shown(name),
    type: typeText(mask),
    ...(present < records || (mask & types.null) !== 0 ? { optional: true } : {}),
  }));
}
