/**
 * `mbk diff`: what differs between two snapshots, or between a snapshot and the folder as it is now.
 *
 * Snapshots are compared tree by tree, collection by collection; what is the same blob on both sides is not read. A file
 * that went away at one path and came at another with the same bytes was moved.
 */
import { encodeByteText, type ByteString, type ByteText } from '../format/byte-name.ts';
import type { BlobId, CommitId } from '../format/ids.ts';
import { MbkError } from '../errors.ts';
import type { FileEntry, TreeEntry } from '../format/tree.ts';
import type { Repository } from '../repository.ts';
import { compareTrees, isOnlyFolderTime, type TreeDifference } from '../snapshot/compare-trees.ts';
import { findPath } from '../snapshot/tree-reader.ts';
import { isUnionDirectory, type UnionPart } from '../snapshot/union-tree.ts';
import { compareWithFolder, type FolderSource } from './diff-folder.ts';
import { pathCandidates } from './path-argument.ts';
import { openFiles, type OpenedFiles } from './snapshot-files.ts';

export type { FolderSource } from './diff-folder.ts';

export interface DiffRequest {
  readonly before: string;
  /** Another revision, or the source as it is now. */
  readonly after: string | FolderSource;
  /** Only what is at or below these; everything without any. */
  readonly paths: readonly string[];
}

/** One path that differs. Folders are told only where something of their own changed. */
export interface Difference {
  readonly kind: 'added' | 'removed' | 'modified' | 'metadata' | 'moved';
  readonly path: ByteText;
  /** Where it was before: of `moved`. */
  readonly from: ByteText | null;
  readonly type: 'file' | 'directory' | 'symlink';
  /** Bytes of files; null for all else and where there was or is none. */
  readonly sizeBefore: number | null;
  readonly sizeAfter: number | null;
  readonly collection: string | null;
}

export interface DiffReport {
  readonly before: CommitId;
  /** Null for a folder. */
  readonly after: CommitId | null;
  readonly added: number;
  readonly removed: number;
  readonly modified: number;
  readonly metadata: number;
  readonly moved: number;
  /** Plain bytes of files that came, and that went. */
  readonly bytesAdded: number;
  readonly bytesRemoved: number;
  /** Sorted by path. Held in memory, as moves are found only when everything was seen: about 500 bytes for each. */
  readonly differences: readonly Difference[];
  /** Paths of the folder that could not be read. */
  readonly problems: readonly { readonly path: ByteText; readonly message: string }[];
}

/** A difference with the collection that it is in, before moves are found. */
export type FoundDifference = TreeDifference & { readonly collection: string | null };

/** Compares. Errors: those of `openFiles`, `source-absent`, `interrupted`, those of reading blobs. */
export async function diffSnapshots(repository: Repository, request: DiffRequest): Promise<DiffReport> {
  const { after } = request;
  const left = await openFiles(repository, request.before);
  const wanted = pathFilter(request.paths);
  const problems: { path: ByteText; message: string }[] = [];
  const found: FoundDifference[] = [];
  let commit: CommitId | null = null;
  if (typeof after === 'string') {
    const right = await openFiles(repository, after);
    commit = right.commit;
    for await (const one of compareSnapshots(repository, left, right)) if (wanted(one.path)) found.push(one);
  } else {
    refuseLeaf(left, request.before);
    const onProblem = (path: ByteString, message: string): void =>
      void problems.push({ path: encodeByteText(path), message });
    const parts = left.parts.filter(({ collection }) => after.holds?.(collection) ?? true);
    found.push(...(await compareWithFolder(repository, parts, after, { wanted, onProblem })));
  }
  const differences = withMoves(found);
  return { before: left.commit, after: commit, ...totalsOf(differences), differences, problems };
}

async function* compareSnapshots(
  repository: Repository,
  left: OpenedFiles,
  right: OpenedFiles,
): AsyncGenerator<FoundDifference> {
  const { readBlob, signal } = repository;
  if (isLeaf(left) || isLeaf(right)) {
    const [before, after] = [leafOf(left), leafOf(right)];
    if (before === undefined || after === undefined)
      throw new MbkError('usage-invalid', 'a file can be compared with a file only, a folder with a folder');
    yield* compareLeaves(before, after);
    return;
  }
  const trees = (parts: readonly UnionPart[]): Map<string, BlobId> =>
    new Map(parts.map(({ collection, tree }) => [collection, tree]));
  const [before, after] = [trees(left.parts), trees(right.parts)];
  const folders = new Set<ByteString>();
  for (const collection of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    for await (const one of compareTrees(readBlob, before.get(collection), after.get(collection), { signal })) {
      if (isOnlyFolderTime(one)) continue;
      // A folder stands in the tree of every collection that has something in it: it is told once, if it is new to all.
      if (isFolder(one) && (folders.has(one.path) || (await isElsewhere(one, collection)))) continue;
      if (isFolder(one)) folders.add(one.path);
      yield { ...one, collection };
    }
  }

  /** Whether a folder that came or went in this collection stands on the other side in another one. */
  async function isElsewhere(one: TreeDifference, collection: string): Promise<boolean> {
    if (one.kind !== 'added' && one.kind !== 'removed') return false;
    for (const [name, tree] of one.kind === 'added' ? before : after) {
      if (name !== collection && (await findPath(readBlob, tree, one.path, { signal }))?.type === 'directory')
        return true;
    }
    return false;
  }
}

function isFolder(one: TreeDifference): boolean {
  return ('after' in one ? one.after : one.before).type === 'directory';
}

function isLeaf({ entry }: OpenedFiles): boolean {
  return entry !== undefined && !isUnionDirectory(entry);
}

function leafOf({
  entry,
}: OpenedFiles): { readonly path: ByteString; readonly entry: TreeEntry; readonly collection: string } | undefined {
  return entry === undefined || isUnionDirectory(entry) ? undefined : entry;
}

function* compareLeaves(
  before: NonNullable<ReturnType<typeof leafOf>>,
  after: NonNullable<ReturnType<typeof leafOf>>,
): Generator<FoundDifference> {
  const { path, collection } = after;
  if (before.entry.type !== after.entry.type) {
    yield { kind: 'removed', path, before: before.entry, collection };
    yield { kind: 'added', path, after: after.entry, collection };
    return;
  }
  const isSame =
    before.entry.type === 'file' && after.entry.type === 'file'
      ? before.entry.sha256 === after.entry.sha256
      : before.entry.type === 'symlink' && after.entry.type === 'symlink' && before.entry.target === after.entry.target;
  if (!isSame) yield { kind: 'modified', path, before: before.entry, after: after.entry, collection };
}

function refuseLeaf(files: OpenedFiles, revision: string): void {
  if (files.entry === undefined) return;
  throw new MbkError(
    'usage-invalid',
    `${revision} names a path; to compare one with the folder, write the path behind --`,
    { details: { revision } },
  );
}

/** Whether a path is at or below one of those that were asked for. */
function pathFilter(paths: readonly string[]): (path: ByteString) => boolean {
  const wanted = paths.flatMap(pathCandidates);
  if (wanted.length === 0 || wanted.includes('')) return () => true;
  return (path) => wanted.some((one) => path === one || path.startsWith(`${one}/`));
}

/** The differences by path; a removed and an added file with the same bytes are one that was moved. */
function withMoves(found: readonly FoundDifference[]): Difference[] {
  const gone = new Map<BlobId, (FoundDifference & { readonly before: FileEntry })[]>();
  for (const one of found) {
    if (one.kind !== 'removed' || one.before.type !== 'file' || one.before.size === 0) continue;
    const { sha256 } = one.before;
    gone.set(sha256, [...(gone.get(sha256) ?? []), { ...one, before: one.before }]);
  }
  const moved = new Set<ByteString>();
  const rows: { readonly path: ByteString; readonly row: Difference }[] = [];
  for (const one of found) {
    if (one.kind !== 'added' || one.after.type !== 'file') continue;
    const source = gone.get(one.after.sha256)?.shift();
    if (source === undefined) continue;
    moved.add(source.path);
    moved.add(one.path);
    if (source.path === one.path) continue; // it only went from one collection to another
    rows.push({
      path: one.path,
      row: { ...rowOf(one), kind: 'moved', from: encodeByteText(source.path), sizeBefore: source.before.size },
    });
  }
  for (const one of found) {
    const isHalfOfMove =
      (one.kind === 'added' || one.kind === 'removed') && moved.has(one.path) && entryOf(one).type === 'file';
    if (!isHalfOfMove) rows.push({ path: one.path, row: rowOf(one) });
  }
  return rows
    .sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : order(a.row) - order(b.row)))
    .map(({ row }) => row);
}

/** What went stands before what came in its place. */
function order({ kind }: Difference): number {
  return kind === 'removed' ? 0 : 1;
}

function entryOf(one: TreeDifference): TreeEntry {
  return 'after' in one ? one.after : one.before;
}

function rowOf(one: FoundDifference): Difference {
  const size = (entry: TreeEntry | undefined): number | null => (entry?.type === 'file' ? entry.size : null);
  return {
    kind: one.kind,
    path: encodeByteText(one.path),
    from: null,
    type: entryOf(one).type,
    sizeBefore: size('before' in one ? one.before : undefined),
    sizeAfter: size('after' in one ? one.after : undefined),
    collection: one.collection,
  };
}

function totalsOf(
  differences: readonly Difference[],
): Omit<DiffReport, 'before' | 'after' | 'differences' | 'problems'> {
  const totals = { added: 0, removed: 0, modified: 0, metadata: 0, moved: 0, bytesAdded: 0, bytesRemoved: 0 };
  for (const { kind, sizeBefore, sizeAfter } of differences) {
    totals[kind] += 1;
    if (kind === 'added' || kind === 'modified') totals.bytesAdded += sizeAfter ?? 0;
    if (kind === 'removed' || kind === 'modified') totals.bytesRemoved += sizeBefore ?? 0;
  }
  return totals;
}
