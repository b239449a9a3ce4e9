/** Opens what `gatherBases` gathered: on any thread, with no index and no backend. */
import { readOpened, readOpenedInto } from '../backend/read-opened.ts';
import { type BoxParts, prepareKey } from '../crypto/entry.ts';
import { sha256Hex } from '../crypto/hash.ts';
import { releaseBytes } from '../crypto/release-bytes.ts';
import { MbkError } from '../errors.ts';
import type { BlobId } from '../format/ids.ts';
import type { FrameRow } from '../format/pack-footer.ts';
import type { PackRow } from '../format/segment-rows.ts';
import { type Base, type BaseBox, type BaseFrame, eachOnce, type PlacedBlob } from './base-frames.ts';
import { memorySource } from './byte-source.ts';
import { checkBlob, openFrameParts } from './open-pack.ts';
import { newMemory, type PieceMemory } from './piece-memory.ts';

export interface OpenBasesOptions {
  /** Blobs that were opened before: whoever keeps them gives them back as they were. */
  readonly known?: ((id: BlobId) => Uint8Array | undefined) | undefined;
  /** Whether blobs are checked against their ids, as they are unless this says otherwise. */
  readonly isChecked?: boolean | undefined;
  /** Where the memory of blobs comes from, and where what was opened only for others goes; new memory unless given. */
  readonly memory?: PieceMemory | undefined;
}

/**
 * The blobs that `bases` speak of, in their order, each in memory of its own or as `known` gives it. Boxes in memory are
 * used up, and what was opened only for others is given back. Errors: those of `openFrame`, with the pack and the frame in
 * which something is wrong; `backend-failed`, `backend-read-short` of an opened file.
 */
export function openBases(
  bases: readonly Base[],
  { known = () => undefined, isChecked = true, memory = newMemory }: OpenBasesOptions = {},
): readonly Uint8Array[] {
  const waiting = new Map<Base, number>();
  const wait = (base: Base): void => void waiting.set(base, (waiting.get(base) ?? 0) + 1);
  for (const base of eachOnce(bases)) base.bases.forEach(wait);
  bases.forEach(wait);
  const opened = new Map<Base, Uint8Array>();

  const open = (base: Base): Uint8Array => {
    const done = known(base.id) ?? opened.get(base);
    if (done !== undefined) return done;
    const below = base.bases.map(open);
    const blob = 'place' in base ? readPlaced(base, isChecked, memory) : openOne(base, below, isChecked, memory);
    opened.set(base, blob);
    base.bases.forEach(leave);
    return blob;
  };
  /** Lets go of what nobody is built upon any more. */
  const leave = (base: Base): void => {
    const left = (waiting.get(base) ?? 0) - 1;
    waiting.set(base, left);
    const blob = left > 0 ? undefined : opened.get(base);
    if (blob === undefined) return;
    opened.delete(base);
    memory.give(blob);
  };
  return bases.map(open);
}

/** Of a frame whose bases are open. */
function openOne(
  { id, offset, length, key, pack, number, frame, box }: BaseFrame,
  bases: readonly Uint8Array[],
  isChecked: boolean,
  memory: PieceMemory,
): Uint8Array {
  const plain = memory.take(frame.plainLength);
  const take = (bytes: Uint8Array, at: number): void => plain.set(bytes, at);
  openFrameParts(prepareKey(key), pack, number, frame, { box: boxIn(box, pack, frame), take, bases });
  if (!('fd' in box)) releaseBytes(box);
  const blob = plain.subarray(offset, offset + length);
  if (isChecked) checkBlob(id, blob, pack, number);
  if (length === plain.byteLength) return plain;
  const own = blob.slice();
  memory.give(plain);
  return own;
}

/** The bytes of a frame's box. */
export function boxIn(
  box: Uint8Array | BaseBox,
  { size }: PackRow,
  { offset, boxLength: byteLength }: FrameRow,
): BoxParts {
  if (!('fd' in box)) return memorySource(box);
  const opened = readOpened(box.fd, size);
  return { byteLength, read: (at, length) => opened.read(offset + at, length) };
}

function readPlaced({ id, length, place }: PlacedBlob, isChecked: boolean, memory: PieceMemory): Uint8Array {
  const bytes = memory.take(length);
  readOpenedInto(place.fd, place.position, bytes);
  if (isChecked && sha256Hex(bytes) !== id)
    throw new MbkError('entry-damaged', `a file does not hold blob ${id} any more`);
  return bytes;
}
