/**
 * Whether what is stored of a blob can be decoded: a copy with bases is worth what the copies of its bases are worth
 * (docs/format.md, The protocol, Whole).
 */
import type { BlobId, KeysetId, PackKind } from '../format/ids.ts';
import { limits } from '../format/limits.ts';
import type { BlobCopy } from './blob-copy.ts';
import type { IndexSet, PackFilter } from './index-set.ts';

/**
 * A copy of the blob in a usable pack, and the copies below it, one for each base of each: all of their packs must stay.
 * Undefined when no copy is whole. Copies of a keyset that is not `isInScope` do not count: an isolated domain shares no
 * content. Bases are of the same keyset and kind, and always of smaller depth.
 */
export function findWhole(
  index: IndexSet,
  kind: PackKind,
  id: BlobId,
  isUsable: PackFilter,
  isInScope: (keyset: KeysetId) => boolean = () => true,
): readonly BlobCopy[] | undefined {
  return wholeOf(id, isInScope, (blob, accepts) => void index.find(kind, blob, isUsable, accepts));
}

/**
 * The same by the copies that readers and prune prefer: of every blob the shallowest whole one, and of several as shallow
 * one that `favours` holds for.
 */
export function shallowestWhole(
  index: IndexSet,
  kind: PackKind,
  id: BlobId,
  isUsable: PackFilter,
  favours: (copy: BlobCopy) => boolean = () => false,
): readonly BlobCopy[] | undefined {
  return wholeOf(
    id,
    () => true,
    (blob, accepts) => {
      const copies: BlobCopy[] = [];
      index.find(kind, blob, isUsable, (copy) => {
        copies.push(copy);
        return false;
      });
      const rank = (copy: BlobCopy): number => copy.frame.depth * 2 + (copies.length > 1 && favours(copy) ? 0 : 1);
      copies.sort((a, b) => rank(a) - rank(b)).find(accepts);
    },
  );
}

/** Offers the usable copies of a blob one after the other until one is taken. */
type Search = (id: BlobId, accepts: (copy: BlobCopy) => boolean) => void;

function wholeOf(
  id: BlobId,
  isInScope: (keyset: KeysetId) => boolean,
  search: Search,
): readonly BlobCopy[] | undefined {
  let withBases: ChainBelow | undefined;
  let chain: readonly BlobCopy[] | undefined;
  search(id, (copy) => {
    if (copy.frame.depth > limits.depth || !isInScope(copy.pack.keyset)) return false;
    // Most copies have no bases: they are to cost no more than looking them up.
    if (copy.frame.bases.length === 0) chain = [copy];
    else chain = (withBases ??= chainsBelow(search))(copy);
    return chain !== undefined;
  });
  return chain;
}

/** A copy that has bases and those below it; undefined where one of its bases has no whole copy. */
type ChainBelow = (copy: BlobCopy) => readonly BlobCopy[] | undefined;

function chainsBelow(search: Search): ChainBelow {
  /** By blob, keyset and bound: what one blob comes to is asked once, however many frames name it as a base. */
  const asked = new Map<string, readonly BlobCopy[] | undefined>();

  const chainOf = (blob: BlobId, below: number, keyset: KeysetId): readonly BlobCopy[] | undefined => {
    const question = `${blob} ${below} ${keyset}`;
    if (asked.has(question)) return asked.get(question);
    let chain: readonly BlobCopy[] | undefined;
    search(blob, (copy) => {
      if (copy.frame.depth >= below || copy.pack.keyset !== keyset) return false;
      chain = copy.frame.bases.length === 0 ? [copy] : withBases(copy);
      return chain !== undefined;
    });
    asked.set(question, chain);
    return chain;
  };

  const withBases = (copy: BlobCopy): readonly BlobCopy[] | undefined => {
    const chain = new Map([[placeOf(copy), copy]]);
    for (const base of copy.frame.bases) {
      const found = chainOf(base, copy.frame.depth, copy.pack.keyset);
      if (found === undefined) return undefined;
      for (const one of found) chain.set(placeOf(one), one);
    }
    return [...chain.values()];
  };

  return withBases;
}

function placeOf({ pack, number, offset }: BlobCopy): string {
  return `${pack.id} ${number} ${offset}`;
}
