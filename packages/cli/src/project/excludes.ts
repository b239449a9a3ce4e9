/**
 * What a snapshot leaves out: `exclude` of mbk.yaml and `.mbkignore` files, both in .gitignore syntax, and what is never
 * part of one: the repository itself, `.mbk/`, and `.git/` unless it is asked for.
 */

import ignore, { type Ignore } from 'ignore';
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface ExcludeOptions {
  /** Absolute path of the source root. */
  readonly root: string;
  readonly patterns: readonly string[];
  /** Absolute paths that are never part of a snapshot: the repository's folder. */
  readonly never: readonly string[];
  readonly includeVcs: boolean;
}

/** Whether the path, relative to the root with `/` between names, is left out. Folders are asked before what they hold. */
export type Exclude = (path: string, isDirectory: boolean) => boolean;

const ignoreFile = '.mbkignore';

export function makeExclude({ root, patterns, never, includeVcs }: ExcludeOptions): Exclude {
  const general = ignore({ ignorecase: false }).add([...patterns]);
  const neverInside = new Set(never.map((path) => relativeTo(root, path)).filter((path) => path !== undefined));
  const ofFolder = new Map<string, Ignore | undefined>();
  const rulesOf = (folder: string): Ignore | undefined => {
    if (!ofFolder.has(folder)) ofFolder.set(folder, readIgnoreFile(join(root, folder, ignoreFile)));
    return ofFolder.get(folder);
  };

  return (path, isDirectory) => {
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (isDirectory && (name === '.mbk' || (name === '.git' && !includeVcs))) return true;
    if (neverInside.has(path)) return true;
    const asked = isDirectory ? `${path}/` : path;
    return decide(asked, path, general, rulesOf);
  };
}

/** As Git decides: the deepest file that says anything wins; `mbk.yaml` speaks last of all. */
function decide(
  asked: string,
  path: string,
  general: Ignore,
  rulesOf: (folder: string) => Ignore | undefined,
): boolean {
  if (!ignore.isPathValid(asked)) return false; // names that no pattern can name, such as `..x/`
  const parts = path.split('/').slice(0, -1);
  for (let depth = parts.length; depth >= 0; depth--) {
    const folder = parts.slice(0, depth).join('/');
    const below = folder === '' ? asked : asked.slice(folder.length + 1);
    const verdict = ignore.isPathValid(below) ? rulesOf(folder)?.test(below) : undefined;
    if (verdict?.ignored === true) return true;
    if (verdict?.unignored === true) return false;
  }
  return general.test(asked).ignored;
}

/** Most bytes of an ignore file that are read. */
const maximumBytes = 1_048_576;

/** Undefined where there is none that can be read: the walk reports what it cannot read. */
function readIgnoreFile(file: string): Ignore | undefined {
  let fd: number | undefined;
  try {
    // As Git does, not through a link; a pipe in its place must not make the backup wait for ever.
    fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stats = fstatSync(fd);
    if (!stats.isFile() || stats.size > maximumBytes) return undefined;
    return ignore({ ignorecase: false }).add(readFileSync(fd, 'utf8'));
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function relativeTo(root: string, path: string): string | undefined {
  if (path === root) return undefined;
  const prefix = root.endsWith('/') ? root : `${root}/`;
  return path.startsWith(prefix) ? path.slice(prefix.length) : undefined;
}
