/**
 * `mbk snapshot`: one commit for each domain touched.
 *
 * The order is law: packs, then the index segment, then the catalogue bundles, then the log entry that names them all
 * (docs/format.md, The protocol). Nothing is locked. If something that the run relied on was given up meanwhile, it is
 * stored again and the run goes on.
 */
import type { Compression } from '../codec/compression.ts';
import { gearTable } from '../chunker/gear.ts';
import { isMbkError, MbkError } from '../errors.ts';
import { toHex } from '../format/bytes.ts';
import type { ByteString } from '../format/byte-name.ts';
import type { Lifetime } from '../format/ids.ts';
import { parameters } from '../format/limits.ts';
import type { GitProvenance } from '../format/snapshot-manifest.ts';
import { isExpired, lostAfter } from '../log/fold.ts';
import type { Repository } from '../repository.ts';
import type { AssetPlugins } from '../snapshot/asset-plugins.ts';
import {
  captureSource,
  type CapturedSource,
  type CaptureProgress,
  type CaptureSourceOptions,
} from '../snapshot/capture-source.ts';
import { folderCollector } from '../snapshot/folder-collector.ts';
import type { PluginHost } from '../snapshot/plugin-host.ts';
import type { Destination } from '../snapshot/pipeline/capture-calls.ts';
import { fileTaker, type CaptureStore } from '../snapshot/pipeline/file-taker.ts';
import { streamTaker, walkStreamed, type StreamedFile } from '../snapshot/streamed-file.ts';
import type { WalkAhead } from '../snapshot/walk-ahead.ts';
import { openStatCache, type CaptureRef, type CollectionRef, type StatCache } from '../snapshot/stat-cache.ts';
import { captureStoreOf } from './capture-store.ts';
import { findingsOf, refuseErrors, type AssetFinding } from './asset-findings.ts';
import { examineCollections } from './examine-collections.ts';
import { mergeIndexIfPossible } from './merge-index.ts';
import { commitSnapshots, type CommittedSnapshot } from './snapshot-commit.ts';
import { statCachePlace, type SnapshotTools } from './prepare-snapshot.ts';
import { storeTables } from './snapshot-tables.ts';
import { roomWatch } from './room-watch.ts';
import { openWriteSession, ReliedOnGone, type WriteSession } from './write-session.ts';

export interface SnapshotRequest {
  /** Absolute path of the source root. */
  readonly root: ByteString;
  /** The same for people. */
  readonly rootText: string;
  readonly exclude?: ((path: ByteString, isDirectory: boolean) => boolean) | undefined;
  readonly oneFileSystem?: boolean | undefined;
  /** Whether links are taken as what they lead to, but for the folders at `never`: see `WalkOptions`. */
  readonly dereference?: boolean | undefined;
  readonly never?: readonly ByteString[] | undefined;
  /** One file that comes as a stream, in place of the source root. */
  readonly stream?: StreamedFile | undefined;
  /** A walk of the root with these options that was begun before. */
  readonly walked?: WalkAhead | undefined;
  readonly assign: (path: ByteString) => CollectionRef;
  readonly wants: (collection: CollectionRef) => boolean;
  readonly emptyFolders: CollectionRef;
  /** Whether a collection that is wanted and has no file any more is left out of the commit; else it is carried. */
  readonly isWholeSource: boolean;
  readonly retentionOf: (
    collection: CollectionRef,
  ) => { readonly rule: string | null; readonly lifetime: Lifetime } | null;
  /** With a host, assets are examined. */
  readonly plugins: AssetPlugins | PluginHost;
  /** Whether an error that a plugin finds ends the run before the commit: `validation-failed`. */
  readonly strict?: boolean | undefined;
  readonly message: string;
  readonly plan: string | null;
  /** A further tag for each snapshot, without its domain. */
  readonly tag?: string | undefined;
  readonly host: string;
  readonly git: GitProvenance | null;
  /** How hard content that is new is compressed; `fast` unless given. */
  readonly compression?: Compression | undefined;
  /** Reads every file, whatever the stat cache says. */
  readonly force?: boolean | undefined;
  /** Threads that read, 1 for none; unless given, one for each core as soon as there is enough to do. */
  readonly jobs?: number | undefined;
  /** What was loaded before, by `prepareSnapshot`; for one snapshot. */
  readonly tools?: SnapshotTools | undefined;
  /** Makes no commit for a domain whose trees are those of its head. */
  readonly skipIfUnchanged?: boolean | undefined;
}

export interface SnapshotProgress extends Omit<CaptureProgress, 'path'> {
  readonly path: ByteString;
  /** Plain bytes that were cut so far, those of files under way among them; holes and what is known are not. */
  readonly cutBytes: number;
  /** Plain bytes that were new, and bytes that were written for them. */
  readonly newBytes: number;
  readonly storedBytes: number;
}

export interface SnapshotReport {
  /** Id of the run: 32 hex digits. */
  readonly run: string;
  readonly snapshots: readonly CommittedSnapshot[];
  /** Domains that were skipped because nothing had changed. */
  readonly unchanged: readonly string[];
  readonly files: number;
  readonly bytes: number;
  readonly readBytes: number;
  readonly newBytes: number;
  readonly storedBytes: number;
  /** Files that could not be taken whole: reason to end with exit code 3. */
  readonly incomplete: readonly SnapshotProblem[];
  /** Sockets, pipes and devices, which are never taken. */
  readonly skipped: readonly SnapshotProblem[];
  /** What plugins found in the assets of this run; errors are reason to end with exit code 3. */
  readonly findings: readonly AssetFinding[];
  /** Why nothing was remembered for the next run; undefined if all is well. */
  readonly statCacheProblem: string | undefined;
}

/** A path that was not taken, or not as it should have been, and why. */
export interface SnapshotProblem extends CollectionRef {
  readonly path: ByteString;
  readonly message: string;
}

export interface SnapshotOptions {
  /** Called after each file, and with each piece of one that takes longer. */
  readonly onProgress?: ((progress: SnapshotProgress) => void) | undefined;
}

/** How often a run starts again because what it relied on was given up; each time needs a prune in between. */
const maxRounds = 10;

/**
 * Takes a snapshot.
 *
 * Errors: `source-absent`, `tag-exists`, `name-invalid`, `role-denied`, `log-race-lost`, `log-damaged`, `interrupted`,
 * and those of the backend. What was stored before an error is used again by the next run.
 */
export async function snapshot(
  repository: Repository,
  request: SnapshotRequest,
  options: SnapshotOptions = {},
): Promise<SnapshotReport> {
  try {
    return await takeSnapshot(repository, request, options);
  } finally {
    await request.tools?.threads?.close();
  }
}

async function takeSnapshot(
  repository: Repository,
  request: SnapshotRequest,
  { onProgress }: SnapshotOptions,
): Promise<SnapshotReport> {
  const { compression } = request;
  const run = toHex(repository.random(16));
  const startedAt = repository.now();
  await sweepLeftovers(repository);
  const room = roomWatch(repository);
  await room.check(0);
  const session = await openWriteSession(repository, request);
  const progress = progressTeller(session.writer.stats, onProgress);
  const { store, addedTo, settle } = captureStoreOf(repository, session, { room, onCut: progress.cut, compression });
  for (let round = 1; ; round += 1) {
    // A walk and threads serve once; a stream too, but it cannot be begun again.
    const fresh = round === 1 ? {} : { walked: undefined, tools: undefined };
    const statCache = openStatCacheOf(repository, request);
    try {
      const captured = await capture(repository, { ...request, ...fresh }, { store, statCache, onFile: progress.file });
      const findings = findingsOf(captured.collections);
      if (request.strict === true) refuseErrors(findings);
      const collections = await storeTables(captured.collections, storeFor(request, store));
      await session.writer.flush();
      const about = { run, startedAt, collections, addedTo, reused: [...captured.reused] };
      const { snapshots, unchanged, captures } = await commitSnapshots(repository, request, session, about);
      if (captures.length > 0) statCache.commit(captures);
      await mergeIndexIfPossible(repository);
      return report(run, { captured, findings, snapshots, unchanged, session, statCache });
    } catch (error) {
      // What is kept is told once it is all there.
      await settle();
      progress.end();
      if (!(error instanceof ReliedOnGone)) throw error;
      if (round === maxRounds || request.stream !== undefined) throw prunedAway(error, round);
      session.invalidate(error.broken);
    } finally {
      statCache.close();
    }
  }
}

/** Tells how far the run is, from what the walk and what the store have come to. */
function progressTeller(
  stats: WriteSession['writer']['stats'],
  onProgress: SnapshotOptions['onProgress'],
): {
  readonly file: (progress: CaptureProgress) => void;
  readonly cut: (bytes: number) => void;
  readonly end: () => void;
} {
  let cutBytes = 0;
  let latest: CaptureProgress | undefined;
  const tell = (): void => {
    if (latest === undefined || onProgress === undefined) return;
    onProgress({ ...latest, cutBytes, newBytes: stats.newBytes, storedBytes: stats.storedBytes });
  };
  return {
    file(progress) {
      latest = progress;
      tell();
    },
    cut(bytes) {
      cutBytes += bytes;
      // A small file is told of when it is taken.
      if (bytes >= toldBytes) tell();
    },
    end: tell,
  };
}

/** Pieces below this are not told of by themselves: they come by the thousand. */
const toldBytes = 262_144;

/** Older temporary files are no put's that is under way: docs/format.md, Entries. */
const leftoverMs = 86_400_000;

/** Removes what killed puts left in the storage. Nobody misses it, so what goes wrong is a notice and no error. */
async function sweepLeftovers({ backend, notice, signal }: Repository): Promise<void> {
  try {
    await backend.sweepTemporaries?.(leftoverMs, { signal });
  } catch (error) {
    if (!isMbkError(error) || error.code === 'interrupted') throw error;
    notice(`leftovers of killed commands stay in the storage: ${error.message}`);
  }
}

function prunedAway(cause: ReliedOnGone, rounds: number): MbkError {
  return new MbkError(
    'log-race-lost',
    `what the snapshot relied on was pruned or expired ${rounds === 1 ? 'once' : `${rounds} times`} while it ran`,
    {
      details: { ...cause.broken },
      cause,
    },
  );
}

/** Stores a blob of a collection. */
type StoreInCollection = CaptureSourceOptions['store'];

function storeFor(request: SnapshotRequest, store: CaptureStore): StoreInCollection {
  return (type, bytes, collection) => store.store(type, bytes, destinationOf(request, collection));
}

function destinationOf({ retentionOf }: SnapshotRequest, collection: CollectionRef): Destination {
  return { ...collection, lifetime: retentionOf(collection)?.lifetime ?? 'long' };
}

/** Walks the source and stores it. */
async function capture(
  repository: Repository,
  request: SnapshotRequest,
  {
    store,
    statCache,
    onFile,
  }: {
    readonly store: CaptureStore;
    readonly statCache: StatCache;
    readonly onFile: (progress: CaptureProgress) => void;
  },
): Promise<CapturedSource> {
  const { keys, log, now, signal } = repository;
  const { smallTensorBytes } = log.fold.features?.parameters ?? parameters;
  if (keys.shared.chunker === undefined)
    throw new MbkError('role-denied', 'the key that was used may not take snapshots');
  const { plugins, jobs, tools, stream } = request;
  const host = 'sources' in plugins ? plugins : undefined;
  const folders = host && folderCollector(host.sources);
  const gear = gearTable(keys.shared.chunker);
  const taker =
    stream === undefined
      ? fileTaker({ store, plugins, gear, smallTensorBytes, jobs, threads: tools?.threads, signal })
      : streamTaker({ store, gear, stream, signal });
  try {
    const captured = await captureSource({
      ...request,
      ...(stream !== undefined && { walked: walkStreamed(stream, now()) }),
      taker,
      folders,
      lifetimeOf: (collection) => destinationOf(request, collection).lifetime,
      statCache,
      isReusable: (captureRef) => request.force !== true && isReusable(repository, captureRef),
      store: storeFor(request, store),
      now,
      signal,
      onFile,
    });
    await taker.finish();
    if (host === undefined || folders === undefined) return captured;
    const options = { host, folders, root: request.root };
    return { ...captured, collections: await examineCollections(repository, captured.collections, options) };
  } finally {
    await taker.close();
  }
}

/**
 * Whether the files of a capture may be taken as they were: it is part of history, not expired, and no pack was declared
 * lost since: what is lost heals only when files are read again.
 */
export function isReusable({ log: { fold } }: Repository, { commit, collection, n }: CaptureRef): boolean {
  return (
    fold.lineOfCommit.get(commit) !== undefined &&
    !isExpired(fold, commit, collection) &&
    lostAfter(fold, n).length === 0
  );
}

/** The stat cache of a source root in this repository; the caller closes it. */
export function openStatCacheOf({ stateFolder }: Repository, { root }: Pick<SnapshotRequest, 'root'>): StatCache {
  return openStatCache(statCachePlace(stateFolder, root));
}

function report(
  run: string,
  {
    captured,
    findings,
    snapshots,
    unchanged,
    session,
    statCache,
  }: {
    readonly captured: CapturedSource;
    readonly findings: readonly AssetFinding[];
    readonly snapshots: readonly CommittedSnapshot[];
    readonly unchanged: readonly string[];
    readonly session: WriteSession;
    readonly statCache: StatCache;
  },
): SnapshotReport {
  const incomplete: SnapshotProblem[] = [];
  const skipped: SnapshotProblem[] = [];
  for (const { domain, collection, changed, problems } of captured.collections) {
    for (const path of changed)
      incomplete.push({ domain, collection, path, message: 'changed while it was read; kept as it was read' });
    for (const { path, message, reason } of problems)
      (reason === 'special' ? skipped : incomplete).push({ domain, collection, path, message });
  }
  const { newBytes, storedBytes } = session.writer.stats;
  return {
    run,
    snapshots,
    unchanged,
    files: captured.progress.files,
    bytes: captured.progress.bytes,
    readBytes: captured.progress.readBytes,
    newBytes,
    storedBytes,
    incomplete,
    skipped,
    findings,
    statCacheProblem: statCache.problem,
  };
}
