/** Where text stops being UTF-8. */

import { isUtf8 } from 'node:buffer';

/** Offset of the first byte that is not part of valid UTF-8; -1 where all of it is. */
export function firstInvalidByte(bytes: Uint8Array): number {
  if (isUtf8(bytes)) return -1;
  let at = 0;
  while (at < bytes.length) {
    const length = sequenceLength(bytes, at);
    if (length === 0) return at;
    at += length;
  }
  return bytes.length;
}

/** Bytes of the character at `at`; 0 where there is none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return 1;
  const length =
    first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xf0 && first < 0xf5 ? 4 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  return isUtf8(bytes.subarray(at, at + length)) ? length : 0;
}

/** Characters (code points) of valid UTF-8 before `end`. */
export function charactersBefore(bytes: Uint8Array, end: number): number {
  let count = 0;
  for (let at = 0; at < end; at += 1) if (((bytes[at] ?? 0) & 0xc0) !== 0x80) count += 1;
  return count;
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Text of bytes, `U+FFFD` for what is not UTF-8. */
export function textOf(bytes: Uint8Array): string {
  // A decoder takes longer to call than a short word to read.
  if (bytes.length > 16) return decoder.decode(bytes);
  let text = '';
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte > 127) return decoder.decode(bytes);
    text += String.fromCharCode(byte);
  }
  return text;
}

/** A name as it may stand in a message or in facts: one line, without control characters, cut to so many characters. */
export function shown(text: string, length = 100): string {
  const plain = text
    .slice(0, length + 1)
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u{FFFD}')
    .toWellFormed();
  return plain.length > length ? `${plain.slice(0, length - 1).toWellFormed()}…` : plain;
}
