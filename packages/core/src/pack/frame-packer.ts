/**
 * Brings blobs into frames and frames into packs: small blobs gather to solid frames, large ones have one of their own.
 *
 * Nothing here waits, looks anything up or stores anything, so a worker thread packs as the main thread does. What is
 * finished is handed out for the caller to put.
 */
import type { BlobId, BlobType, Lifetime, PackKind } from '../format/ids.ts';
import { packKindOf } from '../format/ids.ts';
import { ownFrameBytes } from '../format/limits.ts';
import { type FrameAggregator, frameAggregator } from './frame-aggregator.ts';
import { openPacks, type OpenPacksOptions } from './open-packs.ts';
import type { FinishedPack, NewFrame } from './pack-writer.ts';

export interface BlobToPack {
  readonly type: BlobType;
  readonly id: BlobId;
  readonly bytes: Uint8Array;
}

export interface FramePacker {
  /** Takes a blob, whose bytes are the caller's again when this returns; the packs that this filled. */
  add(blob: BlobToPack, lifetime: Lifetime): FinishedPack[];
  /** Closes all frames and packs. */
  flush(): FinishedPack[];
}

export function framePacker(options: OpenPacksOptions): FramePacker {
  const packs = openPacks(options);
  const aggregators = new Map<string, { kind: PackKind; lifetime: Lifetime; frame: FrameAggregator }>();

  const addFrame = (kind: PackKind, lifetime: Lifetime, frame: NewFrame): FinishedPack[] => {
    const finished = packs.addFrame(kind, lifetime, frame);
    return finished === undefined ? [] : [finished];
  };

  const flushFrame = (kind: PackKind, lifetime: Lifetime, aggregator: FrameAggregator): FinishedPack[] => {
    const frame = aggregator.take();
    return frame === undefined ? [] : addFrame(kind, lifetime, frame);
  };

  const aggregatorOf = (kind: PackKind, lifetime: Lifetime): FrameAggregator => {
    const name = `${kind} ${lifetime}`;
    const known = aggregators.get(name);
    if (known !== undefined) return known.frame;
    const frame = frameAggregator();
    aggregators.set(name, { kind, lifetime, frame });
    return frame;
  };

  return {
    add({ type, id, bytes }, lifetime) {
      const kind = packKindOf(type);
      const blob = { id, type, length: bytes.byteLength };
      if (bytes.byteLength >= ownFrameBytes) return addFrame(kind, lifetime, { plain: bytes, blobs: [blob] });
      const frame = aggregatorOf(kind, lifetime);
      const finished = frame.hasRoomFor(bytes.byteLength) ? [] : flushFrame(kind, lifetime, frame);
      frame.add(blob, bytes);
      return finished;
    },

    flush() {
      const finished: FinishedPack[] = [];
      for (const { kind, lifetime, frame } of aggregators.values()) finished.push(...flushFrame(kind, lifetime, frame));
      finished.push(...packs.closeAll());
      return finished;
    },
  };
}
