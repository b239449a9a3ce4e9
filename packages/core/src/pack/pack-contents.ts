/** What is known of a stored pack once its footer was read or written: its row in an index, and its frames. */
import type { FooterFrame } from '../format/pack-footer.ts';
import type { PackRow } from '../format/segment-rows.ts';

export interface PackContents {
  readonly row: PackRow;
  /** Frame i is box i. */
  readonly frames: readonly FooterFrame[];
}

/** How a pack is named in messages and errors. */
export function packName(row: Pick<PackRow, 'id' | 'kind'>): string {
  return `${row.kind} pack ${row.id}`;
}
