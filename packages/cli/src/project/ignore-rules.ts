/**
 * Rules in .gitignore syntax, asked about every file of a source: the `ignore` package decides, and is not asked where
 * the names of a path show that no rule can speak of it.
 */

import ignore, { type Ignore } from 'ignore';

export interface IgnoreVerdict {
  readonly ignored: boolean;
  /** Whether a rule with `!` was the last one that matched. */
  readonly unignored: boolean;
}

export interface IgnoreRules {
  /** What the rules say of a path with `/` between names, and behind the last if it is a folder. */
  test(path: string): IgnoreVerdict;
}

/** The package keeps each verdict for ever; with a new copy for so many questions a million files take no memory. */
const questionsOfCopy = 4096;

/** Rules of a text of lines, or of lines. */
export function ignoreRules(rules: string | readonly string[]): IgnoreRules {
  const lines = typeof rules === 'string' ? rules : [...rules];
  const mayMatch = nameFilter(typeof lines === 'string' ? lines.split(/\r?\n/) : lines);
  let copy: Ignore | undefined;
  let questions = 0;
  /** The folder that was asked about last, with its slash, and whether a rule may speak of a name on the way to it. */
  let folder = '';
  let isFolderSpoken = false;

  const isSpoken = (path: string): boolean => {
    const nameEnd = path.endsWith('/') ? path.length - 1 : path.length;
    const nameStart = path.lastIndexOf('/', nameEnd - 1) + 1;
    if (folder.length !== nameStart || !path.startsWith(folder)) {
      folder = path.slice(0, nameStart);
      isFolderSpoken = folder.split('/').some(mayMatch);
    }
    return isFolderSpoken || mayMatch(path.slice(nameStart, nameEnd));
  };

  return {
    test(path) {
      if (!isSpoken(path)) return silent;
      if (copy === undefined || questions >= questionsOfCopy) {
        copy = ignore({ ignorecase: false }).add(lines);
        questions = 0;
      }
      questions += 1;
      return copy.test(path);
    },
  };
}

const silent: IgnoreVerdict = { ignored: false, unignored: false };

/**
 * Whether some rule may match a path with this name in it. Of each pattern one part between slashes is looked at, the
 * last one that is more than wildcards: a path that the pattern matches has a name that this part matches. True for
 * every name as soon as there is a pattern of other than plain characters and wildcards.
 */
function nameFilter(lines: readonly string[]): (name: string) => boolean {
  const sources = new Set<string>();
  for (const line of lines) {
    if (line === '' || line.startsWith('#')) continue;
    const part = /^!?[\w.*?/-]+$/.test(line)
      ? line.replace(/^!/, '').split('/').findLast(isMoreThanWildcards)
      : undefined;
    if (part === undefined) return () => true;
    sources.add(part.replaceAll('.', '\\.').replace(/[*?]+/g, '[^]*'));
  }
  if (sources.size === 0) return () => false;
  const pattern = new RegExp(`^(?:${[...sources].join('|')})$`);
  return (name) => pattern.test(name);
}

function isMoreThanWildcards(part: string): boolean {
  return /[^*?]/.test(part);
}
