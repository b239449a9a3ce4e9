/** How often each value of a label-like field occurs: the mix of domains, languages, classes. */

import type { JsonObject } from '@mbk/plugin-sdk';
import { shown } from './utf8.ts';

export interface LabelCounts {
  /** Whether values of a field are counted: by its name, without case. */
  isLabel(field: string): boolean;
  add(field: string, value: string): void;
  /** Small and sorted: the commonest first. Fields with too many values are no labels and left out. */
  facts(): readonly JsonObject[];
}

const mostFields = 8;
const mostValues = 1000;
const shownValues = 30;
/** Characters of a value; a longer one is no label. */
export const longestLabel = 64;

export function labelCounts(fields: readonly string[]): LabelCounts {
  const wanted = new Set(fields.map((field) => field.toLowerCase()));
  const counts = new Map<string, Map<string, number> | undefined>();
  return {
    isLabel: (field) => wanted.has(field.toLowerCase()),
    add(field, value) {
      if (!counts.has(field)) {
        if (counts.size >= mostFields) return;
        counts.set(field, new Map());
      }
      const values = counts.get(field);
      if (values === undefined) return;
      if (value.length > longestLabel || (values.size >= mostValues && !values.has(value)))
        counts.set(field, undefined);
      else values.set(value, (values.get(value) ?? 0) + 1);
    },
    facts() {
      return [...counts].flatMap(([field, values]) => {
        if (values === undefined) return [];
        const sorted = [...values].toSorted(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
        return [
          {
            field: shown(field),
            distinct: sorted.length,
            values: sorted.slice(0, shownValues).map(([value, count]) => ({ value: shown(value), count })),
          },
        ];
      });
    },
  };
}
