/** Puts a file together from numbers and bytes. */

export interface ByteWriter {
  /** Bytes so far. */
  length(): number;
  bytes(...pieces: readonly (Uint8Array | readonly number[] | string)[]): ByteWriter;
  /** An unsigned number of that many bytes. */
  uint(value: number | bigint, width: 1 | 2 | 4 | 8): ByteWriter;
  /** Zeros up to a multiple. */
  align(multiple: number): ByteWriter;
  finish(): Uint8Array;
}

export function byteWriter(byteOrder: 'little' | 'big' = 'little'): ByteWriter {
  const pieces: Uint8Array[] = [];
  let length = 0;
  const writer: ByteWriter = {
    length: () => length,
    bytes(...added) {
      for (const piece of added) {
        const bytes = typeof piece === 'string' ? new TextEncoder().encode(piece) : Uint8Array.from(piece);
        pieces.push(bytes);
        length += bytes.length;
      }
      return writer;
    },
    uint(value, width) {
      const bytes = new Uint8Array(8);
      new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, BigInt(value)), byteOrder === 'little');
      return writer.bytes(byteOrder === 'little' ? bytes.subarray(0, width) : bytes.subarray(8 - width));
    },
    align: (multiple) => writer.bytes(new Uint8Array((multiple - (length % multiple)) % multiple)),
    finish: () => new Uint8Array(Buffer.concat(pieces)),
  };
  return writer;
}
