/** The bytes of a member, to be looked at: where they stand, or unpacked as far as memory allows. */

import { crc32, inflateRawSync } from 'node:zlib';
import type { Reader } from '@mbk/plugin-sdk';
import { type Problems, quoted } from '../codes.ts';
import { bytesReader, sliceReader } from '../slice-reader.ts';
import type { PlacedMember } from './check-members.ts';

const mostPacked = 1 << 23;
/** Of one unpacked member; pickles of real checkpoints stay below. */
const mostUnpacked = 1 << 24;
/** A deflated stream cannot grow by more than 1032; text and pickles grow by tens. */
const bombRatio = 500;

export interface OpenMember {
  readonly reader: Reader;
  /** Of its first byte in the file; undefined for one that was unpacked. */
  readonly offset: number | undefined;
}

/** Undefined for a member that cannot be unpacked; `problems` say why. */
export async function openMember(
  reader: Reader,
  { length, member, offset }: PlacedMember,
  problems: Problems,
  signal: AbortSignal,
): Promise<OpenMember | undefined> {
  const { entryOffset, name, size } = member;
  if (member.method === 0) return { reader: sliceReader(reader, offset, length), offset };
  if (member.method !== 8) return undefined;
  if (length > mostPacked || size > mostUnpacked) {
    const isBomb = size > length * bombRatio;
    problems.report(isBomb ? 'zip/bomb' : 'pickle/too-long', `member ${quoted(name)} unpacks to ${size} bytes`, {
      offset: entryOffset,
    });
    return undefined;
  }
  const packed = await reader.read(offset, length, { signal });
  try {
    const bytes = inflateRawSync(packed, { maxOutputLength: mostUnpacked });
    if (bytes.length !== size) {
      problems.report('zip/bad-deflate', `member ${quoted(name)} unpacks to ${bytes.length} bytes, not ${size}`, {
        offset,
      });
    }
    return { reader: bytesReader(reader, bytes), offset: undefined };
  } catch {
    problems.report('zip/bad-deflate', `member ${quoted(name)} cannot be unpacked`, { offset });
    return undefined;
  }
}

/** Tells of a member whose bytes are not those that its checksum was made of. */
export async function checkCrc(
  { offset, reader }: OpenMember,
  { member }: PlacedMember,
  problems: Problems,
  signal: AbortSignal,
): Promise<void> {
  if (reader.size > mostUnpacked) return;
  const found = crc32(await reader.read(0, reader.size, { signal }));
  if (found === member.crc32) return;
  problems.report('zip/wrong-crc', `member ${quoted(member.name)} does not match its checksum`, {
    offset: offset ?? member.entryOffset,
  });
}
