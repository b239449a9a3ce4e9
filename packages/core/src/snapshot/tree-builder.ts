/**
 * Makes the blobs of one directory from its entries in order (docs/format.md, Trees).
 *
 * Holds one unfinished blob of each level, so a directory of a million files needs a few megabytes.
 */
import { hash } from 'node:crypto';
import { bufferOfBytes, displayBytes, isAscii, type ByteString } from '../format/byte-name.ts';
import { limits } from '../format/limits.ts';
import { childText, encodeTreeItems, entryText, leafFrameBytes, treeLeafFrame } from '../format/tree.ts';
import type { TreeChild, TreeEntry } from '../format/tree.ts';
import type { BlobId } from '../format/ids.ts';
import type { StoreBlob } from './blobs.ts';
import { levelBuilder, type LevelFormat } from './level-builder.ts';

export interface TreeBuilder {
  /**
   * Adds an entry; RangeError unless its name is behind the one before, byte by byte. Undefined where nothing had to be
   * stored, which is how most entries end: a promise for each of a million files is time.
   */
  add(entry: TreeEntry): Promise<void> | undefined;
  /** Stores what is left; the id of the tree. */
  finish(): Promise<BlobId>;
}

export function treeBuilder(store: StoreBlob): TreeBuilder {
  const levels = levelBuilder(treeFormat, store);
  let before: ByteString | undefined;
  return {
    add(entry) {
      if (before !== undefined && entry.name <= before) {
        const message = `expected a name behind ${displayBytes(before)}, got ${displayBytes(entry.name)}`;
        return Promise.reject(new RangeError(message));
      }
      before = entry.name;
      return levels.add(entry);
    },
    finish: async () => (await levels.finish()).id,
  };
}

/** Low bits of a name's hash that are zero at the end of a leaf, and for each further level. */
const bitsPerLevel = 10;

/** What is known of the entries of a leaf: how many there are, and the last of their names. */
type SeenEntries = Omit<TreeChild, 'id'>;

const treeFormat: LevelFormat<TreeEntry, TreeChild, SeenEntries> = {
  type: 'tree',
  maxItems: limits.treeEntries,
  // One comma fewer than there are entries.
  maxLeafBytes: limits.treeLeafBytes - leafFrameBytes + 1,
  itemText: entryText,
  childText,
  itemEnds: (entry) => endsLevel(entry.name, 0),
  childEnds: (child, level) => endsLevel(child.last, level),
  leafFrame: treeLeafFrame,
  encodeNode: encodeTreeItems,
  noItems: { count: 0, last: '' },
  seen: ({ count }, { name }) => ({ count: count + 1, last: name }),
  leafChild: (id, { count, last }) => ({ id, count, last }),
  nodeChild: (id, children) => ({
    id,
    count: children.reduce((count, child) => count + child.count, 0),
    last: children.at(-1)?.last ?? '',
  }),
};

/** Whether a leaf (level 0) or a node of `level` ends after what `name` is the last name of. */
export function endsLevel(name: ByteString, level: number): boolean {
  return zeroLowBits(hash('sha256', isAscii(name) ? name : bufferOfBytes(name), 'hex')) >= bitsPerLevel * (level + 1);
}

/** How many of the lowest bits of a big-endian number in hex are zero. */
function zeroLowBits(hex: string): number {
  let digits = 0;
  while (digits < hex.length && hex.charCodeAt(hex.length - 1 - digits) === zeroDigit) digits += 1;
  const digit = Number.parseInt(hex.charAt(hex.length - 1 - digits) || '0', 16);
  // Math.clz32 counts from the top; digit & -digit keeps the lowest bit that is set.
  return digits * 4 + (digit === 0 ? 0 : 31 - Math.clz32(digit & -digit));
}

const zeroDigit = 0x30;
