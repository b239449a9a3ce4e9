/**
 * How a snapshot stores: blobs are counted for their domains, what takes long is indexed in the log on the way, and
 * tensors are stored as what they are to those that are stored already.
 */
import type { Compression } from '../codec/compression.ts';
import { isMbkError } from '../errors.ts';
import type { BlobId } from '../format/ids.ts';
import { gatherBases, readBoxes } from '../pack/base-frames.ts';
import type { BlobWriter } from '../pack/blob-writer.ts';
import type { Relate } from '../pack/frame-packer.ts';
import type { FinishedPack } from '../pack/pack-writer.ts';
import type { Repository } from '../repository.ts';
import type { Destination } from '../snapshot/pipeline/capture-calls.ts';
import type { CaptureStore } from '../snapshot/pipeline/file-taker.ts';
import { relater } from '../snapshot/relatives/relate.ts';
import { type FindFrame, runRelatives } from '../snapshot/relatives/relatives.ts';
import { isBadContent } from './bad-content.ts';
import type { RoomWatch } from './room-watch.ts';
import { addStoredTensors } from './stored-tensors.ts';
import type { WriteSession } from './write-session.ts';

/** Bytes of stored packs, and time, after which work in progress is indexed in the log, so that an interruption keeps it. */
const checkpointBytes = 1_073_741_824;
/** Blobs that no segment names are in memory, and all of them as objects while a segment is made. */
const checkpointBlobs = 32_768;
const checkpointMs = 600_000;

export interface CaptureStoreOptions {
  /** Of data blobs. */
  readonly compression: Compression | undefined;
  readonly room: RoomWatch;
  /** Hears of the bytes of each data blob, new or known. */
  readonly onCut: (bytes: number) => void;
}

export interface RunStore {
  readonly store: CaptureStore;
  /** Plain bytes that were new, by domain. */
  readonly addedTo: ReadonlyMap<string, number>;
  /** Resolves when no put is under way; what went wrong with them is told by the puts themselves. */
  settle(): Promise<void>;
}

export function captureStoreOf(
  repository: Repository,
  session: WriteSession,
  { compression, onCut, room }: CaptureStoreOptions,
): RunStore {
  const { keys, log, now } = repository;
  const { writer } = session;
  const addedTo = new Map<string, number>();
  const count = ({ domain }: Destination, bytes: number): void =>
    void addedTo.set(domain, (addedTo.get(domain) ?? 0) + bytes);
  let checkpointAt = now() + checkpointMs;
  let checkpointing: Promise<void> | undefined;
  /** Indexes what is stored when that is due. One at a time: whoever stores meanwhile goes on, up to the next one due. */
  const checkpoint = async (): Promise<void> => {
    const isDue =
      writer.pendingBytes >= checkpointBytes || writer.pendingBlobs >= checkpointBlobs || now() >= checkpointAt;
    if (!isDue) return;
    if (checkpointing !== undefined) return checkpointing;
    checkpointAt = now() + checkpointMs;
    checkpointing = session.checkpoint(log).finally(() => void (checkpointing = undefined));
    await checkpointing;
  };
  /** Packs of threads that are being put. */
  const puts = new Set<Promise<void>>();
  const putAndCheck = async (pack: FinishedPack): Promise<void> => {
    await room.check(pack.contents.row.size);
    await writer.putPack(pack);
    await checkpoint();
  };
  const frameOf = framesOf(repository, writer);
  const related = relater(({ id }) => frameOf(id), compression);
  const depthOf = (id: BlobId): number | undefined => {
    const whole = writer.base(id);
    return typeof whole === 'object' ? whole.copy.frame.depth : undefined;
  };
  return {
    addedTo,
    store: {
      keys,
      keyset: keys.shared,
      compression,
      async store(type, bytes, destination, about) {
        const { byteLength } = bytes;
        await room.check(byteLength);
        await checkpoint();
        const element = about?.element;
        const wanted = await about?.wanted;
        const relating =
          element === undefined || wanted === undefined
            ? undefined
            : (pack: (relate?: Relate) => Promise<void>) => related.with(bytes, { element, wanted }, pack);
        const stored = await writer.store(type, bytes, { lifetime: destination.lifetime, element, relating });
        if (type === 'data') onCut(byteLength);
        if (stored.added) count(destination, byteLength);
        return stored;
      },
      claim(id, byteLength, destination) {
        const isNew = writer.claim('data', id, byteLength);
        if (isNew) count(destination, byteLength);
        onCut(byteLength);
        return isNew;
      },
      putPack(pack) {
        const put = putAndCheck(pack).finally(() => void puts.delete(put));
        puts.add(put);
        return put;
      },
      flush: () => writer.flush(),
      relatives:
        compression === 'off'
          ? undefined
          : (flush) =>
              runRelatives({ load: (catalogue) => addStoredTensors(repository, catalogue), flush, frameOf, depthOf }),
    },
    async settle() {
      await Promise.allSettled(puts);
    },
  };
}

/**
 * The frame of a blob that a session may build upon; undefined for one that cannot be read, by this role or at all: then
 * nothing is built upon it.
 */
function framesOf({ backend, packs, signal }: Repository, writer: BlobWriter): FindFrame {
  return async (id) => {
    const whole = writer.base(id);
    if (typeof whole !== 'object') return whole;
    try {
      const [frame] = await gatherBases([whole], { boxOf: readBoxes(backend, signal), keyOf: packs.keyOf });
      return frame && { depth: whole.copy.frame.depth, frame };
    } catch (error) {
      if (isBadContent(error) || isMbkError(error, 'role-denied')) return undefined;
      throw error;
    }
  };
}
