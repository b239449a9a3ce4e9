/**
 * Paths in a snapshot as people write them: as text, or as `mbk ls` shows them, with `\n`, `\xff`, `\u{202e}` and `\\`
 * for what a terminal cannot show. So every name that was listed can be asked for.
 */
import { bytesOfText, type ByteString } from '../format/byte-name.ts';

/** What `text` may mean, the likeliest first: the text itself, then what its escapes stand for. */
export function pathCandidates(text: string): ByteString[] {
  const plain = cleanPath(bytesOfText(text));
  if (!text.includes('\\')) return [plain];
  const unescaped = unescapePath(text);
  return unescaped === undefined ? [plain] : [plain, cleanPath(unescaped)];
}

/** Without what means nothing: a leading `/` or `./`, a trailing `/`, a doubled one. */
function cleanPath(path: ByteString): ByteString {
  return path
    .split('/')
    .filter((name) => name !== '' && name !== '.')
    .join('/');
}

const escapes = /\\(?:([\\nrt])|x([0-9a-f]{2})|u\{([0-9a-f]{1,6})\})/gy;
const letters: Readonly<Record<string, string>> = { '\\': '\\', n: '\n', r: '\r', t: '\t' };

/** The bytes that an escaped path stands for; undefined when a backslash begins no escape. */
function unescapePath(text: string): ByteString | undefined {
  let bytes = '';
  for (let at = 0; at < text.length;) {
    const next = text.indexOf('\\', at);
    if (next !== at) {
      const end = next === -1 ? text.length : next;
      bytes += bytesOfText(text.slice(at, end));
      at = end;
      continue;
    }
    escapes.lastIndex = at;
    const match = escapes.exec(text);
    if (match === null) return undefined;
    const [whole, letter, byte, code] = match;
    const point = Number.parseInt(code ?? '', 16);
    if (code !== undefined && point > 0x10_ffff) return undefined;
    if (letter !== undefined) bytes += letters[letter] ?? '';
    else if (byte !== undefined) bytes += String.fromCharCode(Number.parseInt(byte, 16));
    else bytes += bytesOfText(String.fromCodePoint(point));
    at += whole.length;
  }
  return bytes;
}
