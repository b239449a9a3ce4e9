/** In which order and in what pieces many blobs are read: by pack, frame by frame, neighbours in one call. */
import type { BlobId, PackId, PackKind } from '../format/ids.ts';
import type { FrameRow } from '../format/pack-footer.ts';
import { parameters } from '../format/limits.ts';
import type { PackRow } from '../format/segment-rows.ts';
import type { BlobCopy } from './blob-copy.ts';
import type { IndexSet, PackFilter } from './index-set.ts';

export interface ReadPlan {
  readonly runs: readonly ReadRun[];
  /** Blobs that the index does not know. */
  readonly absent: readonly BlobId[];
}

/** One ranged read of a pack, `length` bytes from `offset`, over one or more frames. */
export interface ReadRun {
  readonly pack: PackRow;
  readonly offset: number;
  readonly length: number;
  /** In the order in which they lie. */
  readonly frames: readonly FrameReads[];
}

/** The blobs that are wanted of one frame. */
export interface FrameReads {
  readonly pack: PackRow;
  readonly number: number;
  readonly frame: FrameRow;
  readonly copies: readonly BlobCopy[];
}

/** Frames this far apart are read together: a seek or a request costs more than these bytes. */
const gapBytes = 64 * 1024;
/** What is read is held in memory. */
const defaultRunBytes = 8 * 1024 * 1024;
/** Of frames that are built upon others: they are short, and what they need is not. */
const defaultBasedBytes: number = parameters.pieceBytes;

export interface PlanReadsOptions {
  /** Packs to read first. */
  readonly prefers?: PackFilter | undefined;
  /** A run ends at this size, unless one frame is larger; 8 MiB unless given. */
  readonly runBytes?: number | undefined;
  /** It ends too at so many bytes of plaintext of frames that are built upon others; those of one piece unless given. */
  readonly basedBytes?: number | undefined;
}

/** Plans the reading of each distinct id once, from the copy that `lookup` puts first. */
export function planReads(
  index: IndexSet,
  kind: PackKind,
  ids: Iterable<BlobId>,
  { prefers, runBytes = defaultRunBytes, basedBytes = defaultBasedBytes }: PlanReadsOptions = {},
): ReadPlan {
  const packs = new Map<PackId, Map<number, BlobCopy[]>>();
  const absent: BlobId[] = [];
  for (const id of new Set(ids)) {
    const [copy] = index.lookup(kind, id, prefers);
    if (copy === undefined) {
      absent.push(id);
      continue;
    }
    const frames = packs.get(copy.pack.id) ?? new Map<number, BlobCopy[]>();
    packs.set(copy.pack.id, frames);
    const copies = frames.get(copy.number) ?? [];
    frames.set(copy.number, copies);
    copies.push(copy);
  }
  return { runs: [...packs.values()].flatMap((frames) => runsOf(frames, { runBytes, basedBytes })), absent };
}

function runsOf(
  copiesByFrame: ReadonlyMap<number, readonly BlobCopy[]>,
  { runBytes, basedBytes }: { readonly runBytes: number; readonly basedBytes: number },
): ReadRun[] {
  const frames = [...copiesByFrame.values()].flatMap((copies): FrameReads[] => {
    const [first] = copies;
    return first === undefined ? [] : [{ pack: first.pack, number: first.number, frame: first.frame, copies }];
  });
  frames.sort((a, b) => a.frame.offset - b.frame.offset);
  const runs: Array<{ pack: PackRow; offset: number; length: number; based: number; frames: FrameReads[] }> = [];
  for (const one of frames) {
    const { offset, boxLength, plainLength, bases } = one.frame;
    const based = bases.length === 0 ? 0 : plainLength;
    const run = runs.at(-1);
    const isNear =
      run !== undefined &&
      offset - (run.offset + run.length) <= gapBytes &&
      offset + boxLength - run.offset <= runBytes &&
      (based === 0 || run.based + based <= basedBytes);
    if (isNear) {
      run.length = Math.max(run.length, offset + boxLength - run.offset);
      run.based += based;
      run.frames.push(one);
    } else {
      runs.push({ pack: one.pack, offset, length: boxLength, based, frames: [one] });
    }
  }
  return runs;
}
