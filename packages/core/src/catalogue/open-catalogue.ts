/**
 * Reading history: from a commit or tag of the log to its checked content.
 *
 * The log names the bundle of each commit; a bundle's bytes are proved by its id, an object's by its SHA-1, and
 * snapshot.json, assets.jsonl and the parent commit by SHA-256, so no weakness of SHA-1 matters
 * (docs/format.md, Catalogue).
 */
import { sha256Hex } from '../crypto/hash.ts';
import type { Keys } from '../crypto/keyset.ts';
import { isMbkError, MbkError } from '../errors.ts';
import { decodeAssetLines, type AssetLine } from '../format/asset-line.ts';
import type { GitObject, GitObjectType } from '../format/catalogue-bundle.ts';
import type { CommitId, EntryId, GitObjectId } from '../format/ids.ts';
import { decodeManifest, type SnapshotManifest } from '../format/snapshot-manifest.ts';
import type { CatalogueLine, CatalogueTag, CatalogueView } from './catalogue-view.ts';
import { splitMessage, type Trailers } from './commit-message.ts';
import { parseCommit, parseTag, parseTree, type Authorship } from './git-objects.ts';
import { bundleKey, openBundle } from './seal-bundle.ts';

export interface CatalogueOptions {
  /** Bytes of an entry, from a cache or the backend; bounds what it allocates. Errors pass through. */
  readonly get: (key: string, options?: ReadOptions) => Promise<Uint8Array>;
  readonly keys: Keys;
  readonly view: CatalogueView;
}

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface Commit extends Trailers {
  readonly id: CommitId;
  readonly domain: string;
  /** Content of the commit object, for `commitSnapshot` as parent. */
  readonly content: Uint8Array;
  readonly tree: GitObjectId;
  readonly parent: CommitId | undefined;
  readonly author: Authorship;
  /** Message without trailers. */
  readonly message: string;
}

export interface Snapshot {
  readonly commit: Commit;
  readonly manifest: SnapshotManifest;
  /** assets.jsonl, decoded as it is walked; `value-invalid`. */
  assets(): Iterable<AssetLine>;
  readonly manifestBytes: Uint8Array;
  readonly assetsBytes: Uint8Array;
  /** The commit, its tree and the files of that: what Git needs to hold the snapshot. */
  readonly gitObjects: readonly GitObject[];
  /** All objects of the bundle: those, and tags that came with the snapshot. */
  readonly bundle: ReadonlyMap<GitObjectId, GitObject>;
  /**
   * Why the parent's content could not be compared with `Parent-SHA256`: the parent is missing or damaged itself.
   * Undefined when it was compared, or there is no parent. `verify` reports it; restoring a good child goes on.
   */
  readonly parentProblem: MbkError | undefined;
}

export interface Tag {
  readonly name: string;
  readonly commit: CommitId;
  readonly object: GitObjectId;
  readonly tagger: Authorship;
  readonly message: string;
}

export interface Catalogue {
  readonly view: CatalogueView;
  /**
   * One commit, without what it holds.
   * Errors: `revision-unknown` (not in the log), `value-invalid`, and those of `get` and of opening a bundle.
   */
  readCommit(id: CommitId, options?: ReadOptions): Promise<Commit>;
  /** A commit with its manifest and assets. Errors: as `readCommit`, and `entry-damaged` where a SHA-256 disagrees. */
  readSnapshot(id: CommitId, options?: ReadOptions): Promise<Snapshot>;
  /** The annotated tag of that full name. Errors: as `readCommit`. */
  readTag(name: string, options?: ReadOptions): Promise<Tag>;
  /** All objects of a bundle, by id: what an export copies. */
  readBundle(id: EntryId, options?: ReadOptions): Promise<Map<GitObjectId, GitObject>>;
}

/** History as of `view`; nothing is read before it is asked for. */
export function openCatalogue({ get, keys, view }: CatalogueOptions): Catalogue {
  const lines = new Map<CommitId, CatalogueLine>();
  // The first line of a commit is its own; a later one could only be another domain's, pointed at it by a faulty writer.
  for (const line of view.lines) if (!lines.has(line.to)) lines.set(line.to, line);
  const tags = new Map<string, CatalogueTag>([...view.tags].map((tag) => [tag.name, tag]));
  /** What each commit seen so far proved to be, so that walking a history reads every bundle once. */
  const contentHashes = new Map<CommitId, string>();

  const readBundle: Catalogue['readBundle'] = async (id, options) =>
    openBundle(await get(bundleKey(id), options), { id, keys });

  const lineOf = (id: CommitId): CatalogueLine => {
    const line = lines.get(id);
    if (line === undefined)
      throw new MbkError('revision-unknown', `The log knows no commit ${id}`, { details: { revision: id } });
    return line;
  };
  const commitIn = (objects: ReadonlyMap<GitObjectId, GitObject>, line: CatalogueLine): Commit => {
    const commit = decodeCommit(objectOf(objects, line.to, 'commit').content, line);
    contentHashes.set(commit.id, sha256Hex(commit.content));
    return commit;
  };
  const readCommit: Catalogue['readCommit'] = async (id, options) => {
    const line = lineOf(id);
    return commitIn(await readBundle(line.bundle, options), line);
  };

  /** Compares the parent with the trailer; gives back why it could not, throws where they disagree. */
  const checkParent = async (commit: Commit, options?: ReadOptions): Promise<MbkError | undefined> => {
    if (commit.parent === undefined) return undefined;
    try {
      if (!contentHashes.has(commit.parent)) await readCommit(commit.parent, options);
    } catch (error) {
      if (isMbkError(error, 'entry-absent', 'entry-damaged', 'backend-read-short', 'value-invalid', 'role-denied'))
        return error;
      throw error;
    }
    const found = contentHashes.get(commit.parent);
    if (found !== commit.parentSha256) throw mismatch(`parent of commit ${commit.id}`, commit.parentSha256, found);
    return undefined;
  };

  return {
    view,
    readBundle,
    readCommit,
    async readSnapshot(id, options) {
      const line = lineOf(id);
      const objects = await readBundle(line.bundle, options);
      const commit = commitIn(objects, line);
      const files = readFiles(objects, commit);
      const { assetsBytes } = files;
      return {
        ...files,
        commit,
        bundle: objects,
        assets: () => decodeAssetLines(assetsBytes, `assets.jsonl of commit ${id}`),
        parentProblem: await checkParent(commit, options),
      };
    },
    async readTag(name, options) {
      const tag = tags.get(name);
      if (tag === undefined)
        throw new MbkError('revision-unknown', `The log knows no tag ${name}`, { details: { revision: name } });
      return decodeTag(objectOf(await readBundle(tag.bundle, options), tag.object, 'tag').content, tag);
    },
  };
}

/** Checks that an annotated tag is the one that the log names; `value-invalid`. */
export function decodeTag(content: Uint8Array, tag: CatalogueTag): Tag {
  const parsed = parseTag(content, `tag object ${tag.object}`);
  if (parsed.name !== tag.name || parsed.commit !== tag.commit) {
    throw new MbkError(
      'value-invalid',
      `Tag object ${tag.object} names ${parsed.name}, the log says ${tag.name} of ${tag.commit}`,
    );
  }
  return { ...parsed, object: tag.object };
}

/** An object of a given type; `value-invalid` if the bundle lacks it. */
export function objectOf(
  objects: ReadonlyMap<GitObjectId, GitObject>,
  id: GitObjectId,
  type: GitObjectType,
): GitObject {
  const object = objects.get(id);
  if (object?.type === type) return object;
  throw new MbkError('value-invalid', `A catalogue bundle lacks ${type} ${id}`, { details: { object: id } });
}

function decodeCommit(content: Uint8Array, line: CatalogueLine): Commit {
  const what = `commit ${line.to}`;
  const { tree, parent, author, message } = parseCommit(content, what);
  const { text, manifestSha256, parentSha256 } = splitMessage(message, what);
  if ((parent ?? null) !== line.from || (parent === undefined) !== (parentSha256 === undefined)) {
    throw new MbkError(
      'value-invalid',
      `${what} has the parent ${parent ?? 'none'}, the log says ${line.from ?? 'none'}`,
    );
  }
  return {
    id: line.to,
    domain: line.domain,
    content,
    tree,
    parent,
    author,
    message: text,
    manifestSha256,
    parentSha256,
  };
}

function readFiles(
  objects: ReadonlyMap<GitObjectId, GitObject>,
  commit: Commit,
): Pick<Snapshot, 'manifest' | 'manifestBytes' | 'assetsBytes' | 'gitObjects'> {
  const what = `commit ${commit.id}`;
  const tree = objectOf(objects, commit.tree, 'tree');
  const names = parseTree(tree.content, `tree of ${what}`);
  const file = (name: string): GitObject => {
    const id = names.get(name);
    if (id === undefined || names.size !== 2) {
      throw new MbkError(
        'value-invalid',
        `The tree of ${what} does not hold snapshot.json and assets.jsonl, and nothing else`,
      );
    }
    return objectOf(objects, id, 'blob');
  };
  const manifestFile = file('snapshot.json');
  const manifestBytes = manifestFile.content;
  const manifestHash = sha256Hex(manifestBytes);
  if (manifestHash !== commit.manifestSha256)
    throw mismatch(`snapshot.json of ${what}`, commit.manifestSha256, manifestHash);
  const manifest = decodeManifest(manifestBytes, `snapshot.json of ${what}`);
  if (manifest.domain !== commit.domain) {
    throw new MbkError('value-invalid', `${what} is of domain ${manifest.domain}, the log says ${commit.domain}`);
  }
  const assetsFile = file('assets.jsonl');
  const assetsBytes = assetsFile.content;
  const assetsHash = sha256Hex(assetsBytes);
  if (assetsHash !== manifest.assetsSha256)
    throw mismatch(`assets.jsonl of ${what}`, manifest.assetsSha256, assetsHash);
  const gitObjects = [objectOf(objects, commit.id, 'commit'), tree, manifestFile, assetsFile];
  return { manifest, manifestBytes, assetsBytes, gitObjects };
}

function mismatch(what: string, expected: string | undefined, found: string | undefined): MbkError {
  return new MbkError('entry-damaged', `The ${what} does not have the SHA-256 that its commit records`, {
    details: { expected, found },
  });
}
