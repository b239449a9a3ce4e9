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

const headerLength = 30;

/** The members whose bytes can be found. */
export async function checkMembers(
  reader: Reader,
  directory: ZipDirectory,
  problems: Problems,
  { signal }: Pick<ReaderContext, 'signal'>,
): Promise<readonly PlacedMember[]> {
  const names = new Set<string>();
  const placed: (PlacedMember & { readonly hasDescriptor: boolean })[] = [];
  for (const member of directory.members) {
    checkEntry(member, names, problems);
    const found = await placeOf(reader, member, { directory, problems, signal });
    if (found !== undefined) placed.push(found);
  }
  let end = 0;
  for (const { hasDescriptor, length, member, offset } of placed.toSorted(byPlace)) {
    const gap = member.localOffset - end;
    if (gap < 0) {
      problems.report('zip/overlap', `member ${quoted(member.name)} overlaps another one`, {
        offset: member.localOffset,
      });
    } else tellGap(gap, end, problems);
    end = Math.max(
      end,
      offset + length + (hasDescriptor ? await descriptorLength(reader, offset + length, signal) : 0),
    );
  }
  if (placed.length === directory.members.length) tellGap(directory.offset - end, end, problems);
  return placed;
}

function byPlace(a: PlacedMember, b: PlacedMember): number {
  return a.member.localOffset - b.member.localOffset;
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
): Promise<(PlacedMember & { readonly hasDescriptor: boolean }) | undefined> {
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
  return { member, offset, length: packedSize, hasDescriptor: isBehind };
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
