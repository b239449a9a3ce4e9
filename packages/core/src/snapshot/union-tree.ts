/**
 * A snapshot as one tree: its collections laid over each other.
 *
 * Each collection has its own files and the folders that lead to them, so the same folder may stand in several trees: it
 * is merged. Of what else has one name in several trees, which no writer makes, the first wins. Streaming: holds one blob
 * of each level of each tree that is open.
 */
import type { MbkError } from '../errors.ts';
import { joinBytes, type ByteString } from '../format/byte-name.ts';
import type { BlobId } from '../format/ids.ts';
import type { DirectoryEntry, FileEntry, SymlinkEntry, TreeEntry } from '../format/tree.ts';
import type { ReadBlob } from './blobs.ts';
import { checkDepth, findEntry, readLeaves, readTree, type ReadTreeOptions } from './tree-reader.ts';

/** A tree, and the collection that it belongs to. */
export interface UnionPart {
  readonly collection: string;
  readonly tree: BlobId;
}

/** A file or link, of one collection. */
export interface UnionLeaf {
  /** Names joined by `/`, from the root. */
  readonly path: ByteString;
  readonly entry: FileEntry | SymlinkEntry;
  readonly collection: string;
}

/** A folder: mode, owner and time are those of the first part. */
export interface UnionDirectory {
  readonly path: ByteString;
  readonly entry: DirectoryEntry;
  /** Collection of the first part. */
  readonly collection: string;
  /** The trees that together are the folder, in the order of the parts above; at least one. */
  readonly parts: readonly UnionPart[];
}

export type UnionEntry = UnionLeaf | UnionDirectory;

/**
 * The parts of a whole snapshot, for the functions below: the newest capture first, so that a folder that several
 * collections share has the mode and the time that it had last.
 */
export function unionParts(
  collections: readonly { readonly name: string; readonly takenAt: string; readonly tree: BlobId }[],
): UnionPart[] {
  return collections
    .toSorted((a, b) => (a.takenAt === b.takenAt ? 0 : a.takenAt > b.takenAt ? -1 : 1))
    .map(({ name, tree }) => ({ collection: name, tree }));
}

/** Whether the entry is a folder, which has parts. */
export function isUnionDirectory(entry: UnionEntry): entry is UnionDirectory {
  return 'parts' in entry;
}

export interface ReadUnionOptions extends Omit<ReadTreeOptions, 'onBroken'> {
  /** Hears of what cannot be read, which is left out; without it such an error is thrown. */
  readonly onBroken?: ((broken: BrokenFolder) => void) | undefined;
  /** Path of the folder that `parts` are; `''`, the root, unless given. */
  readonly base?: ByteString | undefined;
}

/** A part of a folder that cannot be read: some of its entries, of one collection. */
export interface BrokenFolder {
  readonly path: ByteString;
  readonly collection: string;
  readonly error: MbkError;
}

/** The entries of the folder that `parts` are, by name. */
export async function* readUnion(
  readBlob: ReadBlob,
  parts: readonly UnionPart[],
  options: ReadUnionOptions = {},
): AsyncGenerator<UnionEntry> {
  for await (const entries of readUnionSome(readBlob, parts, options)) yield* entries;
}

/** The same, some entries at a time. */
async function* readUnionSome(
  readBlob: ReadBlob,
  parts: readonly UnionPart[],
  options: ReadUnionOptions,
): AsyncGenerator<readonly UnionEntry[]> {
  const { base = '', signal, onBroken } = options;
  const [only, ...others] = parts;
  if (only === undefined) return;
  if (others.length > 0) {
    yield* mergeParts(readBlob, parts, options);
    return;
  }
  const { collection, tree } = only;
  const tell = onBroken && ((_: BlobId, error: MbkError): void => onBroken({ path: base, collection, error }));
  for await (const entries of readLeaves(readBlob, tree, { signal, onBroken: tell })) {
    yield entries.map((entry) => single(joinBytes(base, entry.name), collection, entry));
  }
}

/** As many entries are merged before they are handed over. */
const mergedAtOnce = 256;

async function* mergeParts(
  readBlob: ReadBlob,
  parts: readonly UnionPart[],
  { base = '', signal, onBroken }: ReadUnionOptions,
): AsyncGenerator<readonly UnionEntry[]> {
  const cursors: Cursor[] = [];
  for (const { collection, tree } of parts) {
    const tell = onBroken && ((_: BlobId, error: MbkError): void => onBroken({ path: base, collection, error }));
    const cursor = { collection, entries: readTree(readBlob, tree, { signal, onBroken: tell }), head: undefined };
    await advance(cursor);
    cursors.push(cursor);
  }
  let ready: UnionEntry[] = [];
  for (let name = leastName(cursors); name !== undefined; name = leastName(cursors)) {
    const found: FoundEntry[] = [];
    for (const cursor of cursors) {
      if (cursor.head?.name !== name) continue;
      found.push({ collection: cursor.collection, entry: cursor.head });
      await advance(cursor);
    }
    const merged = merge(joinBytes(base, name), found);
    if (merged !== undefined) ready.push(merged);
    if (ready.length < mergedAtOnce) continue;
    yield ready;
    ready = [];
  }
  if (ready.length > 0) yield ready;
}

/** What is at `path`, names joined by `/`; undefined when there is nothing. Reads one blob of each level of each tree. */
export async function findInUnion(
  readBlob: ReadBlob,
  parts: readonly UnionPart[],
  path: ByteString,
  options: ReadTreeOptions = {},
): Promise<UnionEntry | undefined> {
  let here: UnionEntry | undefined;
  let open = parts;
  let at: ByteString = '';
  for (const name of path.split('/')) {
    if (here !== undefined && !isUnionDirectory(here)) return undefined;
    const found: FoundEntry[] = [];
    for (const { collection, tree } of open) {
      const entry = await findEntry(readBlob, tree, name, options);
      if (entry !== undefined) found.push({ collection, entry });
    }
    at = joinBytes(at, name);
    here = merge(at, found);
    if (here === undefined) return undefined;
    open = isUnionDirectory(here) ? here.parts : [];
  }
  return here;
}

export interface WalkUnionOptions extends ReadUnionOptions {
  /** Whether to go into a folder; all of them unless given. */
  readonly enter?: ((directory: UnionDirectory) => boolean) | undefined;
}

/** Everything below the folder that `parts` are, depth first: a folder, then what is in it, in the order of names. */
export async function* walkUnion(
  readBlob: ReadBlob,
  parts: readonly UnionPart[],
  options: WalkUnionOptions = {},
): AsyncGenerator<UnionEntry> {
  for await (const entries of walkUnionSome(readBlob, parts, options)) yield* entries;
}

/** The same, some entries at a time; a folder is the last of those that it comes with. */
export async function* walkUnionSome(
  readBlob: ReadBlob,
  parts: readonly UnionPart[],
  { base = '', enter = () => true, signal, onBroken }: WalkUnionOptions = {},
): AsyncGenerator<readonly UnionEntry[]> {
  const openFolder = (path: ByteString, of: readonly UnionPart[]): OpenFolder => {
    return { rest: readUnionSome(readBlob, of, { base: path, signal, onBroken }), entries: [], next: 0 };
  };
  // A stack of iterators in place of recursion: each entry passes one generator, not one for each folder above it.
  const open = [openFolder(base, parts)];
  for (let folder = open.at(-1); folder !== undefined; folder = open.at(-1)) {
    if (folder.next === folder.entries.length) {
      const { done, value } = await folder.rest.next();
      if (done === true) open.pop();
      else Object.assign(folder, { entries: value, next: 0 });
      continue;
    }
    const { entries, next } = folder;
    let end = next;
    while (end < entries.length && entries[end]?.entry.type !== 'directory') end += 1;
    folder.next = Math.min(end + 1, entries.length);
    yield entries.slice(next, folder.next);
    const last = entries[end];
    if (last !== undefined && isUnionDirectory(last) && enter(last)) {
      checkDepth(open.length, last.path);
      open.push(openFolder(last.path, last.parts));
    }
  }
}

interface OpenFolder {
  readonly rest: AsyncGenerator<readonly UnionEntry[]>;
  entries: readonly UnionEntry[];
  /** The first of `entries` that was not yet handed over. */
  next: number;
}

interface Cursor {
  readonly collection: string;
  readonly entries: AsyncGenerator<TreeEntry>;
  /** The next entry; undefined at the end. */
  head: TreeEntry | undefined;
}

async function advance(cursor: Cursor): Promise<void> {
  const { done, value } = await cursor.entries.next();
  cursor.head = done === true ? undefined : value;
}

function leastName(cursors: readonly Cursor[]): ByteString | undefined {
  let least: ByteString | undefined;
  for (const { head } of cursors) {
    if (head !== undefined && (least === undefined || head.name < least)) least = head.name;
  }
  return least;
}

interface FoundEntry {
  readonly collection: string;
  readonly entry: TreeEntry;
}

/** An entry of one tree. */
function single(path: ByteString, collection: string, entry: TreeEntry): UnionEntry {
  return entry.type === 'directory'
    ? { path, collection, entry, parts: [{ collection, tree: entry.tree }] }
    : { path, collection, entry };
}

/** One entry of what several trees have under one name. */
function merge(path: ByteString, found: readonly FoundEntry[]): UnionEntry | undefined {
  const [first] = found;
  if (first === undefined) return undefined;
  const { collection, entry } = first;
  if (found.length === 1 || entry.type !== 'directory') return single(path, collection, entry);
  const parts = found.flatMap((one) =>
    one.entry.type === 'directory' ? [{ collection: one.collection, tree: one.entry.tree }] : [],
  );
  return { path, collection, entry, parts };
}
