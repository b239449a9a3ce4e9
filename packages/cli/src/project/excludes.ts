/**
 * What a snapshot leaves out: `exclude` of mbk.yaml and `.mbkignore` files, both in .gitignore syntax, and what is never
 * part of one: the repository itself, `.mbk/`, and `.git/` unless it is asked for.
 */

import ignore from 'ignore';
import { closeSync, constants, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { ignoreRules, type IgnoreRules } from './ignore-rules.ts';

export interface ExcludeOptions {
  /** Absolute path of the source root. */
  readonly root: string;
  readonly patterns: readonly string[];
  /** Absolute paths that are never part of a snapshot: the repository's folder. */
  readonly never: readonly string[];
  readonly includeVcs: boolean;
  /** Whether folders that say they are a cache are left out: those with a `CACHEDIR.TAG`. */
  readonly excludeCaches?: boolean | undefined;
}

/** Whether the path, relative to the root with `/` between names, is left out. Folders are asked before what they hold. */
export type Exclude = (path: string, isDirectory: boolean) => boolean;

const ignoreFile = '.mbkignore';

export function makeExclude({ root, patterns, never, includeVcs, excludeCaches }: ExcludeOptions): Exclude {
  const general: readonly FolderRules[] = patterns.length === 0 ? [] : [{ prefix: 0, rules: ignoreRules(patterns) }];
  const neverInside = new Set(never.map((path) => relativeTo(root, path)).filter((path) => path !== undefined));
  const rulesFor = rulesByFolder(root, general);

  /** The folder that was asked about last, and its rules: a walk asks about all that is in one after the other. */
  let folder = '';
  let rules = rulesFor(folder);

  return (path, isDirectory) => {
    const folderEnd = Math.max(path.lastIndexOf('/'), 0);
    if (folderEnd !== folder.length || !path.startsWith(folder)) {
      folder = path.slice(0, folderEnd);
      rules = rulesFor(folder);
    }
    if (isDirectory) {
      const name = folder === '' ? path : path.slice(folder.length + 1);
      if (name === '.mbk' || (name === '.git' && !includeVcs)) return true;
    }
    if (neverInside.size > 0 && neverInside.has(path)) return true;
    if (rules.length > 0 && decide(isDirectory ? `${path}/` : path, rules)) return true;
    return excludeCaches === true && isDirectory && isCache(join(root, path));
  };
}

/** Rules for what is below the first `prefix` characters of a path. */
interface FolderRules {
  readonly prefix: number;
  readonly rules: IgnoreRules;
}

/** As Git decides: the deepest file that says anything wins; `mbk.yaml`, the last of `all`, speaks last. */
function decide(asked: string, all: readonly FolderRules[]): boolean {
  if (!ignore.isPathValid(asked)) return false; // names that no pattern can name, such as `..x/`
  for (const { prefix, rules } of all) {
    const below = prefix === 0 ? asked : asked.slice(prefix);
    if (prefix !== 0 && !ignore.isPathValid(below)) continue;
    const { ignored, unignored } = rules.test(below);
    if (ignored) return true;
    if (unignored) return false;
  }
  return false;
}

/** For a folder: the rules that speak of what is in it, the deepest first. */
function rulesByFolder(root: string, general: readonly FolderRules[]): (folder: string) => readonly FolderRules[] {
  const ofFolder = new Map<string, readonly FolderRules[]>();
  const rulesFor = (folder: string): readonly FolderRules[] => {
    const known = ofFolder.get(folder);
    if (known !== undefined) return known;
    const parent = folder.slice(0, Math.max(folder.lastIndexOf('/'), 0));
    const above = folder === '' ? general : rulesFor(parent);
    const rules = readIgnoreFile(join(root, folder, ignoreFile));
    // Most folders have no file of their own: they share the list of the folder above.
    const all = rules === undefined ? above : [{ prefix: folder === '' ? 0 : folder.length + 1, rules }, ...above];
    ofFolder.set(folder, all);
    return all;
  };
  return rulesFor;
}

/** Most bytes of an ignore file that are read. */
const maximumBytes = 1_048_576;

/** The Cache Directory Tagging Specification: the file begins with these bytes. */
const cacheSignature = 'Signature: 8a477f597d28d172789f06886806bc55';

/** Whether the folder says that it is a cache. */
function isCache(folder: string): boolean {
  const start = readStart(join(folder, 'CACHEDIR.TAG'), cacheSignature.length);
  return start?.toString('latin1') === cacheSignature;
}

/** The first bytes of a file; undefined where there is none that can be read. */
function readStart(file: string, length: number): Buffer | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!fstatSync(fd).isFile()) return undefined;
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, readSync(fd, bytes, 0, length, 0));
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** Undefined where there is none that can be read: the walk reports what it cannot read. */
function readIgnoreFile(file: string): IgnoreRules | undefined {
  let fd: number | undefined;
  try {
    // As Git does, not through a link; a pipe in its place must not make the backup wait for ever.
    fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stats = fstatSync(fd);
    if (!stats.isFile() || stats.size > maximumBytes) return undefined;
    return ignoreRules(readFileSync(fd, 'utf8'));
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** `path` below `root`, with `/` between names; undefined where it is not below. */
export function relativeTo(root: string, path: string): string | undefined {
  if (path === root) return undefined;
  const prefix = root.endsWith('/') ? root : `${root}/`;
  return path.startsWith(prefix) ? path.slice(prefix.length) : undefined;
}
