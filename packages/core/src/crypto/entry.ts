/**
 * The common header and the boxes of sealed entries (docs/format.md, Sealing).
 *
 * Every entry has a key of its own, derived with the SHA-256 of its header as salt, so a box is bound to repository,
 * kind, keyset and place, and a nonce is never used twice under one key.
 */
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, type DecipherGCM } from 'node:crypto';
import { MbkError } from '../errors.ts';
import { concatBytes, fromHex, toHex, utf8 } from '../format/bytes.ts';
import { asKeysetId, asRepositoryId, type KeysetId, type RepositoryId } from '../format/ids.ts';
import { releaseBytes } from './release-bytes.ts';
import { hkdf, sha256 } from './hash.ts';

export const headerBytes = 72;
/** What a box is longer than its plaintext: the GCM tag. */
export const boxOverhead = 16;

export const magics = ['mbkP', 'mbkM', 'mbkI', 'mbkS', 'mbkC'] as const;
export type Magic = (typeof magics)[number];

export interface CommonHeader {
  readonly magic: Magic;
  readonly repository: RepositoryId;
  readonly keyset: KeysetId;
  /** 32 bytes: ephemeral X25519 public key of a pack, random salt of any other entry. */
  readonly salt: Uint8Array;
}

/*
 * offset size  meaning
 *      0    4  magic
 *      4    1  version, 1
 *      5    3  zero
 *      8   16  repository id
 *     24   16  keyset id
 *     40   32  ephemeral key or salt
 */

/** The 72 bytes of a header. */
export function encodeHeader(header: CommonHeader): Uint8Array {
  if (header.salt.byteLength !== 32) throw new RangeError(`expected a salt of 32 bytes, got ${header.salt.byteLength}`);
  return concatBytes([
    utf8(header.magic),
    Uint8Array.of(1, 0, 0, 0),
    fromHex(header.repository),
    fromHex(header.keyset),
    header.salt,
  ]);
}

/**
 * The header at the start of `bytes` of an entry named `what`, with its own 72 bytes (a copy).
 * Errors: `entry-damaged` (too short, unknown magic), `format-unsupported` (a later version).
 */
export function decodeHeader(bytes: Uint8Array, what: string): CommonHeader & { readonly bytes: Uint8Array } {
  if (bytes.byteLength < headerBytes) {
    throw new MbkError(
      'entry-damaged',
      `${what} is too short: ${bytes.byteLength} bytes, its header alone has ${headerBytes}`,
    );
  }
  const magic = magics.find((one) => one === Buffer.from(bytes.subarray(0, 4)).toString('latin1'));
  if (magic === undefined) throw new MbkError('entry-damaged', `${what} does not begin with a known magic`);
  if (bytes[4] !== 1)
    throw new MbkError('format-unsupported', `${what} has format version ${bytes[4]}; this mbk knows 1`);
  return {
    magic,
    repository: asRepositoryId(toHex(bytes.subarray(8, 24))),
    keyset: asKeysetId(toHex(bytes.subarray(24, 40))),
    salt: bytes.slice(40, 72),
    bytes: bytes.slice(0, headerBytes),
  };
}

/** Key of an entry: 32 bytes. `suffix` is appended to `info` (a recipient's public key). */
export function entryKey(ikm: Uint8Array, header: Uint8Array, info: string, suffix?: Uint8Array): Uint8Array {
  return hkdf(ikm, sha256(header), suffix === undefined ? info : concatBytes([utf8(info), suffix]));
}

/** The key of an entry, as bytes or prepared. */
export type BoxKey = Uint8Array | KeyObject;

/** A key as the ciphers want it, for entries of many boxes: from bytes they make one for each box, 16 µs. */
export function prepareKey(key: Uint8Array): KeyObject {
  return createSecretKey(key);
}

function nonce(index: number): Uint8Array {
  const bytes = new Uint8Array(12);
  new DataView(bytes.buffer).setUint32(0, index, true);
  return bytes;
}

/** Box `index` (0 to 2^32−1) of an entry: ciphertext and tag, 16 bytes longer than `plaintext`. */
export function sealBox(key: BoxKey, index: number, plaintext: Uint8Array): Uint8Array {
  return concatBytes(sealBoxParts(key, index, plaintext));
}

/** The same as ciphertext and tag. */
function sealBoxParts(key: BoxKey, index: number, plaintext: Uint8Array): readonly [body: Uint8Array, tag: Uint8Array] {
  const cipher = createCipheriv('aes-256-gcm', key, nonce(index));
  const body = cipher.update(plaintext);
  cipher.final();
  return [body, new Uint8Array(cipher.getAuthTag())];
}

/**
 * What ciphers give is an array of their own. Of this size they come from memory that is used again and again; whole
 * frames would come from the system each time, at a quarter of the speed.
 */
const sliceBytes = 65_536;

/** The same, in slices: `append` gets the ciphertext, then the tag, and is done with each when it returns. */
export function sealBoxSlices(
  key: BoxKey,
  index: number,
  plaintext: Uint8Array,
  append: (slice: Uint8Array) => void,
): { readonly byteLength: number; readonly tag: Uint8Array } {
  const cipher = createCipheriv('aes-256-gcm', key, nonce(index));
  for (let at = 0; at < plaintext.byteLength; at += sliceBytes) {
    const slice = cipher.update(plaintext.subarray(at, at + sliceBytes));
    append(slice);
    releaseBytes(slice);
  }
  cipher.final();
  const tag = new Uint8Array(cipher.getAuthTag());
  append(tag);
  return { byteLength: plaintext.byteLength + tag.byteLength, tag };
}

/** Plaintext of box `index`; `entry-damaged` naming `what` if it does not authenticate. */
export function openBox(key: BoxKey, index: number, box: Uint8Array, what: string): Uint8Array {
  const { decipher, body } = opening(key, index, box, what);
  const plaintext = decipher.update(body);
  authenticate(decipher, what);
  return new Uint8Array(plaintext.buffer, plaintext.byteOffset, plaintext.byteLength);
}

/** The same for a large box that is used up by it: the plaintext takes the place of the ciphertext. */
export function openBoxInPlace(key: BoxKey, index: number, box: Uint8Array, what: string): Uint8Array {
  const { decipher, body } = opening(key, index, box, what);
  for (let at = 0; at < body.byteLength; at += sliceBytes) {
    const slice = decipher.update(body.subarray(at, at + sliceBytes));
    body.set(slice, at);
    releaseBytes(slice);
  }
  authenticate(decipher, what);
  return body;
}

/** A part as it is read, as it is deciphered, as Node copies that once more and as it is kept are in the cache together. */
const partBytes = 32_768;

/** A box that is read part by part: each part holds until the next is read. */
export interface BoxParts {
  readonly byteLength: number;
  read(offset: number, length: number): Uint8Array;
}

/**
 * The plaintext of a box that is read in slices, from its start to its end, at the start of `into`. `checkTag` hears its
 * tag before the box is authenticated. Errors: `entry-damaged`; what `box` and `checkTag` throw.
 */
export function openBoxParts(
  key: BoxKey,
  index: number,
  box: BoxParts,
  { into, what, checkTag }: OpenBoxPartsOptions,
): Uint8Array {
  const length = box.byteLength - boxOverhead;
  if (length < 0) throw new MbkError('entry-damaged', `${what} is shorter than an authentication tag`);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce(index), { authTagLength: boxOverhead });
  for (let at = 0; at < length; at += partBytes) {
    const slice = decipher.update(box.read(at, Math.min(partBytes, length - at)));
    into.set(slice, at);
    releaseBytes(slice);
  }
  const tag = box.read(length, boxOverhead);
  checkTag?.(tag);
  decipher.setAuthTag(tag);
  authenticate(decipher, what);
  return into.subarray(0, length);
}

export interface OpenBoxPartsOptions {
  readonly into: Uint8Array;
  readonly what: string;
  readonly checkTag?: ((tag: Uint8Array) => void) | undefined;
}

function opening(
  key: BoxKey,
  index: number,
  box: Uint8Array,
  what: string,
): { readonly decipher: DecipherGCM; readonly body: Uint8Array } {
  if (box.byteLength < boxOverhead)
    throw new MbkError('entry-damaged', `${what} is shorter than an authentication tag`);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce(index), { authTagLength: boxOverhead });
  decipher.setAuthTag(box.subarray(box.byteLength - boxOverhead));
  return { decipher, body: box.subarray(0, box.byteLength - boxOverhead) };
}

function authenticate(decipher: DecipherGCM, what: string): void {
  try {
    decipher.final();
  } catch (cause) {
    throw new MbkError('entry-damaged', `${what} does not authenticate: its bytes were changed`, { cause });
  }
}
