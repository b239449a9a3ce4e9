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

/** Level 0 holds the items of the sequence, level L blobs of level L - 1. */
export interface LevelFormat<Item, Child extends { readonly id: BlobId }> {
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
  encode(level: number, texts: readonly string[]): Uint8Array;
  /** What a parent says of the leaf `id` of `items`; there are none only in the leaf of an empty sequence. */
  leafChild(id: BlobId, items: readonly Item[]): Child;
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

export function levelBuilder<Item, Child extends { readonly id: BlobId }>(
  format: LevelFormat<Item, Child>,
  store: StoreBlob,
): LevelBuilder<Item, Child> {
  let items: Item[] = [];
  let texts: string[] = [];
  let textBytes = 0;
  /** nodes[0] is of level 1. */
  const nodes: Node<Child>[] = [];

  const storeLeaf = async (): Promise<void> => {
    const { id } = await store(format.type, format.encode(0, texts));
    const child = format.leafChild(id, items);
    items = [];
    texts = [];
    textBytes = 0;
    await addChild(child, 1);
  };

  const append = (item: Item, text: string, bytes: number): Promise<void> | undefined => {
    items.push(item);
    texts.push(text);
    textBytes += bytes;
    return items.length >= format.maxItems || format.itemEnds(item) ? storeLeaf() : undefined;
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
      format.encode(
        level,
        children.map((child) => format.childText(child)),
      ),
    );
    await addChild(format.nodeChild(id, children), level + 1);
  };

  return {
    add(item) {
      const text = format.itemText(item);
      const bytes = Buffer.byteLength(text) + 1;
      if (items.length > 0 && textBytes + bytes > format.maxLeafBytes) {
        return storeLeaf().then(() => append(item, text, bytes));
      }
      return append(item, text, bytes);
    },

    async finish() {
      if (items.length > 0 || nodes.length === 0) await storeLeaf();
      for (let level = 1; ; level += 1) {
        const node = nodes[level - 1];
        if (node?.first === undefined) throw new MbkError('internal', `a level of a tree is empty`);
        if (!node.hasSecond) return node.first;
        if (node.children.length > 0) await storeNode(node, level);
      }
    },
  };
}
