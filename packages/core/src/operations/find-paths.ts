/**
 * `mbk find`: which snapshots hold a path, newest first.
 *
 * Streaming: holds the folders on the way to one path, which folders hold nothing (a bounded number of them), and, with
 * `isEachOnce`, what was told of each path. A folder that many snapshots share is looked through once unless something
 * in it is meant.
 */
import { displayBytes, encodeByteText, type ByteString, type ByteText } from '../format/byte-name.ts';
import type { CommitId } from '../format/ids.ts';
import type { Line } from '../format/log-state.ts';
import { timeText } from '../format/snapshot-manifest.ts';
import { isExpired, linesOf } from '../log/fold.ts';
import type { Repository } from '../repository.ts';
import {
  isUnionDirectory,
  unionParts,
  walkUnion,
  type UnionDirectory,
  type UnionEntry,
} from '../snapshot/union-tree.ts';
import { isBadContent } from './bad-content.ts';
import { requireDomain, tagsByCommit } from './history.ts';
import { parsePathGlob, type PathGlob } from './path-glob.ts';
import { pathCandidates } from './path-argument.ts';
import { listedEntry, type ListedEntry } from './snapshot-files.ts';

export interface FindRequest {
  /** See `path-glob.ts`; it is held against paths as text, bytes that are none as `\xNN`. */
  readonly glob: string;
  /** Only this snapshot, and what is below a path that it names. */
  readonly revision?: string | undefined;
  /** Only snapshots of this domain; not with a revision. */
  readonly domain?: string | undefined;
  /** Each content of a path once, by the newest snapshot of its domain that has it; else once for every snapshot. */
  readonly isEachOnce?: boolean | undefined;
}

/** A path in a snapshot; times RFC 3339. */
export interface FoundPath extends Omit<ListedEntry, 'sparse' | 'changed'> {
  readonly commit: CommitId;
  readonly domain: string;
  readonly takenAt: string;
  readonly tags: readonly string[];
}

/** What could not be looked through, because it is missing or damaged. */
export interface FindProblem {
  readonly commit: CommitId;
  readonly domain: string;
  /** The folder, where the snapshot itself could be read. */
  readonly path: ByteText | null;
  readonly message: string;
}

export interface FindOptions {
  readonly onProblem?: ((problem: FindProblem) => void) | undefined;
  /** Called before each snapshot. */
  readonly onSnapshot?: ((done: number, total: number) => void) | undefined;
}

/** Errors: `usage-invalid`, `name-invalid`, `revision-unknown`, `revision-ambiguous`, `interrupted`; damage is a problem. */
export async function* findPaths(
  repository: Repository,
  request: FindRequest,
  { onProblem = () => undefined, onSnapshot }: FindOptions = {},
): AsyncGenerator<FoundPath> {
  const glob = parsePathGlob(request.glob);
  const { fold } = repository.log;
  const { lines, below } = chosenLines(repository, request);
  const tags = tagsByCommit(fold);
  const empty = emptyFolders();
  const told = new Map<string, string>();
  for (const [done, line] of lines.entries()) {
    onSnapshot?.(done, lines.length);
    const { to: commit, domain } = line;
    const about = { commit, domain, takenAt: timeText(line.line.takenAt), tags: tags.get(commit) ?? [] };
    const tell = (path: ByteText | null, message: string): void => onProblem({ commit, domain, path, message });
    for await (const found of inSnapshot(repository, line, { glob, below, empty, tell })) {
      const listed = listedEntry(found);
      if (request.isEachOnce === true) {
        const key = `${domain} ${found.path}`;
        const content = `${listed.type} ${listed.sha256 ?? ''} ${JSON.stringify(listed.target)}`;
        if (told.get(key) === content) continue;
        told.set(key, content);
      }
      const { sparse: _, changed: __, ...shown } = listed;
      yield { ...about, ...shown };
    }
  }
}

/** Newest first, and the paths that a revision names. */
function chosenLines(
  repository: Repository,
  { revision, domain }: FindRequest,
): { readonly lines: readonly Line[]; readonly below: readonly ByteString[] } {
  if (revision !== undefined) {
    const { line, path = '' } = repository.resolve(revision);
    return { lines: [line], below: pathCandidates(path) };
  }
  const { fold } = repository.log;
  if (domain !== undefined) requireDomain(fold, domain);
  return { lines: linesOf(fold, domain).toReversed(), below: [] };
}

interface Looking {
  readonly glob: PathGlob;
  readonly below: readonly ByteString[];
  readonly empty: EmptyFolders;
  readonly tell: (path: ByteText | null, message: string) => void;
}

async function* inSnapshot(
  { log, readBlob, catalogue, signal }: Repository,
  { to: commit }: Line,
  { glob, below, empty, tell }: Looking,
): AsyncGenerator<UnionEntry> {
  let collections;
  try {
    ({ collections } = (await catalogue().readSnapshot(commit, { signal })).manifest);
  } catch (error) {
    if (!isBadContent(error)) throw error;
    tell(null, error.message);
    return;
  }
  const live = collections.filter(({ name, commit: takenBy }) => !isExpired(log.fold, takenBy ?? commit, name));
  const isBelow = (path: ByteString): boolean =>
    below.length === 0 || below.some((one) => one === '' || path === one || path.startsWith(`${one}/`));
  const leads = (path: ByteString): boolean => isBelow(path) || below.some((one) => one.startsWith(`${path}/`));
  const open = openFolders(empty);
  const enter = (folder: UnionDirectory): boolean => {
    const { path } = folder;
    return leads(path) && glob.mayMatchBelow(displayBytes(path)) && open.enter(folder);
  };
  const onBroken = ({ path, error }: { readonly path: ByteString; readonly error: Error }): void => {
    open.spoil();
    tell(encodeByteText(path), error.message);
  };
  for await (const one of walkUnion(readBlob, unionParts(live), { enter, onBroken, signal })) {
    open.leaveTo(one.path);
    if (!glob.matches(displayBytes(one.path), isUnionDirectory(one))) continue;
    open.spoil();
    if (isBelow(one.path)) yield one;
  }
  open.leaveTo('');
}

/** Folders, by their trees and their path, in which nothing is meant. */
type EmptyFolders = Set<string>;

/** Bound of them: about 150 bytes each. */
const mostEmpty = 200_000;

function emptyFolders(): EmptyFolders {
  return new Set();
}

/** The folders that the walk is in, and whether something was found in each so far. */
function openFolders(empty: EmptyFolders): {
  /** Whether the folder has to be looked through; then it is open. */
  enter(folder: UnionDirectory): boolean;
  /** Closes the folders that `path` is not in. */
  leaveTo(path: ByteString): void;
  /** Notes that the open folders are not empty. */
  spoil(): void;
} {
  const open: { readonly path: ByteString; readonly key: string; isEmpty: boolean }[] = [];
  return {
    enter({ path, parts }) {
      const key = `${parts.map(({ tree }) => tree.slice(0, 32)).join(' ')} ${path}`;
      if (empty.has(key)) return false;
      open.push({ path, key, isEmpty: true });
      return true;
    },
    leaveTo(path) {
      for (let last = open.at(-1); last !== undefined && !path.startsWith(`${last.path}/`); last = open.at(-1)) {
        if (last.isEmpty && empty.size < mostEmpty) empty.add(last.key);
        open.pop();
      }
    },
    spoil() {
      for (const folder of open) folder.isEmpty = false;
    },
  };
}
