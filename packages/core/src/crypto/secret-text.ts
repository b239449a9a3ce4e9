/**
 * How 32-byte secrets are written: key files for programs, recovery keys for people (docs/format.md, Slots).
 */
import { MbkError } from '../errors.ts';
import { equalBytes, fromHex, toHex } from '../format/bytes.ts';
import { sha256 } from './hash.ts';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'; // RFC 4648, section 6

/** Text of a key file that holds `key` (32 bytes). */
export function keyFileText(key: Uint8Array): string {
  return `mbk-key-1:${toHex(key)}\n`;
}

/** Key of a key file's text; `key-file-unsafe` if it holds none. */
export function parseKeyFile(text: string): Uint8Array {
  const match = /^mbk-key-1:([0-9a-f]{64})\s*$/.exec(text);
  if (match?.[1] === undefined) throw new MbkError('key-file-unsafe', 'the key file does not hold an mbk key');
  return fromHex(match[1]);
}

/** `key` (32 bytes) as 14 groups of four letters and digits, with 3 bytes of check. */
export function recoveryKeyText(key: Uint8Array): string {
  const bytes = [...key, ...sha256(key).subarray(0, 3)];
  let bits = 0;
  let held = 0;
  let text = '';
  for (const byte of bytes) {
    held = (held << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5) text += alphabet[(held >> (bits - 5)) & 31];
    held &= 31;
  }
  return (text.match(/.{4}/g) ?? []).join('-');
}

/** Key of a recovery key as typed (case, spaces and dashes do not matter); undefined if it is mistyped. */
export function parseRecoveryKey(text: string): Uint8Array | undefined {
  const letters = text.toUpperCase().replace(/[^A-Z0-9]/g, '');
  if (letters.length !== 56) return undefined;
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  for (const letter of letters) {
    const value = alphabet.indexOf(letter);
    if (value < 0) return undefined;
    held = ((held & 255) << 5) | value;
    bits += 5;
    if (bits >= 8) bytes.push((held >> (bits -= 8)) & 255);
  }
  const key = Uint8Array.from(bytes.slice(0, 32));
  return equalBytes(sha256(key).subarray(0, 3), Uint8Array.from(bytes.slice(32))) ? key : undefined;
}
