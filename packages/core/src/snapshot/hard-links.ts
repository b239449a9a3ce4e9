/**
 * Files with several names in one run: read once, and told in the links record of each collection (docs/format.md,
 * Trees). Only files with more than one name are held.
 */
import type { ByteString } from '../format/byte-name.ts';
import type { LinkGroup } from '../format/links-record.ts';

/** Groups of the paths of one collection; add each path once. */
export interface LinkGroups {
  /** `link` is the walk's: the same for two paths exactly if they are one file. */
  add(link: string, path: ByteString): void;
  /** As a links record has them: of those with two paths or more. */
  groups(): readonly LinkGroup[];
}

export function linkGroups(): LinkGroups {
  const paths = new Map<string, ByteString[]>();
  return {
    add(link, path) {
      const others = paths.get(link);
      if (others === undefined) paths.set(link, [path]);
      else others.push(path);
    },
    groups() {
      const groups = [...paths.values()].filter((group) => group.length > 1).map((group) => group.toSorted());
      return groups.sort(([a = ''], [b = '']) => (a < b ? -1 : 1));
    },
  };
}
