/** Packs from a backend: what one holds, by reading its end, and single frames, by ranged reads. */
import type { Backend } from '../backend/backend.ts';
import { headerBytes } from '../crypto/entry.ts';
import type { Keys } from '../crypto/keyset.ts';
import { MbkError } from '../errors.ts';
import { type PackId, packKey, type PackKind } from '../format/ids.ts';
import { decodePackTrailer, type FooterFrame, packTrailerBytes } from '../format/pack-footer.ts';
import type { PackRow } from '../format/segment-rows.ts';
import { checkBlob, checkPackSize, footerOffset, framesKey, openContents, openFrame } from './open-pack.ts';
import { type PackContents, packName } from './pack-contents.ts';
import { readTwice } from './read-twice.ts';

export interface PackReader {
  /**
   * What a pack holds, from its verified footer. Damage is read a second time before it is believed.
   *
   * Errors: `entry-absent`, `entry-damaged`, `value-invalid`, `format-unsupported`, `role-denied`, those of the backend.
   */
  readContents(kind: PackKind, id: PackId, options?: ReadOptions): Promise<PackContents>;
  /** The plaintext of one frame, every blob of it checked against its id. Errors: as above, `codec-unknown`. */
  readFrame(contents: PackContents, number: number, options?: ReadOptions): Promise<Uint8Array>;
  /** Key of a pack's frames; the last ones are remembered, since each costs an X25519 agreement. */
  keyOf(row: PackRow): Uint8Array;
}

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Most footers fit in this; a longer one takes a second read. */
const tailBytes = 64 * 1024;
const rememberedKeys = 1024;

export function packReader({ backend, keys }: { readonly backend: Backend; readonly keys: Keys }): PackReader {
  const frameKeys = new Map<PackId, Uint8Array>();

  const keyOf = (row: PackRow): Uint8Array => {
    const known = frameKeys.get(row.id);
    if (known !== undefined) return known;
    if (frameKeys.size >= rememberedKeys) frameKeys.clear();
    const key = framesKey(row, keys);
    frameKeys.set(row.id, key);
    return key;
  };

  async function readContentsOnce(kind: PackKind, id: PackId, signal: AbortSignal | undefined): Promise<PackContents> {
    const what = packName({ kind, id });
    const key = packKey(kind, id);
    const status = await backend.stat(key, { signal });
    if (status === undefined)
      throw new MbkError('entry-absent', `${what} is not in ${backend.name}`, { details: { key } });
    const { size } = status;
    checkPackSize(size, what);

    let tailOffset = Math.max(0, size - tailBytes);
    let tail = await backend.get(key, { offset: tailOffset, length: size - tailOffset, signal });
    const boxLength = decodePackTrailer(tail.subarray(-packTrailerBytes), what);
    const boxOffset = footerOffset(size, boxLength, what);
    if (boxOffset < tailOffset) {
      tailOffset = boxOffset;
      tail = await backend.get(key, { offset: boxOffset, length: size - boxOffset, signal });
    }
    const header =
      tailOffset === 0
        ? tail.subarray(0, headerBytes)
        : await backend.get(key, { offset: 0, length: headerBytes, signal });
    const footerBox = tail.subarray(boxOffset - tailOffset, boxOffset - tailOffset + boxLength);
    return openContents({ kind, id, size, header, footerBox }, keys);
  }

  async function readFrameOnce(
    row: PackRow,
    number: number,
    frame: FooterFrame,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> {
    const box = await backend.get(packKey(row.kind, row.id), { offset: frame.offset, length: frame.boxLength, signal });
    const plain = openFrame(keyOf(row), row, number, frame, box);
    let offset = 0;
    for (const blob of frame.blobs) {
      checkBlob(blob.id, plain.subarray(offset, offset + blob.length), row, number);
      offset += blob.length;
    }
    return plain;
  }

  return {
    keyOf,
    readContents: (kind, id, { signal } = {}) => readTwice(() => readContentsOnce(kind, id, signal)),
    async readFrame({ row, frames }, number, { signal } = {}) {
      const frame = frames[number];
      if (frame === undefined) throw new RangeError(`expected a frame below ${frames.length}, got ${number}`);
      return readTwice(() => readFrameOnce(row, number, frame, signal));
    },
  };
}
