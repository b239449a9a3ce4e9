/** Writes zip files as PyTorch does: members at multiples of 64 through an `FB` extra field, sizes in a descriptor. */

import { crc32, deflateRawSync } from 'node:zlib';
import { byteWriter } from './byte-writer.ts';

export interface ZipFileMember {
  readonly name: string;
  readonly data: Uint8Array;
  readonly isDeflated?: boolean;
  /** In place of the name in the member's own header. */
  readonly localName?: string;
}

export interface ZipFileOptions {
  /** End records and directory fields in their 64-bit forms too, as for files above 4 GiB. */
  readonly isZip64?: boolean;
  /** Multiple that the bytes of members begin at; 64 unless given. */
  readonly alignment?: number;
}

/** A member that was written, as the directory tells it. */
export interface ZipMemberFacts {
  readonly name: string;
  /** 0 stored, 8 deflated. */
  readonly method: 0 | 8;
  /** Where its head begins. */
  readonly start: number;
  readonly checksum: number;
  readonly packedLength: number;
  readonly length: number;
}

export function zipFile(members: readonly ZipFileMember[], options: ZipFileOptions = {}): Uint8Array {
  const file = byteWriter();
  const written: ZipMemberFacts[] = [];
  for (const { data, isDeflated = false, localName, name } of members) {
    const packed = isDeflated ? new Uint8Array(deflateRawSync(data)) : data;
    const facts: ZipMemberFacts = {
      name,
      method: isDeflated ? 8 : 0,
      start: file.length(),
      checksum: crc32(data),
      packedLength: packed.length,
      length: data.length,
    };
    file.bytes(zipMemberHead({ ...facts, name: localName ?? name }, options), packed, zipMemberEnd(facts));
    written.push(facts);
  }
  return file.bytes(zipDirectory(written, file.length(), options)).finish();
}

/** What stands before the bytes of a member. */
export function zipMemberHead(
  { method, name, start }: Pick<ZipMemberFacts, 'method' | 'name' | 'start'>,
  { alignment = 64 }: ZipFileOptions = {},
): Uint8Array {
  const nameLength = Buffer.byteLength(name);
  const padding = (alignment - ((start + 30 + nameLength + 4) % alignment)) % alignment;
  // Flag 8: sizes follow the bytes; flag 11: names are UTF-8.
  return byteWriter()
    .uint(0x04034b50, 4)
    .uint(0, 2)
    .uint(0x0808, 2)
    .uint(method, 2)
    .bytes(new Uint8Array(16))
    .uint(nameLength, 2)
    .uint(4 + padding, 2)
    .bytes(name, 'FB')
    .uint(padding, 2)
    .bytes('Z'.repeat(padding))
    .finish();
}

/** What stands behind them: checksum and sizes. */
export function zipMemberEnd({
  checksum,
  length,
  packedLength,
}: Pick<ZipMemberFacts, 'checksum' | 'length' | 'packedLength'>): Uint8Array {
  return byteWriter().uint(0x08074b50, 4).uint(checksum, 4).uint(packedLength, 4).uint(length, 4).finish();
}

/** The directory and the end records, for members that end at `offset`. */
export function zipDirectory(
  members: readonly ZipMemberFacts[],
  offset: number,
  { isZip64 = false }: ZipFileOptions = {},
): Uint8Array {
  const file = byteWriter();
  const wide = isZip64 ? 0xffffffff : undefined;
  for (const { checksum, length, method, name, packedLength, start } of members) {
    file.uint(0x02014b50, 4).uint(0, 2).uint(0, 2).uint(0x0808, 2).uint(method, 2).uint(0, 4).uint(checksum, 4);
    file.uint(wide ?? packedLength, 4).uint(wide ?? length, 4);
    file
      .uint(Buffer.byteLength(name), 2)
      .uint(isZip64 ? 28 : 0, 2)
      .uint(0, 2)
      .uint(0, 2)
      .uint(0, 2)
      .uint(0, 4);
    file.uint(wide ?? start, 4).bytes(name);
    if (isZip64) file.uint(1, 2).uint(24, 2).uint(length, 8).uint(packedLength, 8).uint(start, 8);
  }
  const size = file.length();
  if (isZip64) {
    const end64 = offset + size;
    file.uint(0x06064b50, 4).uint(44, 8).uint(45, 2).uint(45, 2).uint(0, 4).uint(0, 4);
    file.uint(members.length, 8).uint(members.length, 8).uint(size, 8).uint(offset, 8);
    file.uint(0x07064b50, 4).uint(0, 4).uint(end64, 8).uint(1, 4);
  }
  const count = isZip64 ? 0xffff : members.length;
  file.uint(0x06054b50, 4).uint(0, 4).uint(count, 2).uint(count, 2);
  file
    .uint(wide ?? size, 4)
    .uint(wide ?? offset, 4)
    .uint(0, 2);
  return file.finish();
}
