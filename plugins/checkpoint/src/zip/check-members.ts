/**
 * Holds each member's own header against the directory. Readers differ in whom they believe (PyTorch's and Python's
 * believe the directory, streaming ones the headers), so a file in which the two disagree means different things to
 * different readers, and a scanner that believes one of them can be made to look at the wrong bytes.
 */

import type { Reader, ReaderContext } from '@mbk/plugin-sdk';
import { type Problems, quoted } from '../codes.ts';
import type { ZipDirectory, ZipMember } from './directory.ts';

/** Where the bytes of a member are. */
export interface PlacedMember {
  readonly member: ZipMember;
  readonly offset: number;
  /** Of its bytes as they are stored. */
  readonly length: number;
}

/** Those whose bytes can be found, in the order of the directory; each is made when it is asked for. */
export interface PlacedMembers extends Iterable<PlacedMember> {
  /** Of the directory's member of this number; undefined for one without a place. */
  offset(index: number): number | undefined;
}

const headerLength = 30;

/** Tells of every member that breaks a rule, and where the others lie. */
export async function checkMembers(
  reader: Reader,
  directory: ZipDirectory,
  problems: Problems,
  { signal }: Pick<ReaderContext, 'signal'>,
): Promise<PlacedMembers> {
  const { members } = directory;
  /** Of the bytes; -1 where there are none. */
  const offsets = new Float64Array(members.length).fill(-1);
  const starts = new Float64Array(members.length);
  const ends = new Float64Array(members.length);
  const hasDescriptor = new Uint8Array(members.length);
  const names = new Set<string>();
  let index = 0;
  for (const member of members) {
    checkEntry(member, names, problems);
    const found = await placeOf(reader, member, { directory, problems, signal });
    if (found !== undefined) {
      offsets[index] = found.offset;
      starts[index] = member.localOffset;
      ends[index] = found.offset + member.packedSize;
      hasDescriptor[index] = found.hasDescriptor ? 1 : 0;
    }
    index += 1;
  }
  names.clear();
  const order = Uint32Array.from(offsets.keys()).filter((at) => (offsets[at] ?? -1) >= 0);
  order.sort((a, b) => (starts[a] ?? 0) - (starts[b] ?? 0) || a - b);
  let end = 0;
  for (const at of order) {
    const [start = 0, own = 0] = [starts[at], ends[at]];
    if (start < end) {
      const name = members.at(at)?.name ?? '';
      problems.report('zip/overlap', `member ${quoted(name)} overlaps another one`, { offset: start });
    } else tellGap(start - end, end, problems);
    end = Math.max(end, own + (hasDescriptor[at] === 1 ? await descriptorLength(reader, own, signal) : 0));
  }
  if (order.length === members.length) tellGap(directory.offset - end, end, problems);
  return {
    offset(at) {
      const offset = offsets[at] ?? -1;
      return offset < 0 ? undefined : offset;
    },
    *[Symbol.iterator]() {
      for (const [at, offset] of offsets.entries()) {
        const member = offset < 0 ? undefined : members.at(at);
        if (member !== undefined) yield { member, offset, length: member.packedSize };
      }
    },
  };
}

function tellGap(gap: number, offset: number, problems: Problems): void {
  if (gap <= 0) return;
  problems.report('zip/hidden-bytes', `${gap} bytes between the members belong to none of them`, { offset });
}

function checkEntry(
  { entryOffset: offset, isEncrypted, method, name }: ZipMember,
  names: Set<string>,
  problems: Problems,
): void {
  const shown = `member ${quoted(name)}`;
  if (names.has(name)) problems.report('zip/duplicate-member', `${shown} is there twice`, { offset });
  names.add(name);
  const parts = name.split(/[/\\]/);
  if (parts.includes('..') || /^[/\\]|^[a-z]:|\0/i.test(name)) {
    problems.report('zip/unsafe-name', `${shown} would be unpacked outside of its folder`, { offset });
  }
  if (isEncrypted) problems.report('zip/encrypted', `${shown} is marked as encrypted`, { offset });
  if (method !== 0 && method !== 8) {
    problems.report('zip/unknown-method', `${shown} is packed by method ${method}, which no loader of weights knows`, {
      offset,
    });
  }
}

interface Place {
  readonly directory: ZipDirectory;
  readonly problems: Problems;
  readonly signal: AbortSignal;
}

async function placeOf(
  reader: Reader,
  member: ZipMember,
  { directory, problems, signal }: Place,
): Promise<{ readonly offset: number; readonly hasDescriptor: boolean } | undefined> {
  const { localOffset, method, name, packedSize, size } = member;
  const disagrees = (what: string): void =>
    problems.report(
      'zip/header-disagrees',
      `member ${quoted(name)}: ${what} in its own header and in the directory differ`,
      {
        offset: localOffset,
      },
    );
  const outOfFile = (): undefined => {
    problems.report('zip/out-of-file', `member ${quoted(name)} reaches past the members' part of the file`, {
      offset: member.entryOffset,
    });
    return undefined;
  };
  if (localOffset + headerLength > directory.offset) return outOfFile();
  const available = directory.offset - localOffset;
  const bytes = await reader.read(localOffset, Math.min(headerLength + Buffer.byteLength(name), available), { signal });
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (header.getUint32(0, true) !== 0x04034b50) {
    disagrees('the signature');
    return undefined;
  }
  const flags = header.getUint16(6, true);
  const nameLength = header.getUint16(26, true);
  const own = new TextDecoder().decode(bytes.subarray(headerLength, headerLength + nameLength));
  if (nameLength > bytes.length - headerLength || own !== name) disagrees('the name');
  if (header.getUint16(8, true) !== method) disagrees('the method');
  if (((flags & 1) !== 0) !== member.isEncrypted) disagrees('the mark of encryption');
  const isBehind = (flags & 8) !== 0;
  const differs = (field: number, value: number): boolean =>
    field !== value && field !== 0xffffffff && !(isBehind && field === 0);
  if (differs(header.getUint32(18, true), packedSize) || differs(header.getUint32(22, true), size))
    disagrees('the size');
  const checksum = header.getUint32(14, true);
  if (checksum !== member.crc32 && !(isBehind && checksum === 0)) disagrees('the checksum');
  if (method === 0 && packedSize !== size) disagrees('the size of stored bytes');
  const offset = localOffset + headerLength + nameLength + header.getUint16(28, true);
  if (offset + packedSize > directory.offset) return outOfFile();
  return { offset, hasDescriptor: isBehind };
}

/** With a signature or without, with sizes of four bytes or of eight; 0 where none of them fits. */
async function descriptorLength(reader: Reader, at: number, signal: AbortSignal): Promise<number> {
  const bytes = await reader.read(at, Math.min(28, reader.size - at), { signal });
  for (const length of [16, 24, 12, 20]) {
    if (length + 4 > bytes.length || bytes[length] !== 0x50 || bytes[length + 1] !== 0x4b) continue;
    const isSigned = bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 7 && bytes[3] === 8;
    if (isSigned === (length === 16 || length === 24)) return length;
  }
  return 0;
}
