/**
 * Names from outside (files, tags, plugins) may hold anything. What is printed must neither steer the terminal nor
 * look like something else, and must stay readable and unambiguous.
 */

import type { ByteText } from '@mbk/core';

/**
 * C0 and C1 controls and DEL, line and paragraph separators, direction marks and overrides, invisible joiners and
 * fillers, tags, and lone surrogates.
 */
const unsafe =
  /[\p{Cc}\p{Cs}\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/** Nearly all that is ever shown: no need to look closer. */
const harmless = /^[ -[\]-~]*$/;

const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** `text` with everything unsafe as `\n`, `\x1b` or `\u{202e}`, and `\` doubled so that no name can imitate these. */
export function escapeForTerminal(text: string): string {
  if (harmless.test(text)) return text;
  return text.replaceAll('\\', '\\\\').replace(unsafe, escapeCharacter);
}

/** Like `escapeForTerminal`, for whole messages: line breaks and backslashes of our own text stay. */
export function escapeMessage(text: string): string {
  return text.replace(unsafe, (character) => (character === '\n' ? character : escapeCharacter(character)));
}

/** A file name in bytes: valid UTF-8 as text, every other byte as `\xff`; safe for a terminal. */
export function escapeName(name: Uint8Array): string {
  let text = '';
  for (let at = 0; at < name.length;) {
    const length = sequenceLength(name, at);
    const part = name.subarray(at, at + Math.max(length, 1));
    text += length > 0 ? escapeForTerminal(utf8.decode(part)) : hexByte(part[0] ?? 0);
    at += part.length;
  }
  return text;
}

/** A path or name as reports hold it: text, or the hex of bytes that are not UTF-8; safe for a terminal. */
export function escapePath(path: ByteText): string {
  return typeof path === 'string' ? escapeForTerminal(path) : escapeName(Buffer.from(path.hex, 'hex'));
}

/** JSON with the unsafe characters that `JSON.stringify` leaves as they are written as `\u202e`: still the same value. */
export function escapeJson(json: string): string {
  return json.replace(unsafe, (character) =>
    character === '\n'
      ? character
      : Array.from({ length: character.length }, (_, i) => {
          return `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`;
        }).join(''),
  );
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Length of the valid UTF-8 sequence at `at`, or 0. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  const length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  try {
    utf8.decode(bytes.subarray(at, at + length));
    return length;
  } catch {
    // The decoder's one error: not UTF-8.
    return 0;
  }
}

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return short[character] ?? (code < 0x80 ? hexByte(code) : `\\u{${code.toString(16)}}`);
}

const hexByte = (byte: number): string => `\\x${byte.toString(16).padStart(2, '0')}`;
