/**
 * Splits a long sequence into blobs and levels of nodes above them, the same way for the same sequence (docs/format.md,
 * Trees). What ends a blob is a property of its last item, so a change moves the borders near it and no others.
 *
 * Streaming: of each level no more than one unfinished blob is held.
 */
import { MbkError } from '../errors.ts';
import type { BlobId, BlobType } from '../format/ids.ts';
import { highestLevel } from '../format/tree.ts';
import type { StoreBlob } from './blobs.ts';
import { leafText } from './leaf-text.ts';

/** Level 0 holds the items of the sequence, level L blobs of level L - 1. */
export interface LevelFormat<Item, Child extends { readonly id: BlobId }, Seen> {
  readonly type: BlobType;
  readonly maxItems: number;
  /** Most bytes of the texts of a leaf together, with a comma behind each. */
  readonly maxLeafBytes: number;
  itemText(item: Item): string;
  childText(child: Child): string;
  /** Whether a leaf ends after this item. */
  itemEnds(item: Item): boolean;
  /** Whether a node of `level` ends after this child. */
  childEnds(child: Child, level: number): boolean;
  /** What stands before and behind the texts of a leaf, which commas part. */
  readonly leafFrame: readonly [start: string, end: string];
  /** A node of `level` of texts that `childText` made. */
  encodeNode(level: number, texts: readonly string[]): Uint8Array;
  /** What a leaf knows of its items when the next one comes, which is all that is held of them beside their texts. */
  readonly noItems: Seen;
  seen(before: Seen, item: Item): Seen;
  /** What a parent says of the leaf `id`. */
  leafChild(id: BlobId, seen: Seen): Child;
  /** What a parent says of the node `id` of `children`, at least one. */
  nodeChild(id: BlobId, children: readonly Child[]): Child;
}

export interface LevelBuilder<Item, Child> {
  /** Undefined where nothing had to be stored: it is done. */
  add(item: Item): Promise<void> | undefined;
  /** Stores what is left; the one blob that holds all. Nothing may be added after it. */
  finish(): Promise<Child>;
}

interface Node<Child> {
  readonly children: Child[];
  /** The first child of the level below, held back: if it stays the only one, it is the root. */
  first: Child | undefined;
  hasSecond: boolean;
}

export function levelBuilder<Item, Child extends { readonly id: BlobId }, Seen>(
  format: LevelFormat<Item, Child, Seen>,
  store: StoreBlob,
): LevelBuilder<Item, Child> {
  const leaf = leafText(format.leafFrame);
  let count = 0;
  let seen = format.noItems;
  /** nodes[0] is of level 1. */
  const nodes: Node<Child>[] = [];

  const storeLeaf = async (): Promise<void> => {
    const storing = store(format.type, leaf.take());
    const ended = seen;
    count = 0;
    seen = format.noItems;
    const { id } = await storing;
    await addChild(format.leafChild(id, ended), 1);
  };

  const append = (item: Item, text: string): Promise<void> | undefined => {
    leaf.add(text);
    count += 1;
    seen = format.seen(seen, item);
    return count >= format.maxItems || format.itemEnds(item) ? storeLeaf() : undefined;
  };

  const addChild = async (child: Child, level: number): Promise<void> => {
    const node = (nodes[level - 1] ??= { children: [], first: undefined, hasSecond: false });
    if (node.first === undefined) {
      node.first = child;
      return;
    }
    if (level > highestLevel)
      throw new MbkError('internal', `a sequence needs more than ${highestLevel} levels of nodes`);
    if (!node.hasSecond) {
      node.hasSecond = true;
      await pushChild(node, node.first, level);
    }
    await pushChild(node, child, level);
  };

  const pushChild = async (node: Node<Child>, child: Child, level: number): Promise<void> => {
    node.children.push(child);
    if (node.children.length >= format.maxItems || format.childEnds(child, level)) await storeNode(node, level);
  };

  const storeNode = async (node: Node<Child>, level: number): Promise<void> => {
    const children = node.children.splice(0);
    const { id } = await store(
      format.type,
      format.encodeNode(
        level,
        children.map((child) => format.childText(child)),
      ),
    );
    await addChild(format.nodeChild(id, children), level + 1);
  };

  return {
    add(item) {
      const text = format.itemText(item);
      if (count > 0 && leaf.byteLength + Buffer.byteLength(text) + 1 > format.maxLeafBytes) {
        return storeLeaf().then(() => append(item, text));
      }
      return append(item, text);
    },

    async finish() {
      if (count > 0 || nodes.length === 0) await storeLeaf();
      for (let level = 1; ; level += 1) {
        const node = nodes[level - 1];
        if (node?.first === undefined) throw new MbkError('internal', `a level of a tree is empty`);
        if (!node.hasSecond) return node.first;
        if (node.children.length > 0) await storeNode(node, level);
      }
    },
  };
}
