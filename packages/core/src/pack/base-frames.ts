/**
 * The frames that others are built upon, for threads that open frames and know no index: whoever does brings their boxes
 * as plain data, all that are needed from the lowest on.
 */
import type { Backend } from '../backend/backend.ts';
import { prepareKey } from '../crypto/entry.ts';
import { type BlobId, packKey } from '../format/ids.ts';
import type { FrameRow } from '../format/pack-footer.ts';
import type { PackRow } from '../format/segment-rows.ts';
import type { FrameCache } from './frame-cache.ts';
import { memorySource } from './byte-source.ts';
import { checkBlob, openFrameRead } from './open-pack.ts';
import type { WholeCopy } from './whole-copy.ts';

/** A blob, the frame that holds it, and what that is built upon. One that many name is one object, in a clone too. */
export interface BaseFrame {
  readonly id: BlobId;
  /** Bytes of the frame's plaintext. */
  readonly offset: number;
  readonly length: number;
  readonly key: Uint8Array;
  readonly pack: PackRow;
  readonly number: number;
  readonly frame: FrameRow;
  readonly box: Uint8Array;
  readonly bases: readonly BaseFrame[];
}

export interface GatherOptions {
  readonly backend: Backend;
  /** Key of a pack's frames. */
  readonly keyOf: (pack: PackRow) => Uint8Array;
  readonly signal?: AbortSignal | undefined;
}

/** Reads the boxes of `wholes` and of all below them, each once. Errors: those of the backend, `role-denied`, `entry-damaged`. */
export async function gatherBases(
  wholes: readonly WholeCopy[],
  { backend, keyOf, signal }: GatherOptions,
): Promise<readonly BaseFrame[]> {
  const gathered = new Map<WholeCopy, Promise<BaseFrame>>();
  const gather = (whole: WholeCopy): Promise<BaseFrame> => {
    const known = gathered.get(whole);
    if (known !== undefined) return known;
    const reading = read(whole);
    gathered.set(whole, reading);
    return reading;
  };
  const read = async ({ copy, bases }: WholeCopy): Promise<BaseFrame> => {
    const { id, pack, number, frame, offset, length } = copy;
    const { offset: at, boxLength } = frame;
    const [box, ...below] = await Promise.all([
      backend.get(packKey(pack.kind, pack.id), { offset: at, length: boxLength, signal }),
      ...bases.map(gather),
    ]);
    return { id, offset, length, key: keyOf(pack), pack, number, frame, box, bases: below };
  };
  return Promise.all(wholes.map(gather));
}

/**
 * The blob that `base` speaks of, checked against its id, out of `cache` where that has it. Errors: those of `openFrame`,
 * with the pack and the frame in which something is wrong.
 */
export function openBase(base: BaseFrame, cache: FrameCache): Uint8Array {
  const { id, offset, length, key, pack, number, frame, box } = base;
  const known = cache.get(id);
  if (known !== undefined) return known;
  const bases = base.bases.map((below) => openBase(below, cache));
  const plain = openFrameRead(prepareKey(key), pack, number, frame, memorySource(box), bases);
  const blob = plain.subarray(offset, offset + length);
  checkBlob(id, blob, pack, number);
  // What is stored as it is lies in memory that the next frame is read to.
  const own = blob.byteLength === blob.buffer.byteLength ? blob : blob.slice();
  cache.put(id, own);
  return own;
}

/** What a frame is built upon, in the order of its row. */
export function openBases(bases: readonly BaseFrame[] | undefined, cache: FrameCache): readonly Uint8Array[] {
  return (bases ?? []).map((base) => openBase(base, cache));
}
