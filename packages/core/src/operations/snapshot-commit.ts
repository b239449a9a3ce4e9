/**
 * The commits of a run and the one log entry that makes them history.
 *
 * For each domain touched a commit on top of its head, listing every collection of the domain; all heads advance in one
 * entry, so a run over several domains is there whole or not at all. A lost race looks again whether what the run relied
 * on still holds, and builds commits and tags on the new heads.
 */
import { loadSchemaCheck, type SchemaCheck } from '../catalogue/catalogue-schemas.ts';
import { viewOfFold } from '../catalogue/catalogue-view.ts';
import { isTagName } from '../catalogue/names.ts';
import { nextTag } from '../catalogue/next-tag.ts';
import { sealBundle } from '../catalogue/seal-bundle.ts';
import { commitSnapshot, prepareSnapshot, writeTagObject } from '../catalogue/snapshot-commit.ts';
import { openCatalogue, type Catalogue, type Snapshot } from '../catalogue/open-catalogue.ts';
import { MbkError } from '../errors.ts';
import { encodeByteText } from '../format/byte-name.ts';
import type { BlobId, CommitId } from '../format/ids.ts';
import type { Capture, HeadLine, KnownOperation } from '../format/log-operations.ts';
import { timeText, type CollectionState } from '../format/snapshot-manifest.ts';
import { headOf, isExpired, lineOf, type Fold } from '../log/fold.ts';
import type { Repository } from '../repository.ts';
import { compareTrees, isOnlyFolderTime } from '../snapshot/compare-trees.ts';
import type { CaptureRef } from '../snapshot/stat-cache.ts';
import { hasErrors } from './asset-findings.ts';
import { isBadContent } from './bad-content.ts';
import type { SnapshotRequest } from './snapshot.ts';
import type { StoredCollection } from './snapshot-tables.ts';
import { ReliedOnGone, type WriteSession } from './write-session.ts';

export interface CommittedSnapshot {
  readonly domain: string;
  readonly commit: CommitId;
  readonly parent: CommitId | null;
  /** Full name of its tag: `healthcare/2025-01-01`. */
  readonly tag: string;
  /** Of the whole domain. */
  readonly files: number;
  readonly bytes: number;
  /** Every collection of the domain as of this commit, sorted by name. */
  readonly collections: readonly CommittedCollection[];
}

export interface CommittedCollection {
  readonly name: string;
  /** Whether this run took it; else it was carried. */
  readonly isTaken: boolean;
  readonly tree: BlobId;
  readonly files: number;
  readonly bytes: number;
}

export interface CommitAbout {
  readonly run: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly collections: readonly StoredCollection[];
  /** Plain bytes that were new, by domain. */
  readonly addedTo: ReadonlyMap<string, number>;
  /** Captures whose files were taken as they were. */
  readonly reused: readonly CaptureRef[];
}

export interface CommitResult {
  readonly snapshots: readonly CommittedSnapshot[];
  /** Domains that had not changed. */
  readonly unchanged: readonly string[];
  /** What holds the files that this run took: its own captures, and those of the heads that it found unchanged. */
  readonly captures: readonly CaptureRef[];
}

/** Commits. Errors: `ReliedOnGone`, `tag-exists`, `name-invalid`, and those of `Log.append`. */
export async function commitSnapshots(
  repository: Repository,
  request: SnapshotRequest,
  session: WriteSession,
  about: CommitAbout,
): Promise<CommitResult> {
  const indexOps = await session.takeIndex();
  const options: BuildOptions = {
    request,
    session,
    about,
    finishedAt: repository.now(),
    check: request.tools?.check ?? (await loadSchemaCheck()),
  };
  let result: CommitResult = { snapshots: [], unchanged: [], captures: [] };

  const appended = await repository.log.append(async (fold) => {
    const broken = session.broken(fold, about.reused);
    if (broken !== undefined) throw new ReliedOnGone(broken);
    const built = await buildDomains(repository, fold, options);
    result = {
      snapshots: built.map(({ snapshot }) => snapshot).filter((one) => one !== undefined),
      unchanged: built.flatMap(({ unchanged }) => unchanged ?? []),
      captures: built.flatMap(({ kept = [] }) => kept),
    };
    const heads = built.flatMap(({ head }) => head ?? []);
    const ops: KnownOperation[] = [
      ...indexOps,
      ...(heads.length === 0 ? [] : [{ op: 'advance', heads } as const]),
      ...built.flatMap(({ tags }) => tags),
    ];
    return ops.length === 0 ? undefined : { ops };
  });
  session.indexed();
  const n = appended?.n ?? 0;
  const own = result.snapshots.flatMap(({ domain, commit, collections }) =>
    collections.filter(({ isTaken }) => isTaken).map(({ name }) => ({ domain, collection: name, commit, n })),
  );
  return { ...result, captures: [...result.captures, ...own] };
}

interface BuildOptions {
  readonly request: SnapshotRequest;
  readonly session: WriteSession;
  readonly about: CommitAbout;
  readonly finishedAt: number;
  readonly check: SchemaCheck;
}

interface BuiltDomain {
  readonly snapshot?: CommittedSnapshot;
  readonly unchanged?: string;
  /** Of an unchanged domain: the captures of its head, which hold the same files. */
  readonly kept?: readonly CaptureRef[];
  readonly head?: HeadLine;
  readonly tags: readonly KnownOperation[];
}

async function buildDomains(repository: Repository, fold: Fold, options: BuildOptions): Promise<BuiltDomain[]> {
  const domains = [...new Set(options.about.collections.map(({ domain }) => domain))].sort();
  const built: BuiltDomain[] = [];
  for (const domain of domains) built.push(await buildDomain(repository, fold, domain, options));
  return built;
}

async function buildDomain(
  repository: Repository,
  fold: Fold,
  domain: string,
  options: BuildOptions,
): Promise<BuiltDomain> {
  const { keys, random, timezone, backend, signal, get } = repository;
  const { request, about } = options;
  const view = viewOfFold(fold);
  const head = headOf(fold, domain);
  const parent =
    head === null ? undefined : await readParent(openCatalogue({ get, keys, view }), head, { fold, domain, signal });
  const taken = about.collections.filter((collection) => collection.domain === domain);
  const carried = carriedCollections(parent, { taken, request, domain, fold });
  if (request.skipIfUnchanged === true && (await isSame(repository, parent, { taken, carried }))) {
    return { unchanged: domain, kept: keptCaptures(parent, taken, fold), tags: [] };
  }

  const collections = [...taken.map((one) => takenState(one, options)), ...carried].sort((a, b) =>
    a.name < b.name ? -1 : 1,
  );
  const prepared = await prepareSnapshot(manifestOf(repository, fold, { domain, collections, taken, options }), {
    assets: taken.flatMap(({ assets }) => assets),
    check: options.check,
  });
  const actorName = fold.actors.get(keys.actor.id)?.name ?? keys.actor.id.slice(0, 8);
  const author = { name: actorName, email: `${keys.actor.id.slice(0, 16)}@${request.host}` };
  const at = about.startedAt;
  const tag = nextTag(view, domain, { at, timezone });
  const made = await commitSnapshot(prepared, {
    parent: parent && { id: parent.commit.id, content: parent.commit.content },
    author,
    at,
    timezone,
    tag,
  });
  const named =
    request.tag === undefined
      ? undefined
      : await extraTag(fold, request.tag, { domain, commit: made.commit, author, at, timezone, message: made.message });
  const bundle = sealBundle([...made.objects, ...(named?.objects ?? [])], { keys, random });
  await backend.put(bundle.key, [bundle.bytes], { signal });

  const { totals } = prepared.manifest;
  return {
    snapshot: {
      domain,
      commit: made.commit,
      parent: head,
      tag,
      files: totals.files,
      bytes: totals.bytes,
      collections: collections.map(({ name, commit, tree, files, bytes }) => ({
        name,
        isTaken: commit === null,
        tree,
        files,
        bytes,
      })),
    },
    head: {
      domain,
      from: head,
      to: made.commit,
      bundle: bundle.id,
      tag,
      tagObject: made.tagObject ?? null,
      line: {
        takenAt: at,
        message: made.message.slice(0, 1000).toWellFormed(),
        host: request.host,
        plan: request.plan,
        run: about.run,
        files: totals.files,
        bytes: totals.bytes,
        added: totals.added,
        stored: totals.stored,
        flags: [...new Set(taken.flatMap(flagsOf))],
        captures: taken.map(({ collection, tree, files, bytes }) => ({ collection, tree, files, bytes })),
        carried: carried.map(({ name, commit }): Capture => ({ collection: name, commit: ofCommit(commit, parent) })),
      },
    },
    tags:
      named === undefined
        ? []
        : [{ op: 'tag', domain, name: named.name, commit: made.commit, object: named.object, bundle: bundle.id }],
  };
}

/**
 * The snapshot that the next one follows: its commit proves it, and collections are carried from it. Without it nothing
 * may follow, or the chain of history would break unseen.
 */
async function readParent(
  catalogue: Catalogue,
  head: CommitId,
  { fold, domain, signal }: { readonly fold: Fold; readonly domain: string; readonly signal: AbortSignal | undefined },
): Promise<Snapshot> {
  try {
    return await catalogue.readSnapshot(head, { signal });
  } catch (error) {
    if (!isBadContent(error)) throw error;
    const bundle = lineOf(fold, head)?.bundle ?? '';
    throw new MbkError(
      error.code,
      `no snapshot can follow ${head.slice(0, 12)}, the newest of ${domain}: ${error.message}`,
      {
        details: { ...error.details, domain, commit: head, bundle },
        remedy: `Bring catalogue/${bundle} back from a copy of the storage (its name is its SHA-256), or from the cache folder of a host that has read it. Until then use another --domain: nothing that was stored is lost.`,
        cause: error,
      },
    );
  }
}

/** Collections of the parent that this run did not take and that are not gone, as of the commit whose run took them. */
function carriedCollections(
  parent: Snapshot | undefined,
  {
    taken,
    request,
    domain,
    fold,
  }: {
    readonly taken: readonly StoredCollection[];
    readonly request: SnapshotRequest;
    readonly domain: string;
    readonly fold: Fold;
  },
): CollectionState[] {
  if (parent === undefined) return [];
  const names = new Set(taken.map(({ collection }) => collection));
  return parent.manifest.collections
    .filter(({ name }) => !names.has(name) && !(request.isWholeSource && request.wants({ domain, collection: name })))
    .map((state) => ({ ...state, commit: ofCommit(state.commit, parent) }))
    .filter(({ name, commit }) => !isExpired(fold, commit, name));
}

/** The captures of the head that hold what was taken again; all of it was found stored as of `fold`. */
function keptCaptures(parent: Snapshot | undefined, taken: readonly StoredCollection[], { n }: Fold): CaptureRef[] {
  const states = new Map(parent?.manifest.collections.map((state) => [state.name, state]));
  return taken.flatMap(({ domain, collection }) => {
    const state = states.get(collection);
    return state === undefined ? [] : [{ domain, collection, commit: ofCommit(state.commit, parent), n }];
  });
}

function ofCommit(commit: CommitId | null, parent: Snapshot | undefined): CommitId {
  const id = commit ?? parent?.commit.id;
  if (id === undefined) throw new RangeError('expected a parent for a carried collection');
  return id;
}

/**
 * Whether the domain is as its head has it. The time of a folder changes with whatever comes and goes in it, also files
 * of other domains: that alone is no change.
 */
async function isSame(
  { readBlob, signal }: Repository,
  parent: Snapshot | undefined,
  { taken, carried }: { readonly taken: readonly StoredCollection[]; readonly carried: readonly CollectionState[] },
): Promise<boolean> {
  if (parent === undefined || parent.manifest.collections.length !== taken.length + carried.length) return false;
  const states = new Map(parent.manifest.collections.map((state) => [state.name, state]));
  for (const { collection, tree, links } of taken) {
    const before = states.get(collection);
    if (before === undefined || before.links !== links) return false;
    for await (const difference of compareTrees(readBlob, before.tree, tree, { signal })) {
      if (!isOnlyFolderTime(difference)) return false;
    }
  }
  return true;
}

function takenState(collection: StoredCollection, { request, about }: BuildOptions): CollectionState {
  const { files, directories, symlinks, bytes, tree, links, table } = collection;
  return {
    name: collection.collection,
    takenAt: timeText(about.startedAt),
    commit: null,
    tree,
    links,
    assets: table,
    files,
    directories,
    symlinks,
    bytes,
    retention: request.retentionOf(collection),
    flags: flagsOf(collection),
  };
}

function flagsOf({ assets, changed, problems }: StoredCollection): string[] {
  const flags: string[] = [];
  if (changed.length > 0) flags.push('changed-while-read');
  if (problems.some(({ reason }) => reason !== 'special')) flags.push('unreadable');
  if (hasErrors(assets)) flags.push('findings');
  return flags;
}

function manifestOf(
  { keys, tool }: Repository,
  fold: Fold,
  {
    domain,
    collections,
    taken,
    options,
  }: {
    readonly domain: string;
    readonly collections: readonly CollectionState[];
    readonly taken: readonly StoredCollection[];
    readonly options: BuildOptions;
  },
): Parameters<typeof prepareSnapshot>[0] {
  const { request, about, finishedAt } = options;
  const sum = (field: 'files' | 'directories' | 'symlinks' | 'bytes'): number =>
    collections.reduce((total, one) => total + one[field], 0);
  const notes = taken.flatMap(({ changed, problems }) => [
    ...changed.map((path) => ({ path: encodeByteText(path), problem: 'changed while it was read' })),
    ...problems.map(({ path, message }) => ({ path: encodeByteText(path), problem: message })),
  ]);
  return {
    domain,
    run: about.run,
    plan: request.plan,
    host: request.host,
    actor: { id: keys.actor.id, name: fold.actors.get(keys.actor.id)?.name ?? '' },
    tool,
    startedAt: timeText(about.startedAt),
    finishedAt: timeText(finishedAt),
    message: request.message,
    source: { root: request.rootText, git: request.git },
    collections,
    totals: {
      files: sum('files'),
      directories: sum('directories'),
      symlinks: sum('symlinks'),
      bytes: sum('bytes'),
      assets: taken.reduce((total, { assets }) => total + assets.length, 0),
      ...writtenFor(domain, options),
    },
    notes,
  };
}

/** What the run brought for a domain. Packs are shared: what was written counts by the share of what was new. */
function writtenFor(domain: string, { about, session }: BuildOptions): { added: number; stored: number } {
  const added = about.addedTo.get(domain) ?? 0;
  let all = 0;
  for (const bytes of about.addedTo.values()) all += bytes;
  return { added, stored: all === 0 ? 0 : Math.round((session.writer.stats.storedBytes * added) / all) };
}

async function extraTag(
  fold: Fold,
  short: string,
  about: Omit<Parameters<typeof writeTagObject>[0], 'name'>,
): Promise<Awaited<ReturnType<typeof writeTagObject>>> {
  const name = `${about.domain}/${short}`;
  if (!isTagName(about.domain, name))
    throw new MbkError('name-invalid', `${JSON.stringify(short)} cannot be a tag`, { details: { tag: short } });
  if (fold.tags.get(name) !== undefined)
    throw new MbkError('tag-exists', `the tag ${name} exists`, { details: { tag: name } });
  return writeTagObject({ ...about, name });
}
