/**
 * What differs between two trees, streaming: parts that are the same blob on both sides are skipped unread, so the cost
 * goes with the differences and not with the trees.
 */
import { throwIfInterrupted } from '../backend/interrupted.ts';
import { joinBytes, type ByteString } from '../format/byte-name.ts';
import type { BlobId } from '../format/ids.ts';
import type { TreeEntry } from '../format/tree.ts';
import type { ReadBlob } from './blobs.ts';
import { isSameTime } from './file-time.ts';
import { checkDepth, childParts, readPart, type ReadTreeOptions, type TreePart } from './tree-reader.ts';

/**
 * One path that differs: `modified` is other bytes or another link target, `metadata` is only another mode, owner or
 * time. A path whose type changed is `removed` and then `added`; so is everything in a directory that came or went.
 */
export type TreeDifference =
  | { readonly kind: 'added'; readonly path: ByteString; readonly after: TreeEntry }
  | { readonly kind: 'removed'; readonly path: ByteString; readonly before: TreeEntry }
  | {
      readonly kind: 'modified' | 'metadata';
      readonly path: ByteString;
      readonly before: TreeEntry;
      readonly after: TreeEntry;
    };

/** The differences from the tree `before` to the tree `after`, depth first by name; undefined is an empty tree. */
export async function* compareTrees(
  readBlob: ReadBlob,
  before: BlobId | undefined,
  after: BlobId | undefined,
  { signal }: ReadTreeOptions = {},
): AsyncGenerator<TreeDifference> {
  if (before === after) return;
  const open = [openPair(readBlob, '', before, after)];
  for (let pair = open.at(-1); pair !== undefined; pair = open.at(-1)) {
    throwIfInterrupted(signal, 'comparing trees');
    const entries = await nextPair(pair);
    if (entries === undefined) {
      open.pop();
      continue;
    }
    const path = joinBytes(pair.path, entries.before?.name ?? entries.after?.name ?? '');
    yield* differencesOf(path, entries);
    const from = treeOf(entries.before);
    const to = treeOf(entries.after);
    if (from === to) continue;
    checkDepth(open.length, path);
    open.push(openPair(readBlob, path, from, to));
  }
}

/** Whether two entries have the same mode, owner and time. */
export function isSameMetadata(a: TreeEntry, b: TreeEntry): boolean {
  return a.mode === b.mode && a.owner[0] === b.owner[0] && a.owner[1] === b.owner[1] && isSameTime(a.mtime, b.mtime);
}

interface EntryPair {
  readonly before: TreeEntry | undefined;
  readonly after: TreeEntry | undefined;
}

function* differencesOf(path: ByteString, { before, after }: EntryPair): Generator<TreeDifference> {
  if (before !== undefined && after !== undefined && before.type === after.type) {
    if (!isSameContent(before, after)) yield { kind: 'modified', path, before, after };
    else if (!isSameMetadata(before, after)) yield { kind: 'metadata', path, before, after };
    return;
  }
  if (before !== undefined) yield { kind: 'removed', path, before };
  if (after !== undefined) yield { kind: 'added', path, after };
}

/** Of two entries of one type; what is in directories is compared entry by entry. */
function isSameContent(before: TreeEntry, after: TreeEntry): boolean {
  if (before.type === 'file' && after.type === 'file') return before.sha256 === after.sha256;
  if (before.type === 'symlink' && after.type === 'symlink') return before.target === after.target;
  return true;
}

function treeOf(entry: TreeEntry | undefined): BlobId | undefined {
  return entry?.type === 'directory' ? entry.tree : undefined;
}

/** Two versions of one directory, read side by side. */
interface OpenPair {
  readonly path: ByteString;
  readonly before: Cursor;
  readonly after: Cursor;
}

function openPair(
  readBlob: ReadBlob,
  path: ByteString,
  before: BlobId | undefined,
  after: BlobId | undefined,
): OpenPair {
  return { path, before: openCursor(readBlob, before), after: openCursor(readBlob, after) };
}

/** The next name of either side with its entries, undefined at the end; equal parts are passed over. */
async function nextPair({ before, after }: OpenPair): Promise<EntryPair | undefined> {
  for (;;) {
    const a = before.head();
    const b = after.head();
    if (a === undefined && b === undefined) return undefined;
    if (isPart(a) && isPart(b) && a.id === b.id) {
      before.skip();
      after.skip();
    } else if (isPart(a) || isPart(b)) {
      // Of two parts the higher one is opened, so that both sides come to the same level, where parts can be equal.
      const levelA = isPart(a) ? levelOf(a) : -1;
      const levelB = isPart(b) ? levelOf(b) : -1;
      if (levelA >= levelB) await before.expand();
      if (levelB >= levelA) await after.expand();
    } else if (b === undefined || (a !== undefined && a.name < b.name)) {
      before.skip();
      return { before: a, after: undefined };
    } else if (a === undefined || b.name < a.name) {
      after.skip();
      return { before: undefined, after: b };
    } else {
      before.skip();
      after.skip();
      return { before: a, after: b };
    }
  }
}

type CursorItem = TreePart | TreeEntry;

function isPart(item: CursorItem | undefined): item is TreePart {
  return item !== undefined && 'id' in item;
}

/** A root may be of any level. */
function levelOf(part: TreePart): number {
  return part.expected?.level ?? Infinity;
}

/** What is left of a directory: entries, and parts that were not read yet. */
interface Cursor {
  head(): CursorItem | undefined;
  skip(): void;
  /** Replaces the part at the head by what is in it. */
  expand(): Promise<void>;
}

function openCursor(readBlob: ReadBlob, id: BlobId | undefined): Cursor {
  /** In reverse: the head is the last item. */
  const items: CursorItem[] = id === undefined ? [] : [{ id }];
  return {
    head: () => items.at(-1),
    skip: () => void items.pop(),
    async expand() {
      const part = items.pop();
      if (!isPart(part)) throw new TypeError('expected a part of a tree at the head');
      const blob = await readPart(readBlob, part);
      const inside: readonly CursorItem[] = 'entries' in blob ? blob.entries : childParts(blob, part.after);
      for (let i = inside.length - 1; i >= 0; i -= 1) items.push(inside[i] as CursorItem);
    },
  };
}

/** The time of a folder changes with everything that comes and goes in it. */
export function isOnlyFolderTime(one: TreeDifference): boolean {
  if (one.kind !== 'metadata' || one.after.type !== 'directory') return false;
  return one.before.mode === one.after.mode && one.before.owner.join() === one.after.owner.join();
}
