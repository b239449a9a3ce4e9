/**
 * One pack in the making: frames are encoded, checked, sealed and hashed as they come; `close` adds the signed footer
 * (docs/format.md, Packs).
 *
 * What is sealed stays in memory until `close`, because the name of a pack is the SHA-256 of its bytes.
 */
import { createHash } from 'node:crypto';
import type { Element } from '../chunker/piece.ts';
import { type Compression, defaultCompression } from '../codec/compression.ts';
import { encodeFrame, type EncodedFrame } from '../codec/encode-frame.ts';
import { releaseBytes } from '../crypto/release-bytes.ts';
import { boxOverhead, prepareKey, sealBox, sealBoxSlices } from '../crypto/entry.ts';
import type { Random } from '../crypto/hash.ts';
import { signMessage, x25519Public } from '../crypto/key-pair.ts';
import type { Keys, Keyset } from '../crypto/keyset.ts';
import { concatBytes, padmeLength } from '../format/bytes.ts';
import { asPackId, type BlobId, type Lifetime, packKey, type PackKind, packKindOf } from '../format/ids.ts';
import { limits, parameters } from '../format/limits.ts';
import {
  boxEndBytes,
  encodeFooter,
  encodePackTrailer,
  type FooterBlob,
  type FooterFrame,
  footerLength,
  packTrailerBytes,
  signatureBytes,
} from '../format/pack-footer.ts';
import type { PackContents } from './pack-contents.ts';
import { packPages, pagePool, type PagePool } from './pack-pages.ts';
import { encodePackHeader, footerKey, framesKeyOfWriter, type PackHeader, packSignatureLabel } from './pack-keys.ts';

export interface PackWriterOptions {
  readonly keys: Keys;
  readonly keyset: Keyset;
  readonly kind: PackKind;
  readonly lifetime: Lifetime;
  readonly random: Random;
  /** Of frames whose stored form is worked out here, those of data packs; `fast` unless given. */
  readonly compression?: Compression | undefined;
  /** Size from which `isFull`; 32 MiB unless given. */
  readonly packBytes?: number | undefined;
  /** Where its pages come from; new ones unless given. */
  readonly pages?: PagePool | undefined;
}

/** A frame to add. `plain` is the blobs one after the other, at most 16 MiB. */
export interface NewFrame {
  readonly plain: Uint8Array;
  readonly blobs: readonly FooterBlob[];
  /** What the bytes are said to be. */
  readonly element?: Element | undefined;
  /** How it is stored, when that was worked out elsewhere (handed over); `encodeFrame` otherwise. */
  readonly encoded?: EncodedFrame | undefined;
  /** What the codec built upon; none unless given. */
  readonly bases?: readonly BlobId[] | undefined;
  readonly depth?: number | undefined;
}

export interface PackWriter {
  readonly kind: PackKind;
  readonly lifetime: Lifetime;
  /** About what the pack would have if it were closed now, without padding. */
  readonly byteLength: number;
  readonly isFull: boolean;
  /** Seals a frame, whose bytes the caller has back when this returns; the size of its box. */
  addFrame(frame: NewFrame): number;
  /** The finished pack. Nothing is called after it; RangeError when it has no frame. */
  close(): FinishedPack;
}

export interface FinishedPack {
  readonly key: string;
  /** The bytes of the entry are these one after the other: each the start of a page. */
  readonly parts: ReadonlyArray<Uint8Array<ArrayBuffer>>;
  readonly contents: PackContents;
}

/** A new, empty pack. Errors: `role-denied` when the keyset lacks what writing needs. */
export function packWriter({
  keys,
  keyset,
  kind,
  lifetime,
  random,
  compression: ofData = defaultCompression,
  packBytes = parameters.packBytes,
  pages = pagePool(),
}: PackWriterOptions): PackWriter {
  const compression = kind === 'data' ? ofData : defaultCompression;
  const ephemeralPrivate = random(32);
  const header: PackHeader = {
    repository: keys.repository,
    kind,
    keyset: keyset.id,
    ephemeral: x25519Public(ephemeralPrivate),
  };
  const headerPart = encodePackHeader(header);
  const boxKey = prepareKey(framesKeyOfWriter(header, ephemeralPrivate, keyset));

  const frames: FooterFrame[] = [];
  const counts = { frames: 0, blobs: 0, bases: 0, parameterBytes: 0 };
  const hasher = createHash('sha256');
  const bytes = packPages(pages, (page) => void hasher.update(page));
  bytes.append(headerPart);

  const byteLength = (): number =>
    bytes.byteLength + footerLength(counts) + signatureBytes + boxOverhead + packTrailerBytes;

  return {
    kind,
    lifetime,
    get byteLength() {
      return byteLength();
    },
    get isFull() {
      return byteLength() >= packBytes || counts.frames >= limits.packFrames;
    },

    addFrame({ plain, blobs, element, encoded: given, bases = [], depth = 0 }) {
      checkFrame(kind, plain, blobs);
      const encoded = given ?? encodeFrame(plain, { element, compression });
      const offset = bytes.byteLength;
      const box = sealBoxSlices(boxKey, frames.length, encoded.stored, bytes.append);
      const boxLength = box.byteLength;
      frames.push({
        offset,
        boxLength,
        plainLength: plain.byteLength,
        codec: encoded.codec,
        depth,
        parameters: encoded.parameters,
        bases,
        blobs,
        boxEnd: box.tag.slice(-boxEndBytes),
      });
      counts.frames += 1;
      counts.blobs += blobs.length;
      counts.bases += bases.length;
      counts.parameterBytes += encoded.parameters.byteLength;
      if (encoded.stored !== plain) releaseBytes(encoded.stored);
      return boxLength;
    },

    close() {
      if (frames.length === 0) throw new RangeError('expected a pack with at least one frame');
      const signed = encodeFooter({ lifetime, frames, actor: keys.actor.id });
      const signature = signMessage(keys.actor.seed, concatBytes([packSignatureLabel, headerPart, signed]));
      const footer = new Uint8Array(
        footerBoxLength(bytes.byteLength, signed.byteLength + signatureBytes) - boxOverhead,
      );
      footer.set(signed);
      footer.set(signature, signed.byteLength);
      const box = sealBox(footerKey(header, keyset), 0, footer);
      bytes.append(box);
      bytes.append(encodePackTrailer(box.byteLength));
      const size = bytes.byteLength;
      const parts = bytes.parts();
      const id = asPackId(hasher.digest('hex'));
      const { keyset: keysetId, ephemeral } = header;
      const row = {
        id,
        ephemeral,
        actor: keys.actor.id,
        keyset: keysetId,
        size,
        kind,
        lifetime,
        frames: frames.length,
      };
      return { key: packKey(kind, id), parts, contents: { row, frames } };
    },
  };
}

/** Footer boxes are multiples of this. */
const footerStep = 4096;
/** Smaller packs are padded as a whole, so that their sizes tell little. */
const padmeBelow = 4 * 1024 * 1024;

/** Length of the footer box of a pack whose frames end at `framesEnd`, padded. */
function footerBoxLength(framesEnd: number, plainLength: number): number {
  const boxLength = Math.ceil((plainLength + boxOverhead) / footerStep) * footerStep;
  const size = framesEnd + boxLength + packTrailerBytes;
  return size < padmeBelow ? boxLength + padmeLength(size) - size : boxLength;
}

function checkFrame(kind: PackKind, plain: Uint8Array, blobs: readonly FooterBlob[]): void {
  let length = 0;
  for (const blob of blobs) {
    if (packKindOf(blob.type) !== kind)
      throw new TypeError(`expected blobs of ${kind} packs, got one of type ${blob.type}`);
    length += blob.length;
  }
  if (blobs.length === 0 || length !== plain.byteLength || length > limits.frameBytes) {
    throw new RangeError(
      `expected ${plain.byteLength} bytes of blobs, at most ${limits.frameBytes}, got ${blobs.length} blobs with ${length}`,
    );
  }
}
