/**
 * Walks a source folder: depth first, names in the order of their bytes, through symbolic links only where that is asked.
 *
 * What cannot be read is an event, not an error: a snapshot takes the rest. The walk blocks while it reads a folder and
 * holds the names that are left in the folders it is in, nothing else; the caller decides when other work runs.
 */
import fs, { type Stats } from 'node:fs';
import { throwIfInterrupted } from '../backend/interrupted.ts';
import { errnoOf } from '../backend/local-file-system.ts';
import { MbkError } from '../errors.ts';
import { displayBytes, isName, joinBytes, pathOfBytes, type ByteString } from '../format/byte-name.ts';
import { limits } from '../format/limits.ts';
import { folderNames, type FolderNames } from './folder-names.ts';
import { handleLocation, hasFolderHandles, openFolderHandle } from './folder-handles.ts';
import { problemOf, sourceFacts, type SourceFacts, type SourceProblem } from './source-facts.ts';

/**
 * `enter` and `leave` stand around what is in a folder, the root (path `''`) too. A folder that was excluded or is gone
 * has neither; one that cannot be read has both and a problem between.
 */
export type WalkEvent =
  | WalkedFolder
  | WalkedFile
  | WalkedSymlink
  | { readonly type: 'leave'; readonly path: ByteString }
  | { readonly type: 'problem'; readonly problem: SourceProblem };

interface Walked {
  /** Names joined by `/`, from the root. */
  readonly path: ByteString;
  readonly name: ByteString;
  readonly facts: SourceFacts;
}

export interface WalkedFolder extends Walked {
  readonly type: 'enter';
  /** Where it is, if a link led there. */
  readonly location?: ByteString;
}

export interface WalkedFile extends Walked {
  readonly type: 'file';
  /** Where file system calls find it, however long its path is; until the `leave` of its folder. */
  readonly location: ByteString;
  /** The same for two paths exactly if they are one file; absent if the file has one name. */
  readonly link?: string;
}

export interface WalkedSymlink extends Walked {
  readonly type: 'symlink';
  readonly target: ByteString;
}

export interface WalkOptions {
  /** Whether to leave out what is at `path`, of a folder with all that is in it. Nothing unless given. */
  readonly exclude?: (path: ByteString, isDirectory: boolean) => boolean;
  /** Whether to stay on the file system of the root; folders where another one is mounted are empty then. */
  readonly oneFileSystem?: boolean;
  /**
   * Whether a link is taken as what it leads to. One that leads nowhere, back to a folder that the walk is in, or to one
   * of `never` stays a link; a folder that two links lead to is walked twice.
   */
  readonly dereference?: boolean;
  /** Absolute paths of folders that are left out wherever links lead to them. */
  readonly never?: readonly ByteString[];
  readonly signal?: AbortSignal | undefined;
}

/** The options of a walk that `from` holds beside others. */
export function walkOptionsOf({
  exclude,
  oneFileSystem,
  dereference,
  never,
  signal,
}: { readonly [Name in keyof WalkOptions]: WalkOptions[Name] | undefined }): WalkOptions {
  return {
    ...(exclude && { exclude }),
    ...(oneFileSystem && { oneFileSystem }),
    ...(dereference && { dereference }),
    ...(never && { never }),
    signal,
  };
}

/** Walks the folder at the absolute path `root`. Throws 'source-absent' when it cannot be read, 'interrupted'. */
export function* walk(root: ByteString, options: WalkOptions = {}): Generator<WalkEvent> {
  const { exclude = () => false, oneFileSystem = false, signal } = options;
  const { facts: rootFacts, folder: rootFolder } = openRoot(root);
  const open: OpenFolder[] = [rootFolder];
  const links = options.dereference === true ? linkRules(options.never ?? [], open) : undefined;
  try {
    yield { type: 'enter', path: '', name: '', facts: rootFacts };
    for (let folder = open.at(-1); folder !== undefined; folder = open.at(-1)) {
      throwIfInterrupted(signal, 'walking the source');
      const name = folder.names.next();
      if (name === undefined) {
        yield { type: 'leave', path: folder.path };
        closeFolder(folder);
        open.pop();
        continue;
      }
      const found = lookAt(folder, name, exclude, links);
      if (found === undefined || (found.type === 'enter' && links?.isNever(found.facts) === true)) continue;
      if (found.type !== 'enter') {
        yield found;
        continue;
      }
      const isBorder = oneFileSystem && found.facts.dev !== rootFacts.dev;
      const { folder: inner, problem } = openFolder(folder, found, isBorder, open.length);
      // A folder that is gone has no place in the snapshot; one that cannot be read keeps its mode and time.
      if (problem?.reason === 'vanished') {
        yield { type: 'problem', problem };
        continue;
      }
      open.push(inner);
      yield found;
      if (problem !== undefined) yield { type: 'problem', problem };
    }
  } finally {
    open.forEach(closeFolder);
  }
}

interface OpenFolder extends Pick<SourceFacts, 'dev' | 'ino'> {
  readonly path: ByteString;
  readonly location: ByteString;
  /** Names that are left. */
  readonly names: FolderNames;
  readonly fd: number | undefined;
}

/** Longer locations are replaced by handles. Linux takes 4,095 bytes; a name of 255 and a slash must still fit. */
const longestLocation = 2048;

function openRoot(root: ByteString): { readonly facts: SourceFacts; readonly folder: OpenFolder } {
  try {
    const facts = sourceFacts(fs.statSync(pathOfBytes(root)));
    const { dev, ino } = facts;
    return { facts, folder: { path: '', location: root, names: namesIn(root, facts), fd: undefined, dev, ino } };
  } catch (cause) {
    const { message } = problemOf(cause, root, 'reading');
    throw new MbkError('source-absent', message, { cause, details: { path: displayBytes(root) } });
  }
}

/** The folder that was found in `parent`, of which `depth` folders are open; empty and with a problem if unreadable. */
function openFolder(
  parent: OpenFolder,
  { path, name, facts, ...found }: WalkedFolder,
  isBorder: boolean,
  depth: number,
): { readonly folder: OpenFolder; readonly problem?: SourceProblem } {
  const { dev, ino } = facts;
  let location = found.location ?? `${parent.location}/${name}`;
  const empty = { path, location, names: folderNames([]), fd: undefined, dev, ino };
  if (isBorder) return { folder: empty };
  if (depth > limits.directoryDepth) {
    const message = `more than ${limits.directoryDepth} folders lie in each other below ${displayBytes(path.slice(0, 100))}…`;
    return { folder: empty, problem: { path, reason: 'too-long', message } };
  }
  let fd: number | undefined;
  try {
    if (location.length > longestLocation && hasFolderHandles()) {
      fd = openFolderHandle(location);
      location = handleLocation(fd);
    }
    return { folder: { path, location, names: namesIn(location, facts), fd, dev, ino } };
  } catch (error) {
    if (fd !== undefined) fs.closeSync(fd);
    return { folder: empty, problem: problemOf(error, path, 'reading the folder') };
  }
}

function closeFolder({ fd }: OpenFolder): void {
  if (fd !== undefined) fs.closeSync(fd);
}

/** Folders of so many bytes, where the file system says it, have some ten thousand names. */
const largeFolderBytes = 524_288;

function namesIn(location: ByteString, { size }: SourceFacts): FolderNames {
  const path = pathOfBytes(location);
  return folderNames(size < largeFolderBytes ? fs.readdirSync(path, { encoding: 'latin1' }) : streamedNames(path));
}

/** One by one: of a million names at once as much as 90 MB would stay with this process, for good. */
function* streamedNames(path: ReturnType<typeof pathOfBytes>): Generator<ByteString> {
  const folder = fs.opendirSync(path, { encoding: 'latin1', bufferSize: 1024 });
  try {
    for (let entry = folder.readSync(); entry !== null; entry = folder.readSync()) yield entry.name;
  } finally {
    folder.closeSync();
  }
}

/** What the name stands for, as an event; undefined if it is excluded. */
function lookAt(
  folder: OpenFolder,
  name: ByteString,
  exclude: (path: ByteString, isDirectory: boolean) => boolean,
  links: LinkRules | undefined,
): Exclude<WalkEvent, { readonly type: 'leave' }> | undefined {
  const path = joinBytes(folder.path, name);
  let location = `${folder.location}/${name}`;
  let stats: Stats;
  let isFollowed = false;
  try {
    stats = fs.lstatSync(pathOfBytes(location));
    const target = links !== undefined && stats.isSymbolicLink() ? links.follow(location) : undefined;
    if (target !== undefined) [location, stats, isFollowed] = [target.location, target.stats, true];
    const isDirectory = stats.isDirectory();
    if (exclude(path, isDirectory)) return undefined;
    if (!isName(name)) return problem(path, 'too-long', `the name of ${displayBytes(path)} is too long`);
    if (isDirectory) {
      return { type: 'enter', path, name, facts: sourceFacts(stats), ...(isFollowed && { location }) };
    }
    if (stats.isFile()) return walkedFile({ path, name, facts: sourceFacts(stats) }, location);
    if (stats.isSymbolicLink()) return walkedSymlink({ path, name, facts: sourceFacts(stats) }, location);
  } catch (error) {
    return { type: 'problem', problem: problemOf(error, path, 'reading') };
  }
  return problem(path, 'special', `${displayBytes(path)} is ${kindOfSpecial(stats)}, which is not backed up`);
}

interface LinkRules {
  /** What a link leads to, by its real path; undefined where it is to stay a link. */
  follow(location: ByteString): { readonly location: ByteString; readonly stats: Stats } | undefined;
  /** Whether a folder is one of those that are never walked. */
  isNever(facts: Pick<SourceFacts, 'dev' | 'ino'>): boolean;
}

function linkRules(never: readonly ByteString[], open: readonly OpenFolder[]): LinkRules {
  const isSame = (a: Pick<Stats, 'dev' | 'ino'>, b: Pick<Stats, 'dev' | 'ino'>): boolean =>
    a.dev === b.dev && a.ino === b.ino;
  const neverStats = never.flatMap((path) => fs.statSync(pathOfBytes(path), { throwIfNoEntry: false }) ?? []);
  return {
    follow(location) {
      try {
        const real = fs.realpathSync.native(pathOfBytes(location), { encoding: 'latin1' });
        const stats = fs.lstatSync(pathOfBytes(real));
        const isBarred = stats.isDirectory() && [...open, ...neverStats].some((folder) => isSame(folder, stats));
        return isBarred ? undefined : { location: real, stats };
      } catch (error) {
        if (['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'ENAMETOOLONG'].includes(errnoOf(error) ?? '')) return undefined;
        throw error;
      }
    },
    isNever: (facts) => neverStats.some((one) => isSame(one, facts)),
  };
}

function walkedFile(walked: Walked, location: ByteString): WalkedFile {
  if (walked.facts.links < 2) return { type: 'file', ...walked, location };
  // Only files with several names pay for exact numbers, which plain stats round beyond 2^53.
  const { dev, ino } = fs.lstatSync(pathOfBytes(location), { bigint: true });
  return { type: 'file', ...walked, location, link: `${dev}:${ino}` };
}

function walkedSymlink(walked: Walked, location: ByteString): ReturnType<typeof lookAt> {
  const target = fs.readlinkSync(pathOfBytes(location), { encoding: 'latin1' });
  if (target.length >= 1 && target.length <= limits.targetBytes) return { type: 'symlink', ...walked, target };
  return problem(
    walked.path,
    'too-long',
    `the target of the link ${displayBytes(walked.path)} has ${target.length} bytes`,
  );
}

function problem(path: ByteString, reason: SourceProblem['reason'], message: string): WalkEvent & { type: 'problem' } {
  return { type: 'problem', problem: { path, reason, message } };
}

function kindOfSpecial(stats: Stats): string {
  if (stats.isSocket()) return 'a socket';
  if (stats.isFIFO()) return 'a named pipe';
  return stats.isBlockDevice() || stats.isCharacterDevice() ? 'a device' : 'no file, folder or link';
}
