/** One digest of a string or an array, whatever version and byte order it is written in. */

import { byteCursor, type PluginContext, type Reader } from '@mbk/plugin-sdk';
import type { GgufKeyValue } from './header.ts';
import { bytesOf, countBytes, type GgufEncoding, takeCount } from './values.ts';

/** 64 hexadecimal digits. Arrays of arrays are taken as they are written. */
export async function digestOf(
  reader: Reader,
  encoding: GgufEncoding,
  { array, valueLength, valueOffset }: GgufKeyValue,
  { kernels, signal }: Pick<PluginContext, 'kernels' | 'signal'>,
): Promise<string> {
  const hash = kernels.sha256();
  const cursor = byteCursor(reader, { format: 'gguf', signal, start: valueOffset, end: valueOffset + valueLength });
  const addPiece = async (length: number, width: number): Promise<void> => {
    for (let left = length; left > 0;) {
      await cursor.need(width);
      const whole = Math.min(cursor.peek().length, left);
      const piece = cursor.take(whole - (whole % width));
      hash.update(encoding.littleEndian || width === 1 ? piece : swapped(piece, width));
      left -= piece.length;
    }
  };
  const addString = async (): Promise<void> => {
    await cursor.need(countBytes(encoding));
    const length = Number(takeCount(cursor, encoding));
    hash.update(Buffer.from(`${length}:`));
    await addPiece(length, 1);
  };
  if (array === undefined) await addString();
  else {
    cursor.skip(array.elementsOffset - valueOffset);
    if (array.elementType === 'string') {
      for (let index = 0; index < array.count; index += 1) await addString();
    } else {
      const width = array.elementType === 'array' ? 1 : bytesOf(array.elementType);
      await addPiece(cursor.remaining(), width);
    }
  }
  return hash.digest();
}

/** A copy with each number of `width` bytes turned round. */
function swapped(bytes: Uint8Array, width: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  for (let at = 0; at < copy.length; at += width) copy.subarray(at, at + width).reverse();
  return copy;
}
