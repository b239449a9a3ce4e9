/**
 * The frames that others are built upon, for threads that open frames and know no index: whoever does brings their boxes
 * as plain data, all that are needed from the lowest on.
 */
import type { Backend } from '../backend/backend.ts';
import { prepareKey } from '../crypto/entry.ts';
import { releaseBytes } from '../crypto/release-bytes.ts';
import { type BlobId, packKey } from '../format/ids.ts';
import type { FrameRow } from '../format/pack-footer.ts';
import type { PackRow } from '../format/segment-rows.ts';
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
  /** In memory of its own, which may change hands. */
  readonly box: Uint8Array<ArrayBuffer>;
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
    return { id, offset, length, key: keyOf(pack), pack, number, frame, box: ownBytes(box), bases: below };
  };
  return Promise.all(wholes.map(gather));
}

function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes;
  return buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength
    ? new Uint8Array(buffer)
    : new Uint8Array(bytes);
}

/** Bytes of the boxes that `gatherBases` reads. */
export function boxBytesOf(wholes: readonly WholeCopy[]): number {
  let bytes = 0;
  for (const { copy } of eachOnce(wholes)) bytes += copy.frame.boxLength;
  return bytes;
}

/** The memory of all boxes, each once: what changes hands when bases go to another thread. */
export function boxesIn(bases: readonly (BaseFrame | undefined)[]): readonly ArrayBuffer[] {
  const boxes = new Set<ArrayBuffer>();
  for (const { box } of eachOnce(bases.filter((base) => base !== undefined))) boxes.add(box.buffer);
  return [...boxes];
}

/** Blobs that were opened before: whoever keeps them gives them back as they were. */
export interface KnownBlobs {
  get(id: BlobId): Uint8Array | undefined;
}

const nothingKnown: KnownBlobs = { get: () => undefined };

/**
 * The blobs that `bases` speak of, in their order, each in memory of its own or as `known` has it, checked against their
 * ids. Boxes are used up, and what was opened only for others is given back. Errors: those of `openFrame`, with the pack
 * and the frame in which something is wrong.
 */
export function openBases(
  bases: readonly BaseFrame[] | undefined,
  known: KnownBlobs = nothingKnown,
): readonly Uint8Array[] {
  if (bases === undefined || bases.length === 0) return [];
  const waiting = new Map<BaseFrame, number>();
  const wait = (base: BaseFrame): void => void waiting.set(base, (waiting.get(base) ?? 0) + 1);
  for (const base of eachOnce(bases)) base.bases.forEach(wait);
  bases.forEach(wait);
  const opened = new Map<BaseFrame, Uint8Array>();

  const open = (base: BaseFrame): Uint8Array => {
    const done = known.get(base.id) ?? opened.get(base);
    if (done !== undefined) return done;
    const below = base.bases.map(open);
    const blob = openOne(base, below);
    opened.set(base, blob);
    base.bases.forEach(leave);
    return blob;
  };
  /** Lets go of what nobody is built upon any more. */
  const leave = (base: BaseFrame): void => {
    const left = (waiting.get(base) ?? 0) - 1;
    waiting.set(base, left);
    const blob = left > 0 ? undefined : opened.get(base);
    if (blob === undefined) return;
    opened.delete(base);
    releaseBytes(blob);
  };
  return bases.map(open);
}

/** Of a frame whose bases are open. */
function openOne(
  { id, offset, length, key, pack, number, frame, box }: BaseFrame,
  bases: readonly Uint8Array[],
): Uint8Array {
  const plain = openFrameRead(prepareKey(key), pack, number, frame, memorySource(box), bases);
  releaseBytes(box);
  const blob = plain.subarray(offset, offset + length);
  checkBlob(id, blob, pack, number);
  // What is stored as it is lies in memory that the next frame is read to.
  return blob.byteLength === blob.buffer.byteLength ? blob : blob.slice();
}

/** `bases` and all below them. */
function eachOnce<Base extends { readonly bases: readonly Base[] }>(bases: readonly Base[]): ReadonlySet<Base> {
  const seen = new Set<Base>();
  const visit = (base: Base): void => {
    if (seen.has(base)) return;
    seen.add(base);
    base.bases.forEach(visit);
  };
  bases.forEach(visit);
  return seen;
}
