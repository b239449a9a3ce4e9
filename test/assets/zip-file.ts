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

export function zipFile(members: readonly ZipFileMember[], options: ZipFileOptions = {}): Uint8Array {
  const { alignment = 64, isZip64 = false } = options;
  const file = byteWriter();
  const directory = byteWriter();
  for (const { data, isDeflated = false, localName, name } of members) {
    const start = file.length();
    const packed = isDeflated ? new Uint8Array(deflateRawSync(data)) : data;
    const method = isDeflated ? 8 : 0;
    const checksum = crc32(data);
    const fixed = 30 + Buffer.byteLength(localName ?? name) + 4;
    const padding = (alignment - ((start + fixed) % alignment)) % alignment;
    // Flag 8: sizes follow the bytes; flag 11: names are UTF-8.
    file.uint(0x04034b50, 4).uint(0, 2).uint(0x0808, 2).uint(method, 2).uint(0, 4).uint(0, 4).uint(0, 4).uint(0, 4);
    file.uint(Buffer.byteLength(localName ?? name), 2).uint(4 + padding, 2);
    file
      .bytes(localName ?? name, 'FB')
      .uint(padding, 2)
      .bytes('Z'.repeat(padding), packed);
    file.uint(0x08074b50, 4).uint(checksum, 4).uint(packed.length, 4).uint(data.length, 4);

    const wide = isZip64 ? 0xffffffff : undefined;
    directory.uint(0x02014b50, 4).uint(0, 2).uint(0, 2).uint(0x0808, 2).uint(method, 2).uint(0, 4).uint(checksum, 4);
    directory.uint(wide ?? packed.length, 4).uint(wide ?? data.length, 4);
    directory
      .uint(Buffer.byteLength(name), 2)
      .uint(isZip64 ? 28 : 0, 2)
      .uint(0, 2)
      .uint(0, 2)
      .uint(0, 2)
      .uint(0, 4);
    directory.uint(wide ?? start, 4).bytes(name);
    if (isZip64) directory.uint(1, 2).uint(24, 2).uint(data.length, 8).uint(packed.length, 8).uint(start, 8);
  }
  const offset = file.length();
  file.bytes(directory.finish());
  const size = file.length() - offset;
  if (isZip64) {
    const end64 = file.length();
    file.uint(0x06064b50, 4).uint(44, 8).uint(45, 2).uint(45, 2).uint(0, 4).uint(0, 4);
    file.uint(members.length, 8).uint(members.length, 8).uint(size, 8).uint(offset, 8);
    file.uint(0x07064b50, 4).uint(0, 4).uint(end64, 8).uint(1, 4);
  }
  const count = isZip64 ? 0xffff : members.length;
  file.uint(0x06054b50, 4).uint(0, 4).uint(count, 2).uint(count, 2);
  file
    .uint(isZip64 ? 0xffffffff : size, 4)
    .uint(isZip64 ? 0xffffffff : offset, 4)
    .uint(0, 2);
  return file.finish();
}
