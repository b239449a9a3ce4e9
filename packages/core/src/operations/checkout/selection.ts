/** What of a snapshot a checkout takes, and where in the target it goes. */
import { MbkError } from '../../errors.ts';
import { displayBytes, joinBytes, type ByteString } from '../../format/byte-name.ts';
import type { CommitId } from '../../format/ids.ts';
import { decodeLinks } from '../../format/links-record.ts';
import type { Repository } from '../../repository.ts';
import { splitPath } from '../../snapshot/target-directories.ts';
import {
  findInUnion,
  isUnionDirectory,
  readUnion,
  walkUnion,
  walkUnionSome,
  type BrokenFolder,
  type UnionDirectory,
  type UnionEntry,
  type UnionPart,
} from '../../snapshot/union-tree.ts';
import { pathCandidates } from '../path-argument.ts';
import { openFiles } from '../snapshot-files.ts';

export interface Selection {
  readonly commit: CommitId;
  readonly domain: string;
  /** Collections of the snapshot that retention gave up: what they held is not among the entries. */
  readonly expired: readonly string[];
  /** Everything in the order of a walk, a folder before what is in it, some at a time; paths are those in the target. */
  entries(onBroken: (broken: BrokenFolder) => void): AsyncGenerator<readonly UnionEntry[]>;
  /** The folders that are taken whole, with the names of all that is in them; `''` is the target itself. */
  folders(
    onBroken: (broken: BrokenFolder) => void,
  ): AsyncGenerator<{ readonly path: ByteString; readonly names: ReadonlySet<ByteString> }>;
  /** Files that are one file, by their paths in the target; the same value for each of one group. */
  readLinks(): Promise<ReadonlyMap<ByteString, LinkGroupOf>>;
}

/** Marks the paths of one hard-linked file of a collection. */
export interface LinkGroupOf {
  readonly collection: string;
}

/**
 * Opens `REV` or `REV:PATH`, and below it the `paths` (all of it without any). A folder named in the revision becomes the
 * target itself; paths keep their place below it.
 *
 * Errors: those of `openFiles`, and `path-absent` for a path that is not there.
 */
export async function openSelection(
  repository: Repository,
  revision: string,
  paths: readonly string[],
): Promise<Selection> {
  const { readBlob, signal } = repository;
  const files = await openFiles(repository, revision);
  const { commit, domain, expired, entry } = files;
  const isLeaf = entry !== undefined && !isUnionDirectory(entry);
  if (isLeaf && paths.length > 0) {
    throw new MbkError('path-absent', `${displayBytes(files.path)} is a ${entry.entry.type}: nothing is below it`, {
      details: { path: displayBytes(files.path) },
    });
  }
  /** The folder of the snapshot that becomes the target. */
  const base = isLeaf ? splitPath(files.path).directory : files.path;
  const chosen = isLeaf
    ? [{ ...entry, path: entry.entry.name }]
    : await findAll(repository, { parts: files.parts, paths, expired, revision });
  const isWhole = !isLeaf && paths.length === 0;

  return {
    commit,
    domain,
    expired,

    async *entries(onBroken) {
      if (isWhole) {
        yield* walkUnionSome(readBlob, files.parts, { signal, onBroken });
        return;
      }
      const passed = new Set<ByteString>();
      for (const one of chosen) {
        for (const parent of isLeaf ? [] : parentsOf(one.path)) {
          if (passed.has(parent)) continue;
          passed.add(parent);
          const folder = await findInUnion(readBlob, files.parts, parent, { signal });
          if (folder !== undefined) yield [folder];
        }
        yield [one];
        if (isUnionDirectory(one)) yield* walkUnionSome(readBlob, one.parts, { base: one.path, signal, onBroken });
      }
    },

    async *folders(onBroken) {
      const tops: readonly Pick<UnionDirectory, 'path' | 'parts'>[] = isWhole
        ? [{ path: '', parts: files.parts }]
        : chosen.filter(isUnionDirectory);
      for (const top of tops) {
        yield { path: top.path, names: await namesIn(top.parts, top.path, onBroken) };
        for await (const below of walkUnion(readBlob, top.parts, { base: top.path, signal, onBroken })) {
          if (isUnionDirectory(below))
            yield { path: below.path, names: await namesIn(below.parts, below.path, onBroken) };
        }
      }
    },

    async readLinks() {
      const groups = new Map<ByteString, LinkGroupOf>();
      const { manifest } = await repository.catalogue().readSnapshot(commit, { signal });
      for (const { name: collection, links } of manifest.collections) {
        if (links === null || expired.includes(collection)) continue;
        for (const paths of decodeLinks(await readBlob(links, 'links'), `links ${links}`)) {
          const group = { collection };
          for (const path of paths) {
            const inTarget = base === '' ? path : path.startsWith(`${base}/`) ? path.slice(base.length + 1) : undefined;
            if (inTarget !== undefined) groups.set(inTarget, group);
          }
        }
      }
      return groups;
    },
  };

  async function namesIn(
    parts: readonly UnionPart[],
    path: ByteString,
    onBroken: (broken: BrokenFolder) => void,
  ): Promise<ReadonlySet<ByteString>> {
    const names = new Set<ByteString>();
    for await (const { entry: one } of readUnion(readBlob, parts, { base: path, signal, onBroken }))
      names.add(one.name);
    return names;
  }
}

/** The entries at `paths`, sorted, without those that lie below another. */
async function findAll(
  { readBlob, signal }: Repository,
  {
    parts,
    paths,
    expired,
    revision,
  }: {
    readonly parts: readonly UnionPart[];
    readonly paths: readonly string[];
    readonly expired: readonly string[];
    readonly revision: string;
  },
): Promise<readonly UnionEntry[]> {
  const found = new Map<ByteString, UnionEntry>();
  for (const text of paths) {
    let entry: UnionEntry | undefined;
    for (const path of pathCandidates(text))
      entry ??= path === '' ? undefined : await findInUnion(readBlob, parts, path, { signal });
    if (entry === undefined) {
      const code = expired.length > 0 ? 'capture-expired' : 'path-absent';
      const why = expired.length > 0 ? `; the files of ${expired.join(', ')} were given up` : '';
      throw new MbkError(code, `${text} is not in ${revision}${why}`, {
        details: { path: text, revision, expired },
        // Whoever knows `git clone` and `cp` names the target there.
        ...(code === 'path-absent' && {
          remedy: `See \`mbk ls ${revision}\`. The folder to write into is given with \`--to\`.`,
        }),
      });
    }
    found.set(entry.path, entry);
  }
  const sorted = [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  return sorted.filter(({ path }) => !parentsOf(path).some((parent) => found.has(parent)));
}

/** The folders that lead to `path`, the outermost first. */
function parentsOf(path: ByteString): ByteString[] {
  const parents: ByteString[] = [];
  for (const name of path.split('/').slice(0, -1)) parents.push(joinBytes(parents.at(-1) ?? '', name));
  return parents;
}
