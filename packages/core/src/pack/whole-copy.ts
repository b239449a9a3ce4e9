/**
 * Whether what is stored of a blob can be decoded: a copy with bases is worth what the copies of its bases are worth
 * (docs/format.md, The protocol, Whole).
 */
import type { BlobId, KeysetId, PackKind } from '../format/ids.ts';
import { limits } from '../format/limits.ts';
import type { BlobCopy } from './blob-copy.ts';
import type { IndexSet, PackFilter } from './index-set.ts';

/** A copy of a blob, and one of each of its bases, in the order of its row. What many build upon is one object. */
export interface WholeCopy {
  readonly copy: BlobCopy;
  readonly bases: readonly WholeCopy[];
}

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
): WholeCopy | undefined {
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
): WholeCopy | undefined {
  return wholeOf(id, () => true, shallowestFirst(index, kind, isUsable, favours));
}

/** What of a copy says which bases it has, and which copies of them will do. */
export type BasedCopy = Pick<BlobCopy, 'pack' | 'frame'>;

/**
 * Finds the shallowest copies that a copy with bases is decoded from; undefined where one of its bases has no whole copy.
 * What it finds for several is one object for each copy.
 */
export function baseFinder(index: IndexSet, kind: PackKind, isUsable: PackFilter): BasesBelow {
  return basesBelow(shallowestFirst(index, kind, isUsable, () => false));
}

/** Every copy of `whole` once: itself and those that it is decoded from. */
export function copiesIn(whole: WholeCopy): readonly BlobCopy[] {
  if (whole.bases.length === 0) return [whole.copy];
  const seen = new Set<WholeCopy>();
  const visit = (one: WholeCopy): void => {
    if (seen.has(one)) return;
    seen.add(one);
    one.bases.forEach(visit);
  };
  visit(whole);
  return [...seen].map(({ copy }) => copy);
}

/** Offers the usable copies of a blob one after the other until one is taken. */
type Search = (id: BlobId, accepts: (copy: BlobCopy) => boolean) => void;

function shallowestFirst(
  index: IndexSet,
  kind: PackKind,
  isUsable: PackFilter,
  favours: (copy: BlobCopy) => boolean,
): Search {
  return (blob, accepts) => {
    const copies: BlobCopy[] = [];
    index.find(kind, blob, isUsable, (copy) => {
      copies.push(copy);
      return false;
    });
    const rank = (copy: BlobCopy): number => copy.frame.depth * 2 + (copies.length > 1 && favours(copy) ? 0 : 1);
    copies.sort((a, b) => rank(a) - rank(b)).find(accepts);
  };
}

function wholeOf(id: BlobId, isInScope: (keyset: KeysetId) => boolean, search: Search): WholeCopy | undefined {
  let below: BasesBelow | undefined;
  let whole: WholeCopy | undefined;
  search(id, (copy) => {
    if (copy.frame.depth > limits.depth || !isInScope(copy.pack.keyset)) return false;
    // Most copies have no bases: they are to cost no more than looking them up.
    const bases = copy.frame.bases.length === 0 ? [] : (below ??= basesBelow(search))(copy);
    whole = bases && { copy, bases };
    return whole !== undefined;
  });
  return whole;
}

/** The copies that a copy is decoded from; undefined where one of its bases has no whole copy. */
export type BasesBelow = (copy: BasedCopy) => readonly WholeCopy[] | undefined;

function basesBelow(search: Search): BasesBelow {
  /** By blob, keyset and bound: what one blob comes to is asked once, however many frames name it as a base. */
  const asked = new Map<string, WholeCopy | undefined>();
  /** By place. */
  const wholes = new Map<string, WholeCopy | undefined>();

  const wholeBelow = (blob: BlobId, below: number, keyset: KeysetId): WholeCopy | undefined => {
    const question = `${blob} ${below} ${keyset}`;
    if (asked.has(question)) return asked.get(question);
    let whole: WholeCopy | undefined;
    search(blob, (copy) => {
      if (copy.frame.depth >= below || copy.pack.keyset !== keyset) return false;
      whole = wholeAt(copy);
      return whole !== undefined;
    });
    asked.set(question, whole);
    return whole;
  };

  const wholeAt = (copy: BlobCopy): WholeCopy | undefined => {
    const { pack, number, offset, frame } = copy;
    const place = `${pack.id} ${number} ${offset}`;
    if (wholes.has(place)) return wholes.get(place);
    const bases = frame.bases.length === 0 ? [] : basesOf(copy);
    const whole = bases && { copy, bases };
    wholes.set(place, whole);
    return whole;
  };

  const basesOf = ({ pack, frame }: BasedCopy): readonly WholeCopy[] | undefined => {
    const bases: WholeCopy[] = [];
    for (const base of frame.bases) {
      const whole = wholeBelow(base, frame.depth, pack.keyset);
      if (whole === undefined) return undefined;
      bases.push(whole);
    }
    return bases;
  };

  return basesOf;
}
