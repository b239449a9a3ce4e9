/**
 * The frames that others are built upon, for threads that open frames and know no index: whoever does says as plain data
 * what they are and where their boxes are, all that are needed from the lowest on.
 */
import type { Backend } from '../backend/backend.ts';
import { type BlobId, packKey } from '../format/ids.ts';
import type { FrameRow } from '../format/pack-footer.ts';
import type { PackRow } from '../format/segment-rows.ts';
import type { BlobCopy } from './blob-copy.ts';
import type { WholeCopy } from './whole-copy.ts';

/** A blob that frames are built upon, and how it is had. One that many name is one object, in a clone too. */
export type Base = BaseFrame | PlacedBlob;

/** A blob that lies in a file which is open for reading, as far as is known. */
export interface PlacedBlob {
  readonly id: BlobId;
  readonly length: number;
  readonly place: BlobPlace;
  readonly bases: readonly [];
}

export interface BlobPlace {
  readonly fd: number;
  /** Bytes from the start of the file. */
  readonly position: number;
}

/** A blob, the frame that holds it, and what that is built upon. */
export interface BaseFrame {
  readonly id: BlobId;
  /** Bytes of the frame's plaintext. */
  readonly offset: number;
  readonly length: number;
  readonly key: Uint8Array;
  readonly pack: PackRow;
  readonly number: number;
  readonly frame: FrameRow;
  readonly box: BaseBox;
  readonly bases: readonly Base[];
}

/** The box of a frame: in memory of its own, which may change hands, or in its pack as an opened file. */
export type BaseBox = Uint8Array<ArrayBuffer> | { readonly fd: number };

export interface GatherOptions {
  /** Gives the box of the frame of a copy. */
  readonly boxOf: (copy: BlobCopy) => Promise<BaseBox>;
  /** Key of a pack's frames. */
  readonly keyOf: (pack: PackRow) => Uint8Array;
  /** Where a blob lies in a file, if it is known to. */
  readonly placeOf?: PlaceOf | undefined;
}

export type PlaceOf = (id: BlobId, length: number) => BlobPlace | undefined;

/** What `wholes` speak of, and all below them, each once. Errors: those of `boxOf`, `role-denied`, `entry-damaged`. */
export async function gatherBases(
  wholes: readonly WholeCopy[],
  { boxOf, keyOf, placeOf }: GatherOptions,
): Promise<readonly Base[]> {
  const gathered = new Map<WholeCopy, Promise<Base>>();
  const gather = (whole: WholeCopy): Promise<Base> => {
    const known = gathered.get(whole);
    if (known !== undefined) return known;
    const gathering = gatherOne(whole);
    gathered.set(whole, gathering);
    return gathering;
  };
  const gatherOne = async ({ copy, bases }: WholeCopy): Promise<Base> => {
    const { id, pack, number, frame, offset, length } = copy;
    const place = placeOf?.(id, length);
    if (place !== undefined) return { id, length, place, bases: [] };
    const [box, ...below] = await Promise.all([boxOf(copy), ...bases.map(gather)]);
    return { id, offset, length, key: keyOf(pack), pack, number, frame, box, bases: below };
  };
  return Promise.all(wholes.map(gather));
}

/** Boxes that are read into memory. Errors: those of the backend. */
export function readBoxes(backend: Backend, signal: AbortSignal | undefined): GatherOptions['boxOf'] {
  return async ({ pack, frame: { offset, boxLength: length } }) =>
    ownBytes(await backend.get(packKey(pack.kind, pack.id), { offset, length, signal }));
}

function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes;
  return buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength
    ? new Uint8Array(buffer)
    : new Uint8Array(bytes);
}

/** Bytes of the boxes of these copies and all below them. */
export function boxBytesOf(wholes: readonly WholeCopy[]): number {
  let bytes = 0;
  for (const { copy } of eachOnce(wholes)) bytes += copy.frame.boxLength;
  return bytes;
}

/** The memory of all boxes, each once: what changes hands when bases go to another thread. */
export function boxesIn(bases: readonly Base[]): readonly ArrayBuffer[] {
  const boxes = new Set<ArrayBuffer>();
  for (const base of eachOnce(bases)) {
    if ('box' in base && !('fd' in base.box)) boxes.add(base.box.buffer);
  }
  return [...boxes];
}

/** `bases` and all below them. */
export function eachOnce<One extends { readonly bases: readonly One[] }>(bases: readonly One[]): ReadonlySet<One> {
  const seen = new Set<One>();
  const visit = (base: One): void => {
    if (seen.has(base)) return;
    seen.add(base);
    base.bases.forEach(visit);
  };
  bases.forEach(visit);
  return seen;
}
