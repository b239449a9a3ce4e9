/**
 * Globs over paths of snapshots: `*` is any part of a name, `?` one character, `[a-z]` and `[!a-z]` one of them, `**` any
 * number of folders. Without a `/` the glob is meant for names in every folder; with one it begins at the root. A `/` at
 * the end is for folders alone. No character escapes another; `[*]` is a star.
 *
 * Matching takes time in the length of the glob times that of the path, whatever both hold.
 */
import { MbkError } from '../errors.ts';

export interface PathGlob {
  /** Whether the path (names joined by `/`, as text) is meant. */
  matches(path: string, isDirectory: boolean): boolean;
  /** Whether something below the folder can be meant. */
  mayMatchBelow(folder: string): boolean;
}

/** A name, or any number of folders. */
type Part = readonly Token[] | '**';
/** A character, or a test of one; `*` is any number of characters. */
type Token = string | ((character: string) => boolean) | typeof anyCharacters;

const anyCharacters = Symbol('*');

/** Errors: `usage-invalid` for a glob that means nothing. */
export function parsePathGlob(text: string): PathGlob {
  const isForFolders = text.endsWith('/');
  const names = text.split('/').filter((name) => name !== '' && name !== '.');
  if (names.length === 0) throw new MbkError('usage-invalid', `${JSON.stringify(text)} is a glob that nothing matches`);
  const isAnchored = text.replace(/\/+$/, '').includes('/');
  const parts = [...(isAnchored ? [] : ['**']), ...names].map((name) => (name === '**' ? name : tokensOf(name, text)));
  return {
    matches: (path, isDirectory) =>
      (isDirectory || !isForFolders) && (reach(parts, path.split('/')).at(parts.length) ?? false),
    mayMatchBelow: (folder) => folder === '' || reach(parts, folder.split('/')).slice(0, -1).includes(true),
  };
}

/** For each number of parts, whether so many of them can stand for exactly these names. */
function reach(parts: readonly Part[], names: readonly string[]): boolean[] {
  let reached = skipDeep(parts, [true]);
  for (const name of names) {
    const next: boolean[] = [];
    for (const [at, part] of parts.entries()) {
      if (reached[at] !== true) continue;
      if (part === '**') {
        next[at] = true;
        if (at === parts.length - 1) next[at + 1] = true;
      } else if (matchesName(part, name)) next[at + 1] = true;
    }
    reached = skipDeep(parts, next);
  }
  return Array.from({ length: parts.length + 1 }, (_, at) => reached[at] === true);
}

/** `**` may stand for no folder. At the end it stands for one name or more: `models/**` is not `models`. */
function skipDeep(parts: readonly Part[], reached: boolean[]): boolean[] {
  for (const [at, part] of parts.entries()) {
    const isLast = at === parts.length - 1;
    if (part === '**' && reached[at] === true && !isLast) reached[at + 1] = true;
  }
  return reached;
}

/** The usual way with one star to go back to: what a later star takes, an earlier one need not. */
function matchesName(tokens: readonly Token[], name: string): boolean {
  const characters = Array.from(name);
  let token = 0;
  let at = 0;
  let star = -1;
  let starAt = 0;
  while (at < characters.length) {
    const wanted = tokens[token];
    const character = characters[at] ?? '';
    if (wanted === anyCharacters) {
      star = token;
      starAt = at;
      token += 1;
    } else if (typeof wanted === 'function' ? wanted(character) : wanted === character) {
      token += 1;
      at += 1;
    } else if (star === -1) return false;
    else {
      starAt += 1;
      at = starAt;
      token = star + 1;
    }
  }
  while (tokens[token] === anyCharacters) token += 1;
  return token === tokens.length;
}

function tokensOf(name: string, glob: string): Token[] {
  const characters = Array.from(name);
  const tokens: Token[] = [];
  for (let at = 0; at < characters.length; at += 1) {
    const character = characters[at] ?? '';
    if (character === '*') {
      if (tokens.at(-1) !== anyCharacters) tokens.push(anyCharacters);
    } else if (character === '?') tokens.push(() => true);
    else if (character === '[') {
      // A bracket that stands first in a class is one of its characters.
      const isNegated = characters[at + 1] === '!' || characters[at + 1] === '^';
      const start = at + (isNegated ? 2 : 1);
      const end = characters.indexOf(']', start + 1);
      if (end === -1) {
        throw new MbkError('usage-invalid', `${JSON.stringify(glob)} has a [ without its ]`, {
          remedy: 'Close it, or write [[] for the character itself.',
        });
      }
      tokens.push(classOf(characters.slice(start, end), isNegated));
      at = end;
    } else tokens.push(character);
  }
  return tokens;
}

function classOf(characters: readonly string[], isNegated: boolean): (character: string) => boolean {
  const code = (character: string | undefined): number => character?.codePointAt(0) ?? 0;
  const ranges: (readonly [number, number])[] = [];
  for (let at = 0; at < characters.length; at += 1) {
    const isRange = characters[at + 1] === '-' && at + 2 < characters.length;
    ranges.push([code(characters[at]), code(characters[isRange ? at + 2 : at])]);
    if (isRange) at += 2;
  }
  return (character) => ranges.some(([from, to]) => code(character) >= from && code(character) <= to) !== isNegated;
}
