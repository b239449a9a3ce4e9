/**
 * Reads one JSON text without making values of it: whether it is JSON, where it stops being so, and what its members
 * are. Costs no memory, whatever is in it. RFC 8259; at most 500 levels deep.
 */

import { type TypeName } from './columns.ts';

export type JsonScan =
  | { readonly ok: true; readonly type: TypeName }
  | {
      readonly ok: false;
      /** Of the first byte that is to blame, in the bytes. */
      readonly at: number;
      readonly reason: string;
      /** Whether more bytes could have made it JSON. */
      readonly isCut: boolean;
    };

/** A member of the outermost object; positions of key (without quotes) and value (with) in the bytes. */
export type OnMember = (keyStart: number, keyEnd: number, type: TypeName, valueStart: number, valueEnd: number) => void;

const deepest = 500;
/** For each level: whether it is an object. One scan at a time, so it is shared. */
const isObject = new Uint8Array(deepest + 1);

class Stop extends Error {
  readonly at: number;
  readonly isCut: boolean;
  constructor(at: number, reason: string, isCut: boolean) {
    super(reason);
    this.at = at;
    this.isCut = isCut;
  }
}

export function scanJson(bytes: Uint8Array, onMember?: OnMember): JsonScan {
  try {
    return { ok: true, type: walk(bytes, onMember) };
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    return { ok: false, at: error.at, reason: error.message, isCut: error.isCut };
  }
}

type State = 'value' | 'value-or-close' | 'key' | 'key-or-close' | 'after';

function walk(bytes: Uint8Array, onMember: OnMember | undefined): TypeName {
  let depth = 0;
  let at = 0;
  let state = 'value' as State;
  let outer: TypeName = 'null';
  let member: TypeName = 'null';
  let keyStart = 0;
  let keyEnd = 0;
  let valueStart = 0;

  // No closure may change these: numbers that one captures are slow.
  for (;;) {
    at = skipSpace(bytes, at);
    const byte = bytes[at];
    const closing = isObject[depth] === 1 ? 0x7d : 0x5d;
    if (state === 'after' && depth === 0) {
      if (at < bytes.length) throw new Stop(at, 'something follows the value', false);
      return outer;
    }
    if (byte === undefined) throw new Stop(at, 'it ends too early', true);
    if (depth > 0 && byte === closing && state !== 'value' && state !== 'key') {
      depth -= 1;
      at += 1;
      if (depth === 1 && isObject[1] === 1) onMember?.(keyStart, keyEnd, member, valueStart, at);
      state = 'after';
    } else if (state === 'after') {
      if (byte !== 0x2c) throw new Stop(at, `expected a comma or ${String.fromCharCode(closing)}`, false);
      at += 1;
      state = closing === 0x7d ? 'key' : 'value';
    } else if (state === 'key' || state === 'key-or-close') {
      if (byte !== 0x22) throw new Stop(at, 'expected a key in double quotes', false);
      const start = at + 1;
      at = stringEnd(bytes, at);
      if (depth === 1) {
        keyStart = start;
        keyEnd = at - 1;
      }
      at = skipSpace(bytes, at);
      if (bytes[at] !== 0x3a) throw new Stop(at, 'expected a colon', at >= bytes.length);
      at += 1;
      state = 'value';
    } else {
      const start = at;
      let type: TypeName;
      if (byte === 0x7b || byte === 0x5b) {
        type = byte === 0x7b ? 'object' : 'array';
        depth += 1;
        if (depth > deepest) throw new Stop(at, `nested more than ${deepest} deep`, false);
        isObject[depth] = byte === 0x7b ? 1 : 0;
        at += 1;
        state = byte === 0x7b ? 'key-or-close' : 'value-or-close';
        if (depth === 2) {
          valueStart = start;
          member = type;
        }
      } else {
        if (byte === 0x22) {
          type = 'string';
          at = stringEnd(bytes, at);
        } else if (byte === 0x2d || isDigit(byte)) {
          at = numberEnd(bytes, at);
          type = isWhole(bytes, start, at) ? 'integer' : 'number';
        } else {
          type = byte === 0x6e ? 'null' : 'boolean';
          at = wordEnd(bytes, at);
        }
        if (depth === 1) {
          valueStart = start;
          member = type;
        }
        if (depth === 0) outer = type;
        if (depth === 1 && isObject[1] === 1) onMember?.(keyStart, keyEnd, member, valueStart, at);
        state = 'after';
        continue;
      }
      if (depth === 1) outer = type;
    }
  }
}

function skipSpace(bytes: Uint8Array, start: number): number {
  let at = start;
  for (;;) {
    const byte = bytes[at];
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return at;
    at += 1;
  }
}

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39;

/** One past the closing quote. */
function stringEnd(bytes: Uint8Array, start: number): number {
  const { length } = bytes;
  let at = start + 1;
  while (at < length) {
    const byte = bytes[at] ?? 0;
    if (byte === 0x22) return at + 1;
    if (byte < 0x20) throw new Stop(at, 'a control character in a string', false);
    at += byte === 0x5c ? escapeLength(bytes, at) : 1;
  }
  throw new Stop(at, 'a string does not end', true);
}

function escapeLength(bytes: Uint8Array, at: number): number {
  const byte = bytes[at + 1];
  if (byte === undefined) throw new Stop(at + 1, 'a string does not end', true);
  if (byte === 0x75) {
    for (let digit = at + 2; digit < at + 6; digit += 1) {
      const code = bytes[digit];
      if (code === undefined) throw new Stop(digit, 'a string does not end', true);
      const letter = code | 0x20;
      if (!isDigit(code) && (letter < 0x61 || letter > 0x66)) throw new Stop(at, 'an escape that is none', false);
    }
    return 6;
  }
  if (!escapes.has(byte)) throw new Stop(at, 'an escape that is none', false);
  return 2;
}

const escapes = new Set(new TextEncoder().encode('"\\/bfnrt'));

function numberEnd(bytes: Uint8Array, start: number): number {
  let at = start;
  const digits = (): void => {
    if (!isDigit(bytes[at])) {
      if (bytes[at] === 0x49) throw new Stop(start, '-Infinity is no number of JSON', false);
      throw new Stop(at, 'expected a digit', at >= bytes.length);
    }
    while (isDigit(bytes[at])) at += 1;
  };
  if (bytes[at] === 0x2d) at += 1;
  if (bytes[at] === 0x30) at += 1;
  else digits();
  if (bytes[at] === 0x2e) {
    at += 1;
    digits();
  }
  if (((bytes[at] ?? 0) | 0x20) === 0x65) {
    at += 1;
    if (bytes[at] === 0x2b || bytes[at] === 0x2d) at += 1;
    digits();
  }
  return at;
}

function isWhole(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === 0x2e || (byte | 0x20) === 0x65) return false;
  }
  return true;
}

const words = ['null', 'true', 'false'].map((word) => new TextEncoder().encode(word));
const strangers = ['NaN', 'Infinity', 'None', 'True', 'False'];

function wordEnd(bytes: Uint8Array, start: number): number {
  for (const word of words) {
    let length = 0;
    while (length < word.length && bytes[start + length] === word[length]) length += 1;
    if (length === word.length) return start + length;
    if (length > 0 && start + length >= bytes.length) throw new Stop(bytes.length, 'it ends too early', true);
  }
  const text = String.fromCharCode(...bytes.subarray(start, start + 8));
  const stranger = strangers.find((word) => text.startsWith(word));
  throw new Stop(start, stranger === undefined ? 'expected a value' : `${stranger} is no value of JSON`, false);
}
