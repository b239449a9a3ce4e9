/** Changes of columns, as every format says them. */

import type { DifferenceList } from './difference-list.ts';
import { shown } from './records/utf8.ts';
import { columnChanges } from './table-facts.ts';

export function addSchemaChanges(
  list: DifferenceList,
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
  prefix = '',
): void {
  for (const { after: now, before: old, name } of columnChanges(before, after)) {
    const [what, label] = ['column', shown(name)];
    const where = `${prefix}column ${label}`;
    if (old === undefined && now !== undefined) {
      list.change({ what, name: prefix + label, change: 'added', after: now });
      list.line(`+ ${where}: ${now}`);
    } else if (now === undefined && old !== undefined) {
      list.change({ what, name: prefix + label, change: 'removed', before: old });
      list.line(`- ${where}: ${old}`);
    } else if (old !== undefined && now !== undefined) {
      list.change({ what, name: prefix + label, change: 'retyped', before: old, after: now });
      list.line(`~ ${where}: ${old} -> ${now}`);
    }
  }
}
