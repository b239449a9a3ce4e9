/**
 * Reads the directory of a zip file (PKWARE APPNOTE 6.3, Zip64 included) without trusting a number in it.
 *
 * | record | offset, size: meaning |
 * |---|---|
 * | end | 0,4 `PK 5 6` · 4,2 disk · 6,2 disk of directory · 8,2 entries here · 10,2 entries · 12,4 size · 16,4 offset · 20,2 comment |
 * | Zip64 locator, just before | 0,4 `PK 6 7` · 4,4 disk · 8,8 offset of the Zip64 end · 16,4 disks |
 * | Zip64 end | 0,4 `PK 6 6` · 4,8 size · 16,4 disk · 20,4 disk · 24,8 entries here · 32,8 entries · 40,8 size · 48,8 offset |
 * | entry | 0,4 `PK 1 2` · 8,2 flags · 10,2 method · 16,4 CRC-32 · 20,4 packed · 24,4 size · 28,2 name · 30,2 extra · 32,2 comment · 42,4 offset |
 */

import { type LayoutContext, LayoutError, type Reader } from '@mbk/plugin-sdk';
import { mostMembers } from '../most-tensors.ts';

export interface ZipMember {
  readonly name: string;
  /** Of its entry in the directory. */
  readonly entryOffset: number;
  /** Of its local header. */
  readonly localOffset: number;
  /** 0 is stored, 8 deflated. */
  readonly method: number;
  readonly isEncrypted: boolean;
  readonly crc32: number;
  readonly packedSize: number;
  readonly size: number;
}

/** Members in the order of the directory. Each is decoded when it is asked for: a checkpoint has tens of thousands. */
export interface ZipMembers extends Iterable<ZipMember> {
  readonly length: number;
  /** Undefined beyond the last. */
  at(index: number): ZipMember | undefined;
}

export interface ZipDirectory {
  readonly members: ZipMembers;
  /** Where the directory begins: members' bytes lie before it. */
  readonly offset: number;
}

const endLength = 22;
const locatorLength = 20;
const end64Length = 56;
const entryLength = 46;
/** The comment that may follow the end record has a 16-bit length. */
const longestTail = endLength + 65_535;
/** Held as it is: 1 KiB for each of the most members. */
const longestDirectory = 1 << 24;

/** The directory, or undefined for a file without an end record. LayoutError `zip/…` where its parts disagree. */
export async function readZipDirectory(reader: Reader, context: LayoutContext): Promise<ZipDirectory | undefined> {
  const end = await readEnd(reader, context);
  if (end === undefined) return undefined;
  const { entries, offset, size } = end;
  if (size > Math.min(longestDirectory, context.limits.headerBytes) || entries > size / entryLength) {
    throw new LayoutError('zip/bad-directory', `${entries} entries in ${size} bytes of directory`, end.recordOffset);
  }
  const most = Math.min(mostMembers, context.limits.tensors);
  if (entries > most) {
    throw new LayoutError('zip/too-many-members', `${entries} members, of at most ${most}`, offset);
  }
  if (offset + size > end.recordOffset) {
    throw new LayoutError('zip/bad-directory', `the directory at ${offset} + ${size} reaches past its end`, offset);
  }
  const bytes = await reader.read(offset, size, { signal: context.signal });
  return { members: membersIn(bytes, entries, offset), offset };
}

/** Checks each entry once. */
function membersIn(bytes: Uint8Array, entries: number, directoryOffset: number): ZipMembers {
  const starts = new Uint32Array(entries);
  let next = 0;
  for (let index = 0; index < entries; index += 1) {
    starts[index] = next;
    next = decodeEntry(bytes, next, directoryOffset).end;
  }
  const at = (index: number): ZipMember | undefined => {
    const start = starts[index];
    return start === undefined ? undefined : decodeEntry(bytes, start, directoryOffset).member;
  };
  return {
    length: entries,
    at,
    *[Symbol.iterator]() {
      for (const start of starts) yield decodeEntry(bytes, start, directoryOffset).member;
    },
  };
}

/** How many entries there are and where; read from the end of the file. */
interface EndRecord {
  readonly recordOffset: number;
  readonly entries: number;
  readonly size: number;
  readonly offset: number;
}

async function readEnd(reader: Reader, { signal }: LayoutContext): Promise<EndRecord | undefined> {
  const tailLength = Math.min(reader.size, longestTail + locatorLength);
  const tailOffset = reader.size - tailLength;
  const tail = viewOf(await reader.read(tailOffset, tailLength, { signal }));
  const at = findEnd(tail);
  if (at === undefined) return undefined;
  const recordOffset = tailOffset + at;
  const end = {
    recordOffset,
    entries: tail.getUint16(at + 10, true),
    size: tail.getUint32(at + 12, true),
    offset: tail.getUint32(at + 16, true),
  };
  const locatorAt = at - locatorLength;
  if (locatorAt < 0 || tail.getUint32(locatorAt, true) !== 0x07064b50) {
    const isSplit = tail.getUint16(at + 4, true) !== 0 || tail.getUint16(at + 6, true) !== 0;
    if (isSplit) throw new LayoutError('zip/split', 'the archive is one part of several', recordOffset);
    return end;
  }
  return readEnd64(reader, { end, offset: tail.getBigUint64(locatorAt + 8, true), signal });
}

/** The last end record whose comment reaches exactly to the end of the file. */
function findEnd(tail: DataView): number | undefined {
  for (let at = tail.byteLength - endLength; at >= 0; at -= 1) {
    if (tail.getUint32(at, true) !== 0x06054b50) continue;
    if (at + endLength + tail.getUint16(at + 20, true) === tail.byteLength) return at;
  }
  return undefined;
}

interface End64Place {
  readonly end: EndRecord;
  readonly offset: bigint;
  readonly signal: AbortSignal;
}

async function readEnd64(reader: Reader, { end, offset, signal }: End64Place): Promise<EndRecord> {
  const locatorOffset = end.recordOffset - locatorLength;
  if (offset + BigInt(end64Length) > BigInt(locatorOffset)) {
    throw new LayoutError(
      'zip/bad-directory',
      `a Zip64 end record at ${offset} reaches past its locator`,
      locatorOffset,
    );
  }
  const recordOffset = Number(offset);
  const record = viewOf(await reader.read(recordOffset, end64Length, { signal }));
  if (record.getUint32(0, true) !== 0x06064b50) {
    throw new LayoutError('zip/bad-directory', 'there is no Zip64 end record where its locator points', recordOffset);
  }
  const wide = {
    recordOffset,
    entries: sizeAt(record, 32, recordOffset),
    size: sizeAt(record, 40, recordOffset),
    offset: sizeAt(record, 48, recordOffset),
  };
  const agrees =
    (end.entries === 0xffff || end.entries === wide.entries) &&
    (end.size === 0xffffffff || end.size === wide.size) &&
    (end.offset === 0xffffffff || end.offset === wide.offset);
  if (!agrees) throw new LayoutError('zip/two-directories', 'the two end records disagree', end.recordOffset);
  return wide;
}

const decoder = new TextDecoder();

/** The entry at `start` of the directory's bytes, and where the next one begins. */
function decodeEntry(
  bytes: Uint8Array,
  start: number,
  directoryOffset: number,
): { readonly member: ZipMember; readonly end: number } {
  const entryOffset = directoryOffset + start;
  const cut = (): LayoutError =>
    new LayoutError('zip/bad-directory', 'the directory ends within one of its entries', entryOffset);
  if (start + entryLength > bytes.length) throw cut();
  const entry = new DataView(bytes.buffer, bytes.byteOffset + start, entryLength);
  if (entry.getUint32(0, true) !== 0x02014b50) {
    throw new LayoutError('zip/bad-directory', 'a directory entry does not begin as one', entryOffset);
  }
  const nameEnd = start + entryLength + entry.getUint16(28, true);
  const extraEnd = nameEnd + entry.getUint16(30, true);
  const end = extraEnd + entry.getUint16(32, true);
  if (end > bytes.length) throw cut();
  const name = decoder.decode(bytes.subarray(start + entryLength, nameEnd));

  const wide = wideFields(viewOf(bytes.subarray(nameEnd, extraEnd)), entryOffset);
  const size = widened(entry.getUint32(24, true), wide);
  const packedSize = widened(entry.getUint32(20, true), wide);
  const localOffset = widened(entry.getUint32(42, true), wide);
  if (localOffset + packedSize > directoryOffset) {
    throw new LayoutError(
      'zip/out-of-file',
      `member ${JSON.stringify(name.slice(0, 80))} reaches past its directory`,
      entryOffset,
    );
  }
  return {
    end,
    member: {
      name,
      entryOffset,
      localOffset,
      method: entry.getUint16(10, true),
      isEncrypted: (entry.getUint16(8, true) & 1) !== 0,
      crc32: entry.getUint32(16, true),
      packedSize,
      size,
    },
  };
}

/** The values of the Zip64 extra field (id 1), which stand in for those fields that are all ones, in their order. */
function* wideFields(extra: DataView, entryOffset: number): Generator<number, undefined> {
  for (let at = 0; at + 4 <= extra.byteLength;) {
    const id = extra.getUint16(at, true);
    const end = Math.min(at + 4 + extra.getUint16(at + 2, true), extra.byteLength);
    for (let field = at + 4; id === 1 && field + 8 <= end; field += 8) yield sizeAt(extra, field, entryOffset);
    if (id === 1) break;
    at = end;
  }
  return undefined;
}

function widened(field: number, wide: Iterator<number, undefined>): number {
  return field === 0xffffffff ? (wide.next().value ?? field) : field;
}

function sizeAt(view: DataView, at: number, where: number): number {
  const value = view.getBigUint64(at, true);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new LayoutError('zip/bad-directory', `a size or offset of ${value} is none`, where);
  }
  return Number(value);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
