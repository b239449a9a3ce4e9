/** Fields of a Protocol Buffers message, one by one; what is not asked for is passed over unread. */

import { type ByteCursor, byteCursor, LayoutError, type Reader } from '@mbk/plugin-sdk';

export interface Field {
  readonly number: number;
  /** 0 varint, 1 eight bytes, 2 bytes with a length, 5 four bytes. */
  readonly wire: number;
  /** Of the field's payload. */
  readonly start: number;
  readonly end: number;
  /** Of a varint. */
  readonly value: bigint;
}

/** The fields from `start` to `end`. LayoutError `onnx/bad-protobuf`. */
export async function* fieldsOf(
  reader: Reader,
  start: number,
  end: number,
  signal: AbortSignal,
): AsyncGenerator<Field> {
  const cursor = byteCursor(reader, { format: 'onnx', signal, start, end });
  while (cursor.remaining() > 0) {
    const at = cursor.offset();
    const tag = await varint(cursor);
    const number = Number(tag >> 3n);
    const wire = Number(tag & 7n);
    if (number === 0 || tag > 0xffffffffn) throw bad('a field has no number', at);
    if (wire === 0) {
      const from = cursor.offset();
      const value = await varint(cursor);
      yield { number, wire, start: from, end: cursor.offset(), value };
      continue;
    }
    const length = wire === 1 ? 8n : wire === 5 ? 4n : wire === 2 ? await varint(cursor) : undefined;
    if (length === undefined) throw bad(`a field has the wire type ${wire}`, at);
    if (length > BigInt(cursor.remaining())) throw bad('a field reaches past the end of its message', at);
    const from = cursor.offset();
    cursor.skip(length);
    yield { number, wire, start: from, end: cursor.offset(), value: 0n };
  }
}

async function varint(cursor: ByteCursor): Promise<bigint> {
  let value = 0n;
  for (let shift = 0n; shift < 70n; shift += 7n) {
    if (!cursor.has(1)) {
      if (cursor.remaining() === 0) throw bad('a number does not end', cursor.offset());
      await cursor.need(1);
    }
    const byte = cursor.u8();
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return BigInt.asUintN(64, value);
  }
  throw bad('a number is longer than ten bytes', cursor.offset());
}

/** A short text; longer ones are cut. */
export async function textOf(reader: Reader, { end, start }: Field, signal: AbortSignal, most = 1024): Promise<string> {
  return new TextDecoder().decode(await reader.read(start, Math.min(end - start, most), { signal }));
}

/** Numbers of a repeated field, packed or one by one. */
export async function varintsOf(reader: Reader, field: Field, signal: AbortSignal): Promise<readonly bigint[]> {
  if (field.wire === 0) return [field.value];
  if (field.wire !== 2 || field.end - field.start > 1024) throw bad('a list of numbers is none', field.start);
  const cursor = byteCursor(reader, { format: 'onnx', signal, start: field.start, end: field.end });
  const values: bigint[] = [];
  while (cursor.remaining() > 0) values.push(await varint(cursor));
  return values;
}

function bad(message: string, offset: number): LayoutError {
  return new LayoutError('onnx/bad-protobuf', message, offset);
}
