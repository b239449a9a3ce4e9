/**
 * The frame of a log entry: bytes ⇄ values, nothing opened and nothing proved (docs/format.md, The log).
 *
 * What is decoded has lengths that add up; whether it is authentic is for `log/sealed-entry.ts` to find out.
 */
import { MbkError } from '../errors.ts';
import { fromHex, toHex, utf8, viewOf } from './bytes.ts';
import { asKeysetId, asRepositoryId, type KeysetId, type RepositoryId } from './ids.ts';
import { limits } from './limits.ts';

export interface LogEntryHeader {
  readonly repository: RepositoryId;
  /** Number of the entry, from 1. */
  readonly n: number;
  /** SHA-256 of the bytes of entry n−1 in hex; zeros for n = 1. */
  readonly previous: string;
  /** 32 random bytes. */
  readonly salt: Uint8Array;
  readonly sections: readonly LogSectionRow[];
}

export interface LogSectionRow {
  readonly keyset: KeysetId;
  /** Bytes of the box, the tag included. */
  readonly boxLength: number;
}

/** A log entry taken apart; every array is a view of its bytes. */
export interface LogEntryFrame extends LogEntryHeader {
  /** Bytes 0 to the end of the section table. */
  readonly header: Uint8Array;
  /** One box a section, in the order of `sections`. */
  readonly boxes: readonly Uint8Array[];
  /** All bytes before the signature. */
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
  /** All bytes before the trailer hash. */
  readonly hashed: Uint8Array;
  readonly trailer: Uint8Array;
}

/** `prev` of the first entry. */
export const noPrevious: string = '0'.repeat(64);

const signatureBytes = 64;
const trailerBytes = 32;
const boxTagBytes = 16;
const maxSections = 255;

/*
 * offset size  meaning
 *      0    4  "mbkL"
 *      4    1  version, 1
 *      5    1  number of sections S, 1 to 255
 *      6    2  zero
 *      8   16  repository id
 *     24    8  n
 *     32   32  SHA-256 of the bytes of entry n−1
 *     64   32  random salt
 *     96 24·S  sections: keyset id (16), length of the box (4), zero (4)
 *      –    –  the boxes
 *      –   64  signature
 *      –   32  SHA-256 of all bytes before it
 */
const magic = 'mbkL';
const version = 1;
const fixedBytes = 96;
const rowBytes = 24;

/** Bytes 0 to the end of the section table. */
export function encodeLogHeader(header: LogEntryHeader): Uint8Array {
  const { repository, n, previous, salt, sections } = header;
  if (sections.length < 1 || sections.length > maxSections)
    throw new RangeError(`expected 1 to ${maxSections} sections, got ${sections.length}`);
  if (!Number.isSafeInteger(n) || n < 1) throw new RangeError(`expected n from 1, got ${n}`);
  if (salt.byteLength !== 32) throw new RangeError(`expected a salt of 32 bytes, got ${salt.byteLength}`);
  const bytes = new Uint8Array(fixedBytes + rowBytes * sections.length);
  const view = viewOf(bytes);
  bytes.set(utf8(magic), 0);
  bytes[4] = version;
  bytes[5] = sections.length;
  bytes.set(fromHex(repository), 8);
  view.setBigUint64(24, BigInt(n), true);
  bytes.set(fromHex(previous), 32);
  bytes.set(salt, 64);
  sections.forEach(({ keyset, boxLength }, index) => {
    const offset = fixedBytes + rowBytes * index;
    bytes.set(fromHex(keyset), offset);
    view.setUint32(offset + 16, boxLength, true);
  });
  return bytes;
}

/** Takes the bytes of an entry apart, `what` naming it; `entry-damaged` when their lengths or constants are wrong. */
export function decodeLogEntry(bytes: Uint8Array, what: string): LogEntryFrame {
  const length = bytes.byteLength;
  const smallest = fixedBytes + rowBytes + boxTagBytes + signatureBytes + trailerBytes;
  if (length < smallest || length > limits.logEntryBytes) {
    throw damaged(what, `it has ${length} bytes, expected ${smallest} to ${limits.logEntryBytes}`);
  }
  const view = viewOf(bytes);
  if (toHex(bytes.subarray(0, 4)) !== toHex(utf8(magic))) throw damaged(what, 'it does not begin like a log entry');
  if (bytes[4] !== version) throw damaged(what, `it has entry version ${bytes[4]}, expected ${version}`);
  if (view.getUint16(6, true) !== 0) throw damaged(what, 'its bytes 6 and 7 are not zero');

  const count = view.getUint8(5);
  const tableEnd = fixedBytes + rowBytes * count;
  const signedEnd = length - signatureBytes - trailerBytes;
  if (count < 1 || tableEnd > signedEnd) throw damaged(what, `its ${count} sections do not fit its ${length} bytes`);
  const n = view.getBigUint64(24, true);
  if (n < 1n || n > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged(what, `its number ${n} is out of range`);

  const sections: LogSectionRow[] = [];
  const boxes: Uint8Array[] = [];
  let offset = tableEnd;
  for (let index = 0; index < count; index += 1) {
    const row = fixedBytes + rowBytes * index;
    const boxLength = view.getUint32(row + 16, true);
    if (view.getUint32(row + 20, true) !== 0)
      throw damaged(what, `row ${index} of its section table is not padded with zeros`);
    if (boxLength < boxTagBytes || boxLength > signedEnd - offset) {
      throw damaged(what, `the box of section ${index} claims ${boxLength} bytes, ${signedEnd - offset} remain`);
    }
    sections.push({ keyset: asKeysetId(toHex(bytes.subarray(row, row + 16))), boxLength });
    boxes.push(bytes.subarray(offset, offset + boxLength));
    offset += boxLength;
  }
  if (offset !== signedEnd) throw damaged(what, `${signedEnd - offset} bytes follow its last box`);

  return {
    repository: asRepositoryId(toHex(bytes.subarray(8, 24))),
    n: Number(n),
    previous: toHex(bytes.subarray(32, 64)),
    salt: bytes.subarray(64, 96),
    sections,
    header: bytes.subarray(0, tableEnd),
    boxes,
    signed: bytes.subarray(0, signedEnd),
    signature: bytes.subarray(signedEnd, signedEnd + signatureBytes),
    hashed: bytes.subarray(0, length - trailerBytes),
    trailer: bytes.subarray(length - trailerBytes),
  };
}

/** Start of the keys of a repository's log. */
export function logPrefix(repository: RepositoryId): string {
  return `log/${repository}/`;
}

/** Key of entry n: 16 hex digits of 2^64−1−n, so that the newest sorts first. */
export function logKey(repository: RepositoryId, n: number): string {
  return logPrefix(repository) + (lastNumber - BigInt(n)).toString(16).padStart(16, '0');
}

/** Number of the entry under `key`; undefined when it is no key of this log. */
export function logNumberOf(repository: RepositoryId, key: string): number | undefined {
  const prefix = logPrefix(repository);
  const digits = key.slice(prefix.length);
  if (!key.startsWith(prefix) || !/^[0-9a-f]{16}$/.test(digits)) return undefined;
  const n = lastNumber - BigInt(`0x${digits}`);
  return n >= 1n && n <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(n) : undefined;
}

const lastNumber = 2n ** 64n - 1n;

function damaged(what: string, why: string): MbkError {
  return new MbkError('entry-damaged', `${what} is damaged: ${why}`);
}
