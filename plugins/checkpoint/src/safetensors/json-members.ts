/**
 * Splits a JSON object into its members without holding it: an object of any length passes through one window.
 * It finds where each key and value ends; whether the value is valid JSON is for its user to see.
 */

import { type ByteCursor, LayoutError } from '@mbk/plugin-sdk';

export interface JsonMember {
  readonly key: string;
  /** Of the key's opening quote, from the start of the file. */
  readonly offset: number;
  /** The bytes of the value; empty for one that was asked to be passed over. */
  readonly value: Uint8Array;
}

export interface JsonMemberBounds {
  /** Bytes of a key between its quotes. */
  readonly longestKey: number;
  /** Bytes of the value of this key that are kept; 0 passes over it, however long it is. */
  readonly longestValue: (key: string) => number;
}

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const backslash = 0x5c;
const open = 0x7b;
const close = 0x7d;

/** Yields the members of the object that fills the cursor's range, in order. LayoutError `safetensors/bad-json`. */
export async function* readJsonMembers(cursor: ByteCursor, bounds: JsonMemberBounds): AsyncGenerator<JsonMember> {
  await expectByte(cursor, open);
  let next = await nextByte(cursor);
  while (next !== close) {
    const offset = cursor.offset() - 1;
    if (next !== quote) throw badJson(offset, 'a key was expected');
    const key = await readKey(cursor, bounds.longestKey);
    await expectByte(cursor, colon);
    const value = await readValue(cursor, bounds.longestValue(key));
    yield { key, offset, value };
    next = await nextByte(cursor);
    if (next !== comma && next !== close) throw badJson(cursor.offset() - 1, 'a comma or the end was expected');
    if (next === comma) {
      next = await nextByte(cursor);
      if (next === close) throw badJson(cursor.offset() - 1, 'a comma stands before the end');
    }
  }
  while (cursor.remaining() > 0) {
    if (!isSpace(await takeByte(cursor))) throw badJson(cursor.offset() - 1, 'something follows the header');
  }
}

/** The string after an opening quote, unescaped. */
async function readKey(cursor: ByteCursor, longest: number): Promise<string> {
  const start = cursor.offset();
  const bytes = await readSpan(cursor, longest, stringEnd());
  cursor.skip(1);
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    const key: unknown = JSON.parse(`"${text}"`);
    if (typeof key === 'string') return key;
  } catch (cause) {
    if (!(cause instanceof SyntaxError) && !(cause instanceof TypeError)) throw cause;
  }
  throw badJson(start, 'a key is no valid string');
}

/** A value up to the comma or bracket that ends it, which stays unread. */
async function readValue(cursor: ByteCursor, longest: number): Promise<Uint8Array> {
  return readSpan(cursor, longest, valueEnd());
}

/** Takes bytes until `isEnd` holds for one, which stays unread; keeps at most `longest` or, with 0, none. */
async function readSpan(cursor: ByteCursor, longest: number, isEnd: (byte: number) => boolean): Promise<Uint8Array> {
  const start = cursor.offset();
  const pieces: Uint8Array[] = [];
  let kept = 0;
  for (;;) {
    await needByte(cursor);
    const window = cursor.peek();
    let length = 0;
    while (length < window.length && !isEnd(window[length] ?? 0)) length += 1;
    const hasEnded = length < window.length;
    kept += longest > 0 ? length : 0;
    if (kept > longest) throw badJson(start, `a key or an entry is longer than ${longest} bytes`);
    const piece = cursor.take(length);
    if (longest > 0) pieces.push(piece);
    if (hasEnded) return pieces.length === 1 ? piece : Buffer.concat(pieces);
  }
}

/** Recognises the quote that closes a string. */
function stringEnd(): (byte: number) => boolean {
  let isEscaped = false;
  return (byte) => {
    const ends = byte === quote && !isEscaped;
    isEscaped = byte === backslash && !isEscaped;
    return ends;
  };
}

/** Recognises the byte after a value: a comma or closing bracket outside strings and inner brackets. */
function valueEnd(): (byte: number) => boolean {
  let depth = 0;
  let endsString: ((byte: number) => boolean) | undefined;
  return (byte) => {
    if (endsString !== undefined) {
      if (endsString(byte)) endsString = undefined;
      return false;
    }
    if (byte === quote) endsString = stringEnd();
    else if (byte === open || byte === 0x5b) depth += 1;
    else if (byte === close || byte === 0x5d) {
      if (depth === 0) return true;
      depth -= 1;
    } else if (byte === comma) return depth === 0;
    return false;
  };
}

async function expectByte(cursor: ByteCursor, expected: number): Promise<void> {
  if ((await nextByte(cursor)) !== expected) {
    throw badJson(cursor.offset() - 1, `${JSON.stringify(String.fromCharCode(expected))} was expected`);
  }
}

async function nextByte(cursor: ByteCursor): Promise<number> {
  for (;;) {
    const byte = await takeByte(cursor);
    if (!isSpace(byte)) return byte;
  }
}

async function takeByte(cursor: ByteCursor): Promise<number> {
  await needByte(cursor);
  return cursor.u8();
}

async function needByte(cursor: ByteCursor): Promise<void> {
  if (cursor.has(1)) return;
  if (cursor.remaining() === 0) throw badJson(cursor.offset(), 'the header ends early');
  await cursor.need(1);
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}

function badJson(offset: number, message: string): LayoutError {
  return new LayoutError('safetensors/bad-json', message, offset);
}
