/** Lines of checksum manifests: SHA256SUMS in both its forms, and BagIt's. */

import { isUnsafePath } from '../records/unsafe-path.ts';

export interface ManifestEntry {
  /** Lower-case hexadecimal. */
  readonly digest: string;
  /** As written, its escapes read, without a leading `./`. */
  readonly path: string;
}

export type ManifestLine = ManifestEntry | 'none' | 'invalid' | 'unsafe';

/** Hexadecimal digits of each algorithm. */
const digits: Readonly<Record<string, number>> = { md5: 32, sha1: 40, sha224: 56, sha256: 64, sha384: 96, sha512: 128 };

/** A line of `sha256sum`, or of `shasum --tag`; `none` for a comment or an empty one. */
export function sumsLine(line: string): ManifestLine {
  if (line.trim() === '' || line.startsWith('#')) return 'none';
  const tagged = /^(\\?)SHA256 \((.*)\) = ([0-9A-Fa-f]{64})$/.exec(line);
  const plain = /^(\\?)([0-9A-Fa-f]{64}) [ *](.+)$/.exec(line);
  if (tagged !== null) return entry(tagged[3], tagged[1] === '\\' ? unescaped(tagged[2]) : tagged[2]);
  if (plain !== null) return entry(plain[2], plain[1] === '\\' ? unescaped(plain[3]) : plain[3]);
  return 'invalid';
}

/** A line of a BagIt manifest of the algorithm. */
export function bagLine(line: string, algorithm: string): ManifestLine {
  if (line.trim() === '') return 'none';
  const match = /^([0-9A-Fa-f]+)[ \t]+\*?(.+)$/.exec(line);
  const wanted = digits[algorithm];
  if (match === null || (wanted !== undefined && match[1]?.length !== wanted)) return 'invalid';
  return entry(match[1], percentDecoded(match[2] ?? ''));
}

/** RFC 8493, 2.1.3: only line ends and the percent sign are encoded. */
export const percentDecoded = (path: string): string =>
  path.replaceAll(/%(0[AaDd]|25)/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));

export const percentEncoded = (path: string): string =>
  path.replaceAll('%', '%25').replaceAll('\n', '%0A').replaceAll('\r', '%0D');

function entry(digest = '', written = ''): ManifestLine {
  const path = written.replace(/^(?:\.\/)+/, '');
  return isUnsafePath(path) || path === '' ? 'unsafe' : { digest: digest.toLowerCase(), path };
}

function unescaped(text = ''): string {
  return text.replaceAll(/\\([\\nr])/g, (_, letter: string) => ({ n: '\n', r: '\r' })[letter] ?? '\\');
}
