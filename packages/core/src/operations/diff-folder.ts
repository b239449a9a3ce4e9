/**
 * A snapshot held against the folder as it is now: one walk of both, side by side.
 *
 * A file is taken for the same when size and time are; with another time its bytes are hashed; with another size it
 * differs.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { errnoOf } from '../backend/local-file-system.ts';
import { throwIfInterrupted } from '../backend/interrupted.ts';
import { bufferOfBytes, type ByteString } from '../format/byte-name.ts';
import { asBlobId, type BlobId } from '../format/ids.ts';
import type { TreeEntry } from '../format/tree.ts';
import type { Repository } from '../repository.ts';
import { isSameMetadata, type TreeDifference } from '../snapshot/compare-trees.ts';
import { fileEntry, symlinkEntry } from '../snapshot/entry-of.ts';
import { isSameTime } from '../snapshot/file-time.ts';
import { walkUnion, type UnionEntry, type UnionPart } from '../snapshot/union-tree.ts';
import { walk, type WalkedFile, type WalkedFolder, type WalkedSymlink } from '../snapshot/walk.ts';
import type { FoundDifference } from './diff.ts';

/** The source folder of a project. */
export interface FolderSource {
  /** Absolute path of what the root of the snapshot was taken from. */
  readonly root: ByteString;
  readonly exclude?: ((path: ByteString, isDirectory: boolean) => boolean) | undefined;
  /** Whether a file of the folder belongs to what is compared: to the domain of the snapshot. */
  readonly isPart: (path: ByteString) => boolean;
  /** Whether a collection of the snapshot was taken from the folder; all of them unless given. */
  readonly holds?: ((collection: string) => boolean) | undefined;
}

export interface CompareFolderOptions {
  readonly wanted: (path: ByteString) => boolean;
  readonly onProblem: (path: ByteString, message: string) => void;
}

type Found = WalkedFile | WalkedFolder | WalkedSymlink;

/** In the place of a SHA-256 that was not computed. */
const unknown: BlobId = asBlobId('0'.repeat(64));

/** The differences from the snapshot whose root `parts` are to the folder. Folders that only the folder has are left out. */
export async function compareWithFolder(
  { readBlob, signal }: Repository,
  parts: readonly UnionPart[],
  source: FolderSource,
  { wanted, onProblem }: CompareFolderOptions,
): Promise<FoundDifference[]> {
  const differences: FoundDifference[] = [];
  const unreadable: ByteString[] = [];
  const tell = (path: ByteString, message: string): void => {
    unreadable.push(path);
    onProblem(path, message);
  };
  const stored = walkUnion(readBlob, parts, { signal });
  const current = foundIn(source, tell);
  let left = await next(stored);
  let right = nextFound(current);
  while (left !== undefined || right !== undefined) {
    throwIfInterrupted(signal, 'comparing with the folder');
    const order = left === undefined ? 1 : right === undefined ? -1 : comparePaths(left.path, right.path);
    if (order <= 0 && left !== undefined) {
      const there = order === 0 ? right : undefined;
      if (wanted(left.path) && !isUnreadable(left.path)) differences.push(...(await differencesOf(left, there)));
      left = await next(stored);
    } else if (right !== undefined && right.type !== 'enter' && source.isPart(right.path) && wanted(right.path)) {
      differences.push({ kind: 'added', path: right.path, after: entryOf(right, unknown), collection: null });
    }
    if (order >= 0) right = nextFound(current);
  }
  return withHashes(differences, source, signal);

  /** What could not be read is a problem, and not gone. */
  function isUnreadable(path: ByteString): boolean {
    return unreadable.some((one) => path === one || path.startsWith(`${one}/`));
  }

  async function differencesOf(
    { path, entry, collection }: UnionEntry,
    there: Found | undefined,
  ): Promise<FoundDifference[]> {
    if (there === undefined) return [{ kind: 'removed', path, before: entry, collection }];
    if (typeOf(there) !== entry.type) {
      const removed: FoundDifference = { kind: 'removed', path, before: entry, collection };
      return there.type === 'enter'
        ? [removed]
        : [removed, { kind: 'added', path, after: entryOf(there, unknown), collection }];
    }
    const before = entry;
    const { facts } = there;
    if (before.type === 'directory' || there.type === 'enter') {
      const isSame = before.mode === facts.mode && before.owner.join() === facts.owner.join();
      return isSame || before.type !== 'directory'
        ? []
        : [{ kind: 'metadata', path, before, after: { ...before, mode: facts.mode, owner: facts.owner }, collection }];
    }
    const sha256 =
      before.type === 'file' && there.type === 'file' ? await hashUnlessSame(before, there, tell) : unknown;
    if (sha256 === undefined) return [];
    const after = entryOf(there, sha256);
    const kind = kindOf(before, after);
    return kind === undefined
      ? []
      : [{ kind, path, before, after, collection } satisfies TreeDifference & { collection: string }];
  }
}

function kindOf(before: TreeEntry, after: TreeEntry): 'modified' | 'metadata' | undefined {
  const isSame =
    before.type === 'file' && after.type === 'file'
      ? before.sha256 === after.sha256
      : before.type === 'symlink' && after.type === 'symlink' && before.target === after.target;
  if (!isSame) return 'modified';
  return isSameMetadata(before, after) ? undefined : 'metadata';
}

/** The SHA-256 of the file as far as it matters; undefined, after telling it, when it cannot be read. */
async function hashUnlessSame(
  before: Extract<TreeEntry, { readonly type: 'file' }>,
  { path, location, facts }: WalkedFile,
  tell: (path: ByteString, message: string) => void,
): Promise<BlobId | undefined> {
  if (before.size !== facts.size) return unknown;
  if (isSameTime(before.mtime, facts.mtime)) return before.sha256;
  const found = await hashFile(location);
  if (typeof found !== 'string') tell(path, `it cannot be read: ${found.errno}`);
  return typeof found === 'string' ? found : undefined;
}

/** Added files get their hash where a file of that size went away: it may have been moved. */
async function withHashes(
  differences: readonly FoundDifference[],
  { root }: FolderSource,
  signal: AbortSignal | undefined,
): Promise<FoundDifference[]> {
  const sizes = new Set(
    differences.flatMap((one) => (one.kind === 'removed' && one.before.type === 'file' ? [one.before.size] : [])),
  );
  const hashed: FoundDifference[] = [];
  for (const one of differences) {
    throwIfInterrupted(signal, 'comparing with the folder');
    if (one.kind !== 'added' || one.after.type !== 'file' || one.after.size === 0 || !sizes.has(one.after.size)) {
      hashed.push(one);
      continue;
    }
    const found = await hashFile(`${root}/${one.path}`);
    hashed.push(typeof found === 'string' ? { ...one, after: { ...one.after, sha256: found } } : one);
  }
  return hashed;
}

function* foundIn(
  { root, exclude }: FolderSource,
  tell: (path: ByteString, message: string) => void,
): Generator<Found> {
  for (const event of walk(root, exclude === undefined ? {} : { exclude })) {
    if (event.type === 'problem') {
      if (event.problem.reason !== 'special' && event.problem.reason !== 'vanished')
        tell(event.problem.path, event.problem.message);
    } else if (event.type !== 'leave' && event.path !== '') yield event;
  }
}

function nextFound(found: Generator<Found>): Found | undefined {
  const { done, value } = found.next();
  return done === true ? undefined : value;
}

async function next(entries: AsyncGenerator<UnionEntry>): Promise<UnionEntry | undefined> {
  const { done, value } = await entries.next();
  return done === true ? undefined : value;
}

/** Order of a walk, depth first by names: `a/b` stands before `a-b`. */
function comparePaths(a: ByteString, b: ByteString): number {
  // No name holds a zero byte or a slash: with the one for the other, the order of texts is the order of the walk.
  const [left, right] = [a.replaceAll('/', '\0'), b.replaceAll('/', '\0')];
  return left < right ? -1 : left > right ? 1 : 0;
}

function typeOf({ type }: Found): TreeEntry['type'] {
  return type === 'enter' ? 'directory' : type;
}

function entryOf(found: WalkedFile | WalkedSymlink, sha256: BlobId): TreeEntry {
  const { name, facts } = found;
  if (found.type === 'symlink') return symlinkEntry(name, facts, found.target);
  return fileEntry(name, facts, { size: facts.size, sha256 });
}

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants;
const readBytes = 1024 * 1024;

async function hashFile(location: ByteString): Promise<BlobId | { readonly errno: string }> {
  let fd: number | undefined;
  try {
    fd = fs.openSync(bufferOfBytes(location), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const hash = createHash('sha256');
    const buffer = new Uint8Array(readBytes);
    for (let reads = 1; ; reads += 1) {
      const length = fs.readSync(fd, buffer);
      if (length === 0) return asBlobId(hash.digest('hex'));
      hash.update(buffer.subarray(0, length));
      if (reads % 16 === 0) await setImmediate();
    }
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined) throw error;
    return { errno };
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}
