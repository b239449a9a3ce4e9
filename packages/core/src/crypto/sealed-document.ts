/**
 * Sealed documents: states and catalogue bundles, one box over one body (docs/format.md, Sealing).
 */
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { MbkError } from '../errors.ts';
import { concatBytes, padmeLength, viewOf } from '../format/bytes.ts';
import type { KeysetId, RepositoryId } from '../format/ids.ts';
import { limits } from '../format/limits.ts';
import { boxOverhead, decodeHeader, encodeHeader, entryKey, headerBytes, openBox, sealBox } from './entry.ts';
import type { Random } from './hash.ts';

type DocumentMagic = 'mbkS' | 'mbkC';

const infos: Readonly<Record<DocumentMagic, string>> = { mbkS: 'mbk/1 state', mbkC: 'mbk/1 catalogue' };
const preludeBytes = 12;

/*
 * offset size  meaning (of the box's plaintext)
 *      0    1  codec of the body: 0 raw, 1 zstd
 *      1    3  zero
 *      4    4  length of the stored body
 *      8    4  length of the body once decoded
 *     12    –  stored body, then zeros
 */

/** Bytes that are decoded at a time; the least is zlib's own. */
const leastChunk = 64;
const mostChunk = 2 * 1024 * 1024;

export interface SealOptions {
  readonly magic: DocumentMagic;
  readonly repository: RepositoryId;
  readonly keyset: KeysetId;
  /** The keyset's `log` (state) or `catalogue` (bundle) subkey. */
  readonly subkey: Uint8Array;
  readonly body: Uint8Array;
  /** Whether the body is compressed where that saves something, as it is unless this says otherwise: it takes longer to open. */
  readonly isCompressed?: boolean | undefined;
  readonly random: Random;
}

/** Bytes of the entry that holds `body`; RangeError over 256 MiB. */
export function sealDocument({
  magic,
  repository,
  keyset,
  subkey,
  body,
  isCompressed = true,
  random,
}: SealOptions): Uint8Array {
  if (body.byteLength > limits.documentBytes)
    throw new RangeError(`a document holds at most ${limits.documentBytes} bytes, got ${body.byteLength}`);
  const packed = isCompressed ? zstdCompressSync(body) : body;
  const stored = packed.byteLength < body.byteLength ? packed : body;
  const unpadded = headerBytes + preludeBytes + stored.byteLength + boxOverhead;
  const plaintext = new Uint8Array(preludeBytes + stored.byteLength + padmeLength(unpadded) - unpadded);
  const view = viewOf(plaintext);
  view.setUint8(0, stored === body ? 0 : 1);
  view.setUint32(4, stored.byteLength, true);
  view.setUint32(8, body.byteLength, true);
  plaintext.set(stored, preludeBytes);

  const header = encodeHeader({ magic, repository, keyset, salt: random(32) });
  return concatBytes([header, sealBox(entryKey(subkey, header, infos[magic]), 0, plaintext)]);
}

export interface OpenOptions {
  readonly magic: DocumentMagic;
  readonly repository: RepositoryId;
  /** The subkey for a keyset, undefined if this reader was not given it. */
  readonly subkeyOf: (keyset: KeysetId) => Uint8Array | undefined;
  /** Names the entry in messages. */
  readonly what: string;
}

/**
 * Keyset and body of a sealed document.
 * Errors: `entry-damaged`, `format-unsupported`, `role-denied` (the keyset is not ours).
 */
export function openDocument(
  bytes: Uint8Array,
  { magic, repository, subkeyOf, what }: OpenOptions,
): { keyset: KeysetId; body: Uint8Array } {
  const header = decodeHeader(bytes, what);
  if (header.magic !== magic || header.repository !== repository) {
    throw new MbkError(
      'entry-damaged',
      `${what} is not the entry it should be: its header names another kind or repository`,
    );
  }
  const subkey = subkeyOf(header.keyset);
  if (subkey === undefined)
    throw new MbkError('role-denied', `${what} is sealed for a scope that this key was not granted`);
  const plaintext = openBox(entryKey(subkey, header.bytes, infos[magic]), 0, bytes.subarray(headerBytes), what);
  return { keyset: header.keyset, body: decodeBody(plaintext, what) };
}

function decodeBody(plaintext: Uint8Array, what: string): Uint8Array {
  if (plaintext.byteLength < preludeBytes) throw new MbkError('value-invalid', `${what} holds no body`);
  const view = viewOf(plaintext);
  const codec = view.getUint8(0);
  const storedLength = view.getUint32(4, true);
  const length = view.getUint32(8, true);
  if (codec > 1 || storedLength > plaintext.byteLength - preludeBytes || length > limits.documentBytes) {
    throw new MbkError(
      'value-invalid',
      `${what}: codec ${codec}, stored ${storedLength}, plain ${length} bytes are out of range`,
    );
  }
  const stored = plaintext.subarray(preludeBytes, preludeBytes + storedLength);
  let body: Uint8Array;
  try {
    // In pieces of 16 KiB, as they are unless said otherwise, putting together a large state costs more than decoding it.
    const chunkSize = Math.min(Math.max(length, leastChunk), mostChunk);
    body = codec === 0 ? stored : zstdDecompressSync(stored, { maxOutputLength: Math.max(1, length), chunkSize });
  } catch (cause) {
    throw new MbkError('value-invalid', `${what}: its body does not decompress to ${length} bytes`, { cause });
  }
  if (body.byteLength !== length)
    throw new MbkError('value-invalid', `${what}: body of ${body.byteLength} bytes, expected ${length}`);
  return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
}
