/** The name of the tag that a snapshot gets by itself. */
import { calendarOf } from './calendar.ts';
import type { CatalogueView } from './catalogue-view.ts';

/**
 * `<domain>/<date>`, or with `.2`, `.3`, … appended: the first of them that no snapshot or tag of `domain` ever used.
 *
 * The date is that of `at` (milliseconds since 1970) in `timezone`. A deleted tag of a snapshot keeps its name taken, so
 * that a date never comes to mean another snapshot than it once did.
 */
export function nextTag(
  view: CatalogueView,
  domain: string,
  { at, timezone }: { readonly at: number; readonly timezone: string },
): string {
  const base = `${domain}/${calendarOf(timezone).dateOf(at)}`;
  const used = new Set<string | null>([...view.tags].map(({ name }) => name));
  for (const line of view.lines) used.add(line.tag);
  let name = base;
  for (let number = 2; used.has(name); number += 1) name = `${base}.${number}`;
  return name;
}
