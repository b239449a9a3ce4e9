/**
 * Reads directories of a snapshot from their blobs, which are hostile: a tree is what docs/format.md (Trees) says, with
 * names in order over all its blobs, or it is 'value-invalid'. Holds one blob of each level.
 */
import { throwIfInterrupted } from '../backend/interrupted.ts';
import { isMbkError, MbkError } from '../errors.ts';
import { displayBytes, joinBytes, type ByteString } from '../format/byte-name.ts';
import type { BlobId } from '../format/ids.ts';
import { limits } from '../format/limits.ts';
import { decodeTree, type TreeChild, type TreeEntry, type TreeLeaf, type TreeNode } from '../format/tree.ts';
import type { ReadBlob } from './blobs.ts';

export interface ReadTreeOptions {
  readonly signal?: AbortSignal | undefined;
  /**
   * Hears of every blob of a tree that cannot be had or is not sound; what it holds is left out, the rest goes on. Without
   * it such an error is thrown. `findEntry` and `findPath` throw always.
   */
  readonly onBroken?: ((id: BlobId, error: MbkError) => void) | undefined;
}

/** What a parent, or the place in the tree, says of a blob; it is checked before the blob is used. */
export interface TreePart {
  readonly id: BlobId;
  /** Undefined at the root of a directory. */
  readonly expected?: { readonly level: number; readonly count: number; readonly last: ByteString };
  /** All names below are behind this one. */
  readonly after?: ByteString | undefined;
}

/** The entries of the directory whose tree is `id`, in order. */
export async function* readTree(
  readBlob: ReadBlob,
  id: BlobId,
  options: ReadTreeOptions = {},
): AsyncGenerator<TreeEntry> {
  for await (const entries of readLeaves(readBlob, id, options)) yield* entries;
}

/** The same, a leaf at a time: to hand over entry by entry takes longer than reading them. */
export function readLeaves(
  readBlob: ReadBlob,
  id: BlobId,
  options: ReadTreeOptions = {},
): AsyncGenerator<readonly TreeEntry[]> {
  return leavesBelow(readBlob, { id }, options);
}

/** The entry `name` of the directory whose tree is `id`; undefined when there is none. Reads one blob of each level. */
export async function findEntry(
  readBlob: ReadBlob,
  id: BlobId,
  name: ByteString,
  { signal }: ReadTreeOptions = {},
): Promise<TreeEntry | undefined> {
  for (let part: TreePart | undefined = { id }; part !== undefined;) {
    throwIfInterrupted(signal, 'reading a tree');
    const blob: TreeLeaf | TreeNode = await readPart(readBlob, part);
    if ('entries' in blob) return blob.entries.find((entry) => entry.name === name);
    part = childParts(blob, part.after).find((child) => name <= (child.expected?.last ?? ''));
  }
  return undefined;
}

/** The entry at `path`, names joined by `/`, below the tree `id`; undefined when there is none. */
export async function findPath(
  readBlob: ReadBlob,
  id: BlobId,
  path: ByteString,
  options: ReadTreeOptions = {},
): Promise<TreeEntry | undefined> {
  let entry: TreeEntry | undefined;
  let tree = id;
  for (const name of path.split('/')) {
    if (entry !== undefined && entry.type !== 'directory') return undefined;
    entry = await findEntry(readBlob, tree, name, options);
    if (entry === undefined) return undefined;
    if (entry.type === 'directory') tree = entry.tree;
  }
  return entry;
}

export interface WalkedEntry {
  /** Names joined by `/`, from the root of the tree. */
  readonly path: ByteString;
  readonly entry: TreeEntry;
}

export interface WalkTreeOptions extends ReadTreeOptions {
  /** Whether to go into a directory; all of them unless given. */
  readonly enter?: (path: ByteString) => boolean;
  /** What `path` of the root is; `''` unless given. */
  readonly base?: ByteString;
}

/** Everything below the tree `id`, depth first: a directory, then what is in it, in the order of names. */
export async function* walkTree(
  readBlob: ReadBlob,
  id: BlobId,
  { enter = () => true, base = '', signal }: WalkTreeOptions = {},
): AsyncGenerator<WalkedEntry> {
  // A stack of iterators in place of recursion: each entry passes one generator, not one for each directory above it.
  const open = [{ path: base, entries: readTree(readBlob, id, { signal }) }];
  for (let directory = open.at(-1); directory !== undefined; directory = open.at(-1)) {
    const { done, value: entry } = await directory.entries.next();
    if (done === true) {
      open.pop();
      continue;
    }
    const path = joinBytes(directory.path, entry.name);
    yield { path, entry };
    if (entry.type === 'directory' && enter(path)) {
      checkDepth(open.length, path);
      open.push({ path, entries: readTree(readBlob, entry.tree, { signal }) });
    }
  }
}

/** 'value-invalid' when `depth` directories lie in each other above `path` and there may not be one more. */
export function checkDepth(depth: number, path: ByteString): void {
  if (depth <= limits.directoryDepth) return;
  const start = displayBytes(path.slice(0, 100));
  throw new MbkError(
    'value-invalid',
    `more than ${limits.directoryDepth} directories lie in each other below ${start}…`,
  );
}

async function* leavesBelow(
  readBlob: ReadBlob,
  part: TreePart,
  options: ReadTreeOptions,
): AsyncGenerator<readonly TreeEntry[]> {
  throwIfInterrupted(options.signal, 'reading a tree');
  const blob = await readPartOrTell(readBlob, part, options);
  if (blob === undefined) return;
  if ('entries' in blob) {
    yield blob.entries;
    return;
  }
  for (const child of childParts(blob, part.after)) yield* leavesBelow(readBlob, child, options);
}

async function readPartOrTell(
  readBlob: ReadBlob,
  part: TreePart,
  { onBroken }: ReadTreeOptions,
): Promise<TreeLeaf | TreeNode | undefined> {
  try {
    return await readPart(readBlob, part);
  } catch (error) {
    const isBroken = isMbkError(
      error,
      'blob-absent',
      'entry-absent',
      'entry-damaged',
      'value-invalid',
      'backend-read-short',
      'codec-unknown',
    );
    if (onBroken === undefined || !isBroken) throw error;
    onBroken(part.id, error);
    return undefined;
  }
}

/** One blob of a tree, checked against what its place says. */
export async function readPart(readBlob: ReadBlob, part: TreePart): Promise<TreeLeaf | TreeNode> {
  const what = `tree ${part.id}`;
  const blob = decodeTree(await readBlob(part.id, 'tree'), what);
  const invalid = (message: string): MbkError => new MbkError('value-invalid', `${what}: ${message}`);
  const { expected, after } = part;
  const first = 'entries' in blob ? blob.entries[0]?.name : undefined;
  if (after !== undefined && first !== undefined && first <= after) throw invalid('names are not in order');
  if (expected === undefined) return blob;
  if (blob.level !== expected.level) throw invalid(`level ${blob.level}, its parent says ${expected.level}`);
  const [count, last] =
    'entries' in blob
      ? [blob.entries.length, blob.entries.at(-1)?.name]
      : [blob.children.reduce((sum, child) => sum + child.count, 0), blob.children.at(-1)?.last];
  if (count !== expected.count) throw invalid(`${count} entries, its parent says ${expected.count}`);
  if (last !== expected.last) throw invalid('its last name is not the one that its parent says');
  return blob;
}

/** The children of `node`, whose names are all behind `after`. */
export function childParts(node: TreeNode, after: ByteString | undefined): readonly TreePart[] {
  return node.children.map((child: TreeChild, i) => {
    const { id, count, last } = child;
    return {
      id,
      expected: { level: node.level - 1, count, last },
      after: i === 0 ? after : node.children[i - 1]?.last,
    };
  });
}
