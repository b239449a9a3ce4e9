/**
 * Keys of backend entries: segments of `[a-z0-9._-]` joined by `/`, at most 200 characters, never `..`.
 *
 * Lower-case ASCII only, so that a key is a path on every filesystem, also on those that fold case, and so that the
 * order of its characters is the order of its bytes. The first segment `tmp` belongs to the backends.
 */

/** Longest key, in characters. Filesystems allow 255 in one name; the longest key of the format has 75. */
export const maxKeyLength = 200;

/** First segment of what is no entry: the folder backend keeps unfinished writes there. */
export const temporariesFolder = 'tmp';

/** Throws a `TypeError` unless `key` is a well-formed key. */
export function checkKey(key: string): void {
  if (!isKey(key)) throw new TypeError(`expected a key such as "packs/3f/3f01", got ${JSON.stringify(key)}`);
}

/** Throws a `TypeError` unless some key could start with `prefix`. */
export function checkPrefix(prefix: string): void {
  // With one letter more, a start of a key that ends anywhere, also after a slash, has the form of a key.
  if (prefix !== '' && (prefix.length > maxKeyLength || !hasForm(`${prefix}a`))) {
    throw new TypeError(`expected a start of a key such as "packs/3f/", got ${JSON.stringify(prefix)}`);
  }
}

/** Whether `key` is a well-formed key. */
export function isKey(key: string): boolean {
  return key.length <= maxKeyLength && hasForm(key);
}

function hasForm(key: string): boolean {
  const segments = key.split('/');
  return segments[0] !== temporariesFolder && segments.every(isSegment);
}

/** Whether `name` may stand between two slashes of a key. */
export function isSegment(name: string): boolean {
  return /^[a-z0-9._-]+$/.test(name) && name !== '.' && !name.includes('..');
}
