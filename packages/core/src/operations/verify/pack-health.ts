/** Which copies of blobs can be used, as far as the verification knows by now, and whose fault it is where they cannot. */
import type { BlobId, PackId, PackKind } from '../../format/ids.ts';
import { isDeleted, isLost, type Fold } from '../../log/fold.ts';
import type { BlobCopy } from '../../pack/blob-copy.ts';
import type { IndexSet } from '../../pack/index-set.ts';
import type { OpenFinding } from './findings.ts';

export interface PackHealth {
  /** Takes the whole pack for unusable. */
  spoilPack(pack: PackId, finding: OpenFinding): void;
  /** Takes one frame for unusable. */
  spoilFrame(pack: PackId, frame: number, finding: OpenFinding): void;
  /** Whether anything was spoilt. */
  readonly isSpoilt: boolean;
  /**
   * A copy that can be used: its pack is neither deleted, lost nor spoilt, and each of its bases has such a copy of smaller
   * depth in the same keyset (docs/format.md, The protocol: whole).
   */
  wholeCopy(kind: PackKind, id: BlobId): BlobCopy | undefined;
  /** The finding because of which a blob without a whole copy has none; undefined when no pack that was found bad had one. */
  causeOf(kind: PackKind, id: BlobId): OpenFinding | undefined;
}

/** Answers that are remembered, about 300 bytes each. */
const mostAsked = 65_536;

export function packHealth(index: IndexSet, fold: Fold): PackHealth {
  const packs = new Map<PackId, OpenFinding>();
  const frames = new Map<string, OpenFinding>();
  const faultOf = ({ pack, number }: BlobCopy): OpenFinding | undefined =>
    packs.get(pack.id) ?? frames.get(`${pack.id} ${number}`);

  /**
   * By blob, bound and keyset: a base that many frames name, and forks at every depth, is looked at once. Forgotten as soon
   * as something else is spoilt, and when there are many.
   */
  const asked = new Map<string, BlobCopy | undefined>();
  const wholeBase = (id: BlobId, depth: number, keyset: string): BlobCopy | undefined => {
    const question = `${id} ${depth} ${keyset}`;
    if (asked.has(question)) return asked.get(question);
    const copy = wholeBelow('data', id, depth, keyset);
    if (asked.size >= mostAsked) asked.clear();
    asked.set(question, copy);
    return copy;
  };

  const wholeBelow = (kind: PackKind, id: BlobId, depth: number, keyset: string | undefined): BlobCopy | undefined =>
    index.lookup(kind, id).find((copy) => {
      const { pack, frame } = copy;
      if (frame.depth >= depth || (keyset !== undefined && pack.keyset !== keyset)) return false;
      if (isDeleted(fold, pack.id) || isLost(fold, pack.id) || faultOf(copy) !== undefined) return false;
      return frame.bases.every((base) => wholeBase(base, frame.depth, pack.keyset) !== undefined);
    });

  const causeBelow = (kind: PackKind, id: BlobId, depth: number, seen: Set<string>): OpenFinding | undefined => {
    const question = `${id} ${depth}`;
    if (seen.has(question)) return undefined;
    seen.add(question);
    for (const copy of index.lookup(kind, id)) {
      if (copy.frame.depth >= depth) continue;
      const fault = faultOf(copy);
      if (fault !== undefined) return fault;
      for (const base of copy.frame.bases) {
        const below = causeBelow('data', base, copy.frame.depth, seen);
        if (below !== undefined) return below;
      }
    }
    return undefined;
  };

  return {
    spoilPack(pack, finding) {
      packs.set(pack, finding);
      asked.clear();
    },
    spoilFrame(pack, frame, finding) {
      frames.set(`${pack} ${frame}`, finding);
      asked.clear();
    },
    get isSpoilt() {
      return packs.size > 0 || frames.size > 0;
    },
    wholeCopy: (kind, id) => wholeBelow(kind, id, Infinity, undefined),
    causeOf: (kind, id) => causeBelow(kind, id, Infinity, new Set()),
  };
}
