/**
 * Where the bytes of a stored member lie: only its local header tells, and it must say what the directory says.
 *
 * | local header | offset, size: meaning |
 * |---|---|
 * | | 0,4 `PK 3 4` · 6,2 flags · 8,2 method · 18,4 packed · 22,4 size · 26,2 name · 28,2 extra |
 */

import { type LayoutContext, LayoutError, type Reader } from '@mbk/plugin-sdk';
import type { ZipDirectory, ZipMember } from './directory.ts';

const headerLength = 30;

/** Whether a member's bytes stand in the file as they are. */
export function isStored({ isEncrypted, method, packedSize, size }: ZipMember): boolean {
  return method === 0 && !isEncrypted && packedSize === size;
}

/** The offset of a stored member's first byte. LayoutError `zip/header-disagrees` or `zip/out-of-file`. */
export async function offsetOfStored(
  reader: Reader,
  member: ZipMember,
  { directory, context }: { readonly directory: ZipDirectory; readonly context: LayoutContext },
): Promise<number> {
  const { localOffset, name, size } = member;
  const expectedLength = Buffer.byteLength(name);
  const length = headerLength + expectedLength;
  if (localOffset + length > directory.offset) throw outOfFile(member);
  const bytes = await reader.read(localOffset, length, { signal: context.signal });
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const nameLength = header.getUint16(26, true);
  const agrees =
    header.getUint32(0, true) === 0x04034b50 &&
    header.getUint16(8, true) === 0 &&
    (header.getUint16(6, true) & 1) === 0 &&
    nameLength === expectedLength &&
    isText(bytes, headerLength, name) &&
    sizeAgrees(header, size);
  if (!agrees) {
    throw new LayoutError(
      'zip/header-disagrees',
      `member ${JSON.stringify(name.slice(0, 80))}: its own header differs from the directory`,
      localOffset,
    );
  }
  const offset = localOffset + length + header.getUint16(28, true);
  if (offset + size > directory.offset) throw outOfFile(member);
  return offset;
}

/** Whether the bytes at `start` are that text; nothing is made for it, since an archive has tens of thousands of names. */
function isText(bytes: Uint8Array, start: number, text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code > 0x7f) return Buffer.from(text).equals(bytes.subarray(start, start + Buffer.byteLength(text)));
    if (bytes[start + at] !== code) return false;
  }
  return true;
}

/** Flag 8 puts the sizes behind the member, all ones put them into the Zip64 field; else they stand here. */
function sizeAgrees(header: DataView, size: number): boolean {
  const isBehind = (header.getUint16(6, true) & 8) !== 0;
  return [18, 22].every((at) => {
    const field = header.getUint32(at, true);
    return field === size || field === 0xffffffff || (isBehind && field === 0);
  });
}

function outOfFile({ entryOffset, name }: ZipMember): LayoutError {
  return new LayoutError(
    'zip/out-of-file',
    `member ${JSON.stringify(name.slice(0, 80))} reaches past the members' part of the file`,
    entryOffset,
  );
}
