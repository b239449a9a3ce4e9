/**
 * Brings blobs into frames and frames into packs: small blobs gather to solid frames, large ones have one of their own.
 *
 * Nothing here waits, looks anything up or stores anything, so a worker thread packs as the main thread does. What is
 * finished is handed out for the caller to put.
 */
import type { Element } from '../chunker/piece.ts';
import type { RelatedFrame } from '../codec/encode-related.ts';
import type { BlobId, BlobType, Lifetime, PackKind } from '../format/ids.ts';
import { packKindOf } from '../format/ids.ts';
import { ownFrameBytes, ownTensorFrameBytes } from '../format/limits.ts';
import { type FrameAggregator, frameAggregator } from './frame-aggregator.ts';
import { openPacks, type OpenPacksOptions } from './open-packs.ts';
import type { FinishedPack, NewFrame } from './pack-writer.ts';

export interface BlobToPack {
  readonly type: BlobType;
  readonly id: BlobId;
  readonly bytes: Uint8Array;
  /** What the bytes are said to be. */
  readonly element?: Element | undefined;
  /** Whether it is stored as what it is to others: asked when it is packed, and then it has a frame of its own. */
  readonly relate?: Relate | undefined;
}

/** How a blob is stored as what it is to others; undefined when it is stored alone. */
export type Relate = () => RelatedFrame | undefined;

export interface FramePacker {
  /** Takes a blob, whose bytes are the caller's again when this returns; the packs that this filled. */
  add(blob: BlobToPack, lifetime: Lifetime): FinishedPack[];
  /** Closes all frames and packs. */
  flush(): FinishedPack[];
}

/** Small blobs of one kind, lifetime and type of elements, which share a frame. */
interface Gathered {
  readonly kind: PackKind;
  readonly lifetime: Lifetime;
  readonly element: Element | undefined;
  readonly frame: FrameAggregator;
}

/** Frames that are gathered at a time: each has 1 MiB of memory, and a model seldom has more types of elements. */
const mostGathered = 6;

export function framePacker(options: OpenPacksOptions): FramePacker {
  const packs = openPacks(options);
  const aggregators = new Map<string, Gathered>();

  const addFrame = (kind: PackKind, lifetime: Lifetime, frame: NewFrame): FinishedPack[] => {
    const finished = packs.addFrame(kind, lifetime, frame);
    return finished === undefined ? [] : [finished];
  };

  const flushFrame = ({ kind, lifetime, element, frame }: Gathered): FinishedPack[] => {
    const taken = frame.take();
    return taken === undefined ? [] : addFrame(kind, lifetime, { ...taken, element });
  };

  /** Where small blobs of one kind gather; `finished` gets what had to make room. */
  const gatheredOf = (
    kind: PackKind,
    lifetime: Lifetime,
    element: Element | undefined,
    finished: FinishedPack[],
  ): Gathered => {
    const name = JSON.stringify([kind, lifetime, element?.dtype, element?.unit]);
    const known = aggregators.get(name);
    // The map is in the order of use.
    aggregators.delete(name);
    const oldest =
      known === undefined && aggregators.size >= mostGathered ? aggregators.keys().next().value : undefined;
    const freed = oldest === undefined ? undefined : aggregators.get(oldest);
    if (oldest !== undefined && freed !== undefined) {
      finished.push(...flushFrame(freed));
      aggregators.delete(oldest);
    }
    // Rows of tensors that share a frame are of any length.
    const alike = element && { dtype: element.dtype, unit: element.unit };
    const gathered = known ?? { kind, lifetime, element: alike, frame: freed?.frame ?? frameAggregator() };
    aggregators.set(name, gathered);
    return gathered;
  };

  return {
    add({ type, id, bytes, element, relate }, lifetime) {
      const kind = packKindOf(type);
      const blob = { id, type, length: bytes.byteLength };
      const related = relate?.();
      if (related !== undefined) return addFrame(kind, lifetime, { plain: bytes, blobs: [blob], ...related });
      const least = element === undefined ? ownFrameBytes : ownTensorFrameBytes;
      if (bytes.byteLength >= least) return addFrame(kind, lifetime, { plain: bytes, blobs: [blob], element });
      const finished: FinishedPack[] = [];
      const gathered = gatheredOf(kind, lifetime, element, finished);
      if (!gathered.frame.hasRoomFor(bytes.byteLength)) finished.push(...flushFrame(gathered));
      gathered.frame.add(blob, bytes);
      return finished;
    },

    flush() {
      const finished: FinishedPack[] = [];
      for (const gathered of aggregators.values()) finished.push(...flushFrame(gathered));
      finished.push(...packs.closeAll());
      return finished;
    },
  };
}
