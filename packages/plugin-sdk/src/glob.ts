/** Globs over `/` paths, without regular expressions: the time is at most pattern times path, whatever either says. */

/**
 * Whether `glob` covers the whole of `path`: `*` and `?` stay within one name, a segment `**` spans any number of
 * folders, none included. A glob without a slash is compared with the last name of the path.
 */
export function matchesGlob(glob: string, path: string): boolean {
  const slash = glob.lastIndexOf('/');
  if (slash >= 0) {
    const last = glob.slice(slash + 1);
    const mayMatch = last === '**' || matchesGlob(last, path);
    return mayMatch && matchesSequence(glob.split('/'), path.split('/'), (part) => part === '**', matchesName);
  }
  const rest = glob.startsWith('*') ? glob.slice(1) : glob;
  if (rest.includes('*') || rest.includes('?')) return matchesName(glob, path.slice(path.lastIndexOf('/') + 1));
  // Most are a name, or its end, and are asked of every file.
  if (!path.endsWith(rest)) return false;
  return rest !== glob || path.length === rest.length || path[path.length - rest.length - 1] === '/';
}

function matchesName(pattern: string, name: string): boolean {
  // Asked of every file: what stands before the first wildcard tells most of them apart.
  for (let at = 0; at < pattern.length && !isNameWildcard(pattern.charCodeAt(at)); at += 1)
    if (pattern.charCodeAt(at) !== name.charCodeAt(at)) return false;
  return matchesSequence(
    Array.from(pattern),
    Array.from(name),
    (part) => part === '*',
    (part, char) => part === '?' || part === char,
  );
}

function isNameWildcard(code: number): boolean {
  return code === asterisk || code === questionMark;
}

const asterisk = 0x2a;
const questionMark = 0x3f;

/** Greedy with one point of return: when a later wildcard is reached, earlier ones never need to be retried. */
function matchesSequence(
  pattern: readonly string[],
  items: readonly string[],
  isWildcard: (part: string) => boolean,
  matchesOne: (part: string, item: string) => boolean,
): boolean {
  let at = 0;
  let wildcard = -1;
  let resume = 0;
  for (let item = 0; item < items.length;) {
    const part = pattern[at];
    if (part !== undefined && isWildcard(part)) {
      wildcard = at;
      at += 1;
      resume = item;
    } else if (part !== undefined && matchesOne(part, items[item] ?? '')) {
      at += 1;
      item += 1;
    } else if (wildcard >= 0) {
      at = wildcard + 1;
      resume += 1;
      item = resume;
    } else {
      return false;
    }
  }
  return pattern.slice(at).every(isWildcard);
}
