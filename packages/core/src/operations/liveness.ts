/**
 * What must stay and what may go: which copies in which packs the captures need that are not expired, which blobs are
 * kept only because others are stored over them, and which packs hold nothing of either (docs/format.md, The protocol,
 * Prune).
 *
 * Of every needed blob one copy is kept: the shallowest whole one, and the copies of its bases below it. A needed blob
 * that has no whole copy keeps all of its copies, and those of their bases: somebody may mend it. As of the log's fold and
 * the index; a prune computes it anew at its own head.
 *
 * Memory: that of the blobs that are met (`blobTally`), and a byte for each frame.
 */
import { setImmediate } from 'node:timers/promises';
import { throwIfInterrupted } from '../backend/interrupted.ts';
import type { BlobId, PackId, PackKind } from '../format/ids.ts';
import { isDeleted, isLost, isTrustedActor, isTrustedPack, linesOf, type Fold } from '../log/fold.ts';
import type { PackRow } from '../format/segment-rows.ts';
import type { BlobCopy } from '../pack/blob-copy.ts';
import type { IndexSet, PackFilter } from '../pack/index-set.ts';
import { copiesOf } from '../pack/pending-packs.ts';
import { copiesIn, shallowestWhole } from '../pack/whole-copy.ts';
import { isUsable, type Repository } from '../repository.ts';
import { isBadContent } from './bad-content.ts';
import { blobCounter } from './usage/blob-counter.ts';
import type { BlobTally } from './usage/blob-tally.ts';
import { groupCaptures, type UsageProblem } from './usage/group-captures.ts';

/** Sizes in bytes. */
export interface Liveness {
  /**
   * Whether all that captures need is known. Not when a part of history, a folder list or a chunk list cannot be read:
   * then nothing may go.
   */
  readonly isComplete: boolean;
  /** Blobs that captures need, and what the kept copies take in packs. */
  readonly needed: { readonly blobs: number; readonly stored: number };
  /** Blobs that no capture needs, and that are kept because others are stored over them; plain, and in packs. */
  readonly pinned: { readonly blobs: number; readonly bytes: number; readonly stored: number };
  /** Blobs that captures need and that have no whole copy, or none at all. */
  readonly broken: number;
  /** Packs with something that must stay. */
  readonly stays: readonly PackRow[];
  /** Packs with nothing that must stay: all of them may go together. */
  readonly mayGo: readonly PackRow[];
  /** What in packs that stay nothing needs: it goes when they are written anew. */
  readonly idleBytes: number;
}

/** Looks at all captures that are not expired. Errors: `interrupted`, those of the log and of the backend. */
export async function livenessOf(repository: Repository): Promise<Liveness> {
  const problems: UsageProblem[] = [];
  const groups = await groupCaptures(repository, linesOf(repository.log.fold), problems);
  const count = await blobCounter(repository);
  count.beginDomain();
  count.beginCollection();
  let isComplete = problems.length === 0;
  for (const { state } of groups.flatMap(({ collections }) => collections.flatMap(({ live }) => live))) {
    try {
      await count.capture(state);
    } catch (error) {
      if (!isBadContent(error)) throw error;
      isComplete = false;
    }
  }
  return livenessFrom(repository, count.met, isComplete);
}

/** What of a repository is looked at once it is known what is needed. */
type LivenessSource = Pick<Repository, 'index' | 'keys' | 'signal'> & { readonly log: { readonly fold: Fold } };

/**
 * The same for blobs that were met already, all that captures need; the tally is used up by it. Errors: `interrupted`,
 * those of reading the index.
 */
export async function livenessFrom(
  { index: openIndex, keys, log: { fold }, signal }: LivenessSource,
  met: BlobTally,
  isComplete: boolean,
): Promise<Liveness> {
  const index = await openIndex();
  const isReadable: PackFilter = (pack) => !isDeleted(fold, pack) && !isLost(fold, pack);
  const isTrusted: PackFilter = (pack, actor, namedBy) =>
    isReadable(pack, actor, namedBy) && isTrustedBy(fold, keys.actor.id, { pack, actor, namedBy });
  // What nobody vouches for, or was to go, is kept only where there is nothing better.
  const tiers: readonly PackFilter[] = [
    (pack, actor, namedBy) => isUsable(fold, keys, pack, actor, namedBy),
    isTrusted,
    isReadable,
  ];
  const frames = frameMarks();
  const needed = { blobs: met.size, stored: 0 };
  const pinned = { blobs: 0, bytes: 0, stored: 0 };
  let whole = 0;

  const keepChain = ([copy, ...bases]: readonly BlobCopy[]): void => {
    if (copy === undefined) return;
    frames.keep(copy);
    needed.stored += storedOf(copy);
    for (const base of bases) {
      frames.keep(base);
      if (met.last(base.id) !== 0) continue;
      met.meet(base.id, doneFrom + isPinned);
      pinned.blobs += 1;
      pinned.bytes += base.length;
      pinned.stored += storedOf(base);
    }
  };
  /** All copies of a blob that cannot be had, and of what they are stored over. */
  const keepBroken = (kind: PackKind, id: BlobId, seen: Set<BlobId>): void => {
    if (seen.has(id)) return;
    seen.add(id);
    for (const copy of index.lookup(kind, id)) {
      if (!isReadable(copy.pack.id, copy.pack.actor, undefined)) continue;
      frames.keep(copy);
      for (const base of copy.frame.bases) keepBroken(kind, base, seen);
    }
  };

  let looked = 0;
  for (const copy of allCopies(index)) {
    looked += 1;
    if (looked % 8192 === 0) {
      throwIfInterrupted(signal, 'looking at the index');
      await setImmediate();
    }
    if (!isReadable(copy.pack.id, copy.pack.actor, undefined)) continue;
    frames.see(copy);
    const { id, pack } = copy;
    const stamp = met.last(id);
    if (stamp === 0) continue;
    // The bytes of a folder list may be those of a file too: then it has copies of both kinds.
    const done = Math.max(stamp - doneFrom, 0);
    const kind = pack.kind === 'data' ? 1 : 2;
    if (done === isPinned || (done & kind) !== 0) continue;
    met.meet(id, doneFrom + (done | kind));
    const found = firstOf(tiers, (tier) =>
      shallowestWhole(index, pack.kind, id, tier, (one) => frames.hasKept(one.pack.id)),
    );
    if (found === undefined) keepBroken(pack.kind, id, new Set());
    else {
      keepChain(copiesIn(found));
      if (done === 0) whole += 1;
    }
  }

  const isKnown = isComplete && fold.gaps.length === 0;
  const rows = [...index.packs()].filter(({ id }) => !isDeleted(fold, id) && !isLost(fold, id));
  const stays = rows.filter(({ id }) => !isKnown || frames.hasKept(id));
  return {
    isComplete: isKnown,
    needed: { blobs: needed.blobs, stored: Math.round(needed.stored) },
    pinned: { ...pinned, stored: Math.round(pinned.stored) },
    broken: needed.blobs - whole,
    stays,
    mayGo: rows.filter(({ id }) => isKnown && !frames.hasKept(id)),
    idleBytes: isKnown ? stays.reduce((sum, { id }) => sum + frames.idleBytes(id), 0) : 0,
  };
}

/**
 * Stamps above this one are of blobs that were dealt with, all below of blobs that captures need: by it, which kinds of packs
 * were looked at (1 data, 2 meta), or that it is pinned.
 */
const doneFrom = 0xffff_fff0;
const isPinned = 4;

/** Every copy that the index knows, those of one segment after those of another. */
function* allCopies(index: IndexSet): Generator<BlobCopy> {
  for (const contents of index.pending.values()) yield* copiesOf(contents);
  for (const segment of index.segments) yield* segment.allCopies();
}

interface FrameMarks {
  /** Takes note of the frame of a copy. */
  see(copy: BlobCopy): void;
  /** Says that the frame of a copy must stay. */
  keep(copy: BlobCopy): void;
  /** Whether a pack has a frame that must stay. */
  hasKept(pack: PackId): boolean;
  /** Bytes of the frames of a pack that were seen and need not stay. */
  idleBytes(pack: PackId): number;
}

function frameMarks(): FrameMarks {
  const [seen, kept] = [1, 2];
  const packs = new Map<PackId, { readonly marks: Uint8Array; seenBytes: number; keptBytes: number }>();
  const rowOf = ({ id, frames }: PackRow): { readonly marks: Uint8Array; seenBytes: number; keptBytes: number } => {
    const row = packs.get(id) ?? { marks: new Uint8Array(frames), seenBytes: 0, keptBytes: 0 };
    packs.set(id, row);
    return row;
  };
  const mark = (row: ReturnType<typeof rowOf>, number: number, bit: number): boolean => {
    const before = row.marks[number] ?? 0;
    row.marks[number] = before | bit;
    return (before & bit) === 0;
  };
  return {
    see({ pack, number, frame }) {
      const row = rowOf(pack);
      if (mark(row, number, seen)) row.seenBytes += frame.boxLength;
    },
    keep({ pack, number, frame }) {
      const row = rowOf(pack);
      if (mark(row, number, kept)) row.keptBytes += frame.boxLength;
    },
    hasKept: (pack) => (packs.get(pack)?.keptBytes ?? 0) > 0,
    idleBytes(pack) {
      const row = packs.get(pack);
      return row === undefined ? 0 : row.seenBytes - row.keptBytes;
    },
  };
}

/** What a copy takes in its pack: its part of the frame. */
export function storedOf({ frame, length }: BlobCopy): number {
  return frame.plainLength === 0 ? 0 : (frame.boxLength * length) / frame.plainLength;
}

function isTrustedBy(
  fold: Fold,
  self: Repository['keys']['actor']['id'],
  {
    pack,
    actor,
    namedBy,
  }: { readonly pack: PackId; readonly actor: PackRow['actor']; readonly namedBy: PackRow['actor'] | undefined },
): boolean {
  return isTrustedPack(fold, pack, actor, self) && (namedBy === undefined || isTrustedActor(fold, namedBy, self));
}

function firstOf<Item, Found>(items: readonly Item[], find: (item: Item) => Found | undefined): Found | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
