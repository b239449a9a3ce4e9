/**
 * The files of one snapshot, for looking: what a revision with a path means, a folder's entries, a file's bytes.
 *
 * Collections whose files retention gave up are left out, and what was meant may have been among them: then the error is
 * `capture-expired`, not that there is no such path.
 */
import { MbkError } from '../errors.ts';
import { displayBytes, encodeByteText, type ByteString, type ByteText } from '../format/byte-name.ts';
import type { BlobId, CommitId } from '../format/ids.ts';
import type { FileTime } from '../format/tree.ts';
import { isExpired } from '../log/fold.ts';
import type { Repository } from '../repository.ts';
import { readContent } from '../snapshot/read-content.ts';
import {
  findInUnion,
  isUnionDirectory,
  readUnion,
  unionParts,
  walkUnion,
  type UnionEntry,
  type UnionPart,
} from '../snapshot/union-tree.ts';
import { pathCandidates } from './path-argument.ts';

/** What a revision means, opened. */
export interface OpenedFiles {
  readonly commit: CommitId;
  readonly domain: string;
  /** Undefined where the root of the snapshot is meant. */
  readonly entry: UnionEntry | undefined;
  /** Trees of the folder that is meant; none for a file or link. */
  readonly parts: readonly UnionPart[];
  /** Path of the folder or file, `''` for the root. */
  readonly path: ByteString;
  /** Collections of the snapshot that retention gave up, by name. */
  readonly expired: readonly string[];
}

/**
 * Opens what `REV` or `REV:PATH` means.
 *
 * Errors: `revision-unknown`, `revision-ambiguous`, `path-absent`, `capture-expired`, and those of reading the catalogue
 * and blobs.
 */
export async function openFiles(repository: Repository, revision: string): Promise<OpenedFiles> {
  const { log, signal, readBlob } = repository;
  const { commit, domain, path: pathText = '' } = repository.resolve(revision);
  const { manifest } = await repository.catalogue().readSnapshot(commit, { signal });
  const isGone = ({ name, commit: takenBy }: (typeof manifest.collections)[number]): boolean =>
    isExpired(log.fold, takenBy ?? commit, name);
  const expired = manifest.collections.filter(isGone).map(({ name }) => name);
  const live = manifest.collections.filter((one) => !isGone(one));
  if (live.length === 0 && expired.length > 0) throw captureExpired(revision, expired);
  const parts = unionParts(live);

  const [first = '', ...others] = pathCandidates(pathText);
  if (first === '') return { commit, domain, entry: undefined, parts, path: '', expired };
  for (const path of [first, ...others]) {
    const entry = await findInUnion(readBlob, parts, path, { signal });
    if (entry === undefined) continue;
    return { commit, domain, entry, parts: isUnionDirectory(entry) ? entry.parts : [], path, expired };
  }
  if (expired.length > 0) throw captureExpired(revision, expired);
  throw new MbkError('path-absent', `${displayBytes(first)} is not in snapshot ${commit.slice(0, 12)} of ${domain}`, {
    details: { commit, domain, path: encodeByteText(first) },
  });
}

/** One entry for people and programs; sizes in bytes, times RFC 3339 with nanoseconds. */
export interface ListedEntry {
  readonly path: ByteText;
  readonly type: 'file' | 'directory' | 'symlink';
  readonly mode: number;
  /** Null where the year is beyond what RFC 3339 can say. */
  readonly mtime: string | null;
  readonly owner: readonly [uid: number, gid: number];
  readonly size: number | null;
  readonly sha256: BlobId | null;
  /** Of a symlink. */
  readonly target: ByteText | null;
  /** Collections that a folder is in; one for all else. */
  readonly collections: readonly string[];
  readonly sparse: boolean;
  /** Whether it changed while it was read. */
  readonly changed: boolean;
}

/** What lies in a folder, or below it, by name; of a file or link itself. */
export async function* listFiles(
  { readBlob, signal }: Repository,
  files: OpenedFiles,
  { recursive = false }: { readonly recursive?: boolean | undefined } = {},
): AsyncGenerator<ListedEntry> {
  const { entry, parts, path } = files;
  if (entry !== undefined && !isUnionDirectory(entry)) {
    yield listedEntry(entry);
    return;
  }
  const read = recursive ? walkUnion : readUnion;
  for await (const one of read(readBlob, parts, { base: path, signal })) yield listedEntry(one);
}

/**
 * The bytes of the file that `files` is, checked: against the id of each blob on the way, and at the end against the
 * SHA-256 of the file. Errors: `path-absent` where it is no file, `entry-damaged`, and those of reading blobs.
 */
export async function* readFileBytes(repository: Repository, files: OpenedFiles): AsyncGenerator<Uint8Array> {
  const { readBlob, signal } = repository;
  const { entry, path } = files;
  if (entry?.entry.type !== 'file') {
    const what = entry?.entry.type ?? 'directory';
    const name = displayBytes(path);
    throw new MbkError('path-absent', `${name === '' ? 'the root' : name} is a ${what}, not a file`, {
      details: { path: encodeByteText(path), type: what },
      remedy: what === 'directory' ? 'Name a file in it; `mbk ls` lists them.' : 'Name the file that it points to.',
    });
  }
  yield* readContent(readBlob, entry.entry, { what: displayBytes(path), signal });
}

/** An entry as listings have it. */
export function listedEntry(one: UnionEntry): ListedEntry {
  const { path, entry, collection } = one;
  const { type, mode, mtime, owner } = entry;
  return {
    path: encodeByteText(path),
    type,
    mode,
    mtime: fileTimeText(mtime),
    owner,
    size: entry.type === 'file' ? entry.size : null,
    sha256: entry.type === 'file' ? entry.sha256 : null,
    target: entry.type === 'symlink' ? encodeByteText(entry.target) : null,
    collections: isUnionDirectory(one) ? one.parts.map((part) => part.collection).sort() : [collection],
    sparse: entry.type === 'file' && entry.sparse === true,
    changed: entry.type === 'file' && entry.changed === true,
  };
}

/** `2025-01-31T12:00:00.000000001Z`; null outside the years 0 to 9999. */
function fileTimeText([seconds, nanoseconds]: FileTime): string | null {
  if (seconds < -62_167_219_200 || seconds > 253_402_300_799) return null;
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${String(nanoseconds).padStart(9, '0')}Z`;
}

function captureExpired(revision: string, collections: readonly string[]): MbkError {
  return new MbkError('capture-expired', `the files of ${collections.join(', ')} in ${revision} were given up`, {
    details: { revision, collections },
  });
}
