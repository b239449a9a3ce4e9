/**
 * Names as the file system has them: bytes, not text (docs/format.md, Trees).
 *
 * A `ByteString` holds one byte in each character, U+0000 to U+00FF (Node's 'latin1'). So names that are not UTF-8 pass
 * through unharmed, the order of characters is the order of bytes, and a million of them stay small. It is never shown
 * and never mixed with text: `textOfBytes` and `displayBytes` lead out of it, `bytesOfText` and the readers below lead in.
 */
import { isUtf8 } from 'node:buffer';
import { MbkError } from '../errors.ts';
import type { Fields } from './fields.ts';
import { isHex } from './ids.ts';
import { limits } from './limits.ts';

/** One character, U+0000 to U+00FF, for each byte. */
export type ByteString = string;

/** A name, a path or a link target in JSON: text where the bytes are UTF-8 without U+0000, else their hex. */
export type ByteText = string | { readonly hex: string };

/** The UTF-8 bytes of `text`. */
export function bytesOfText(text: string): ByteString {
  return isAscii(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/** The text of `bytes`; undefined unless they are UTF-8. */
export function textOfBytes(bytes: ByteString): string | undefined {
  if (isAscii(bytes)) return bytes;
  const buffer = bufferOfBytes(bytes);
  return isUtf8(buffer) ? buffer.toString('utf8') : undefined;
}

/** Text for people: that of `bytes`, with `\xNN` for each byte that is no part of UTF-8. May hold control characters. */
export function displayBytes(bytes: ByteString): string {
  const text = textOfBytes(bytes);
  if (text !== undefined) return text;
  // Each run of bytes from 0x80 on is shown byte by byte unless it is UTF-8 as a whole.
  return bytes.replace(/[\x80-\xff]+/g, (run) => textOfBytes(run) ?? run.replace(/[^]/g, hexEscape));
}

function hexEscape(byte: string): string {
  return `\\x${byte.charCodeAt(0).toString(16)}`;
}

/** What file system calls take for a path of these bytes. */
export function bufferOfBytes(bytes: ByteString): Buffer {
  return Buffer.from(bytes, 'latin1');
}

/** The same for a path that is used once: text where it is ASCII, which takes a system call two thirds of the time. */
export function pathOfBytes(bytes: ByteString): string | Buffer {
  return isAscii(bytes) ? bytes : bufferOfBytes(bytes);
}

/** Whether `name` can stand in a tree: 1 to 255 bytes, no `/`, no zero byte, not `.` or `..`. */
export function isName(name: ByteString): boolean {
  return name.length > 0 && name.length <= limits.nameBytes && name !== '.' && name !== '..' && !/[\0/]/.test(name);
}

/** Whether `path` is names joined by `/`, at most as many as directories may lie in each other. */
export function isRelativePath(path: ByteString): boolean {
  const names = path.split('/');
  return names.length <= limits.directoryDepth + 1 && names.every(isName);
}

/** `name` below `directory`; the root is `''`. */
export function joinBytes(directory: ByteString, name: ByteString): ByteString {
  return directory === '' ? name : `${directory}/${name}`;
}

/** `bytes` as a record holds them. */
export function encodeByteText(bytes: ByteString): ByteText {
  const text = bytes.includes('\0') ? undefined : textOfBytes(bytes);
  return text ?? { hex: bufferOfBytes(bytes).toString('hex') };
}

/** The bytes of a value that `encodeByteText` made; `value-invalid`, also when hex stands for what could be text. */
export function decodeByteText(value: unknown, what: string, maxBytes: number): ByteString {
  if (typeof value === 'string' && value.length <= maxBytes && value.isWellFormed() && !value.includes('\0')) {
    const bytes = bytesOfText(value);
    if (bytes.length <= maxBytes) return bytes;
  } else if (typeof value === 'object' && value !== null && 'hex' in value) {
    return decodeHex(value.hex, what, maxBytes);
  }
  throw new MbkError('value-invalid', `${what}: expected text or {"hex":…} of at most ${maxBytes} bytes`);
}

/** The fields of a name or target: `{ [field]: text }`, or `{ [field + 'Hex']: hex }`. */
export function byteFields(field: 'name' | 'target', bytes: ByteString): Record<string, string> {
  const value = encodeByteText(bytes);
  return typeof value === 'string' ? { [field]: value } : { [`${field}Hex`]: value.hex };
}

/** The bytes of the field `field`, or of `field + 'Hex'`; `value-invalid` if there are both, or none. */
export function readByteFields(fields: Fields, field: 'name' | 'target', maxBytes: number): ByteString {
  const hexField = `${field}Hex`;
  const what = `${fields.what}: field ${field}`;
  if (!fields.has(hexField)) return decodeByteText(fields.raw(field), what, maxBytes);
  if (fields.has(field)) throw new MbkError('value-invalid', `${what}: expected either ${field} or ${hexField}`);
  return decodeHex(fields.raw(hexField), what, maxBytes);
}

/** `name` itself; `value-invalid` unless it can stand in a tree. */
export function checkName(name: ByteString, what: string): ByteString {
  if (isName(name)) return name;
  throw new MbkError('value-invalid', `${what}: ${JSON.stringify(displayBytes(name))} cannot be a file name`);
}

function decodeHex(hex: unknown, what: string, maxBytes: number): ByteString {
  if (typeof hex !== 'string' || hex.length > maxBytes * 2 || !isHex(hex, Math.floor(hex.length / 2))) {
    throw new MbkError('value-invalid', `${what}: expected the hex of at most ${maxBytes} bytes`);
  }
  const bytes = Buffer.from(hex, 'hex').toString('latin1');
  // One name, one form: two entries of one directory could otherwise be the same file.
  if (typeof encodeByteText(bytes) === 'string') {
    throw new MbkError('value-invalid', `${what}: hex stands for bytes that are text`);
  }
  return bytes;
}

/** Whether every byte is below 0x80: then bytes and text are the same string. */
export function isAscii(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- ASCII begins with control characters
  return /^[\0-\x7f]*$/.test(text);
}
