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

export function packHealth(index: IndexSet, fold: Fold): PackHealth {
  const packs = new Map<PackId, OpenFinding>();
  const frames = new Map<string, OpenFinding>();
  const faultOf = ({ pack, number }: BlobCopy): OpenFinding | undefined =>
    packs.get(pack.id) ?? frames.get(`${pack.id} ${number}`);

  const wholeBelow = (kind: PackKind, id: BlobId, depth: number, keyset: string | undefined): BlobCopy | undefined =>
    index.lookup(kind, id).find((copy) => {
      const { pack, frame } = copy;
      if (frame.depth >= depth || (keyset !== undefined && pack.keyset !== keyset)) return false;
      if (isDeleted(fold, pack.id) || isLost(fold, pack.id) || faultOf(copy) !== undefined) return false;
      return frame.bases.every((base) => wholeBelow('data', base, frame.depth, pack.keyset) !== undefined);
    });

  const causeBelow = (kind: PackKind, id: BlobId, depth: number): OpenFinding | undefined => {
    for (const copy of index.lookup(kind, id)) {
      if (copy.frame.depth >= depth) continue;
      const fault = faultOf(copy);
      if (fault !== undefined) return fault;
      for (const base of copy.frame.bases) {
        const below = causeBelow('data', base, copy.frame.depth);
        if (below !== undefined) return below;
      }
    }
    return undefined;
  };

  return {
    spoilPack: (pack, finding) => void packs.set(pack, finding),
    spoilFrame: (pack, frame, finding) => void frames.set(`${pack} ${frame}`, finding),
    get isSpoilt() {
      return packs.size > 0 || frames.size > 0;
    },
    wholeCopy: (kind, id) => wholeBelow(kind, id, Infinity, undefined),
    causeOf: (kind, id) => causeBelow(kind, id, Infinity),
  };
}
