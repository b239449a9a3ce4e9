/** Stored bytes that are read one part after the other. */
import { MbkError } from '../../errors.ts';

export interface Cursor {
  readonly bytes: Uint8Array;
  position: number;
  /** Names them in messages. */
  readonly what: string;
}

/** The next `length` bytes. Errors: `value-invalid` when there are not so many. */
export function takeBytes(cursor: Cursor, length: number): Uint8Array {
  const { bytes, position } = cursor;
  const missing = position + length - bytes.length;
  if (missing > 0) throw malformedDelta(cursor, `it ends ${missing} bytes early`);
  cursor.position = position + length;
  return bytes.subarray(position, position + length);
}

export function malformedDelta({ what }: Pick<Cursor, 'what'>, why: string): MbkError {
  return new MbkError('value-invalid', `${what} is no delta frame: ${why}`);
}
