/**
 * Takes a source folder into the store: one walk, every file read at most once, a tree for each collection.
 *
 * Files that did not change since a capture that still lives are known by the stat cache and not read. What cannot be
 * read is a problem of the report, never a failure: a snapshot takes the rest.
 */
import { setImmediate } from 'node:timers/promises';
import { checkCollectionName, checkDomainName } from '../catalogue/names.ts';
import { MbkError } from '../errors.ts';
import type { AssetLine } from '../format/asset-line.ts';
import { displayBytes, encodeByteText, type ByteString } from '../format/byte-name.ts';
import type { BlobId, BlobType, Lifetime } from '../format/ids.ts';
import type { FileContent } from '../format/tree.ts';
import type { AssetPlugins } from './asset-plugins.ts';
import { collectionTree, type CollectionTotals, type CollectionTree, type SourceFolder } from './collection-tree.ts';
import { fileEntry, symlinkEntry } from './entry-of.ts';
import { examineKnown } from './examine-known.ts';
import type { FolderCollector } from './folder-collector.ts';
import { isFleeting } from './folder-handles.ts';
import { linkGroups, type LinkGroups } from './hard-links.ts';
import { orderedSteps } from './ordered-steps.ts';
import type { Destination } from './pipeline/capture-calls.ts';
import type { FileTaker } from './pipeline/file-taker.ts';
import type { SourceFacts, SourceProblem } from './source-facts.ts';
import type { AssetFacts, CaptureRef, CollectionRef, StatCache } from './stat-cache.ts';
import type { WalkAhead } from './walk-ahead.ts';
import { walk, walkOptionsOf, type WalkedFile, type WalkedSymlink, type WalkEvent } from './walk.ts';

export interface CaptureSourceOptions {
  /** Absolute path of the source root. */
  readonly root: ByteString;
  readonly exclude?: ((path: ByteString, isDirectory: boolean) => boolean) | undefined;
  readonly oneFileSystem?: boolean | undefined;
  /** As of the walk. */
  readonly dereference?: boolean | undefined;
  readonly never?: readonly ByteString[] | undefined;
  /** A walk of the root with these options that was begun before; a new one unless given. */
  readonly walked?: WalkAhead | undefined;
  /** Domain and collection of a path below the root. */
  readonly assign: (path: ByteString) => CollectionRef;
  /** Whether this run takes the collection. */
  readonly wants: (collection: CollectionRef) => boolean;
  /** Where folders go that hold no file of any collection. */
  readonly emptyFolders: CollectionRef;
  /** Takes the files that have to be read. */
  readonly taker: FileTaker;
  readonly plugins: AssetPlugins;
  /** Gathers the files that may make an asset together. */
  readonly folders?: FolderCollector | undefined;
  readonly lifetimeOf: (collection: CollectionRef) => Lifetime;
  /** Stores trees. */
  readonly store: (type: BlobType, bytes: Uint8Array, collection: CollectionRef) => Promise<{ readonly id: BlobId }>;
  readonly statCache: StatCache | undefined;
  /** Whether the files of a capture may be taken as they were without reading them. */
  readonly isReusable: (capture: CaptureRef) => boolean;
  readonly now: () => number;
  readonly signal?: AbortSignal | undefined;
  readonly onFile?: ((progress: CaptureProgress) => void) | undefined;
}

/** After each file, and when the walk is at its end: what has been gone through so far. */
export interface CaptureProgress {
  readonly files: number;
  /** Plain bytes. */
  readonly bytes: number;
  /** Of those, how many were read rather than known from the stat cache. */
  readonly readBytes: number;
  /** Files that the walk has met so far, and their plain bytes; all there are, once `isWalked`. */
  readonly foundFiles: number;
  readonly foundBytes: number;
  readonly isWalked: boolean;
  /** The first file that is under way, else the one that came last; empty before the first. */
  readonly path: ByteString;
}

export interface CapturedCollection extends CollectionRef, CollectionTotals {
  readonly tree: BlobId;
  readonly links: LinkGroups;
  readonly assets: readonly AssetLine[];
  /** Paths that changed while they were read, and problems of paths of this collection. */
  readonly changed: readonly ByteString[];
  readonly problems: readonly SourceProblem[];
}

export interface CapturedSource {
  /** Sorted by domain, then collection. */
  readonly collections: readonly CapturedCollection[];
  /** Captures whose files were taken as they were: the commit relies on them. */
  readonly reused: ReadonlySet<CaptureRef>;
  readonly progress: Omit<CaptureProgress, 'path'>;
}

const eventsPerTurn = 128;
/** What the walk found and waits for files to be read before it: about 1 KiB each. */
const mostWaiting = 2048;

/**
 * Walks and stores. Throws what the store throws, `interrupted`, `source-absent` if the root cannot be read, and
 * `name-invalid` before anything is stored for a domain or collection that cannot be called so.
 */
export async function captureSource(options: CaptureSourceOptions): Promise<CapturedSource> {
  const { taker } = options;
  const run = captureRun(options);
  const line = orderedSteps({ most: mostWaiting, onFull: () => taker.hurry() });
  let events = 0;
  for (const event of walkSource(options)) {
    // The walk blocks, and files that are known cost nothing else: signals and progress get their turn here.
    if ((events += 1) % eventsPerTurn === 0) await setImmediate();
    if (event.type === 'file') {
      const taking = run.take(event);
      const taken = taking?.taken;
      const noted = line.add(() => run.file(event, taking), taken instanceof Promise ? taken : undefined);
      if (noted !== undefined) await noted;
      if (isFleeting(event.location)) await line.finish();
    } else {
      const noted = line.add(() => run.other(event));
      if (noted !== undefined) await noted;
    }
  }
  run.walked();
  await line.finish();
  return run.finish();
}

function* walkSource({ root, walked, ...options }: CaptureSourceOptions): ReturnType<typeof walk> {
  try {
    if (walked !== undefined) yield* walked.events();
    else yield* walk(root, walkOptionsOf(options));
  } catch (cause) {
    if (!(cause instanceof Error && 'syscall' in cause)) throw cause;
    const path = displayBytes(root);
    throw new MbkError('source-absent', `${path} is no folder that can be read: ${cause.message}`, {
      cause,
      details: { path },
    });
  }
}

interface OpenCollection {
  readonly ref: CollectionRef;
  readonly destination: Destination;
  readonly tree: CollectionTree;
  readonly links: LinkGroups;
  readonly assets: AssetLine[];
  readonly changed: ByteString[];
  readonly problems: SourceProblem[];
}

interface OpenFolder {
  /** Undefined for the root. */
  readonly folder: SourceFolder | undefined;
  /** Whether a file or link below it belongs to some collection, taken by this run or not. */
  isUsed: boolean;
}

/** What became of a file. */
interface Taken {
  readonly facts: SourceFacts;
  readonly content: FileContent;
  readonly changed: boolean;
  readonly asset: AssetFacts | undefined;
  /** Whether it was read, and since when: not for what was known. */
  readonly readAtMs?: number;
}

type TakenOr = Taken | SourceProblem;

/** A file that is being taken, and for which collection. */
interface Taking {
  readonly collection: OpenCollection;
  readonly taken: TakenOr | Promise<TakenOr>;
}

function captureRun(options: CaptureSourceOptions) {
  const { assign, wants, emptyFolders, taker, plugins, lifetimeOf, statCache, now } = options;
  const folders: OpenFolder[] = [];
  const collections = new Map<string, OpenCollection>();
  const reused = new Set<CaptureRef>();
  /** Files with several names, as the first of them was taken. */
  const linked = new Map<string, TakenOr | Promise<TakenOr>>();
  const progress = { files: 0, bytes: 0, readBytes: 0, foundFiles: 0, foundBytes: 0, isWalked: false };
  /** Files that were taken and not yet noted, in the order of the walk. */
  const underWay: ByteString[] = [];
  let lastPath: ByteString = '';
  const tell = (): void => options.onFile?.({ ...progress, path: underWay[0] ?? lastPath });

  /** The one that was opened last: most files lie beside one of the same. */
  let last: OpenCollection | undefined;
  const open = (ref: CollectionRef): OpenCollection => {
    if (last?.ref.collection === ref.collection && last.ref.domain === ref.domain) return last;
    return (last = find(ref));
  };
  const find = (ref: CollectionRef): OpenCollection => {
    const key = `${ref.domain} ${ref.collection}`;
    const known = collections.get(key);
    if (known !== undefined) return known;
    checkDomainName(ref.domain);
    checkCollectionName(ref.collection);
    const collection = {
      ref,
      destination: { ...ref, lifetime: lifetimeOf(ref) },
      tree: collectionTree((type, bytes) => options.store(type, bytes, ref)),
      links: linkGroups(),
      assets: [],
      changed: [],
      problems: [],
    };
    collections.set(key, collection);
    return collection;
  };
  /** The folders from the root to the current one; made anew when that changes. */
  let path: SourceFolder[] = [];
  const changePath = (): void => {
    path = folders.flatMap(({ folder }) => (folder === undefined ? [] : [folder]));
  };
  const markUsed = (): void => {
    const folder = folders.at(-1);
    if (folder !== undefined) folder.isUsed = true;
  };

  /** Content of a file: of another name of it, from the stat cache, or read. */
  const contentOf = (walked: WalkedFile, collection: OpenCollection): TakenOr | Promise<TakenOr> => {
    const { link } = walked;
    const twin = link === undefined ? undefined : linked.get(link);
    if (twin instanceof Promise) return twin.then((taken) => ofTwin(walked, collection, taken));
    if (twin !== undefined) return ofTwin(walked, collection, twin);
    const taken = knownContent(walked, collection) ?? read(walked, collection);
    if (link !== undefined) linked.set(link, taken);
    return taken;
  };
  const ofTwin = (walked: WalkedFile, collection: OpenCollection, twin: TakenOr): TakenOr | Promise<TakenOr> => {
    if (!isProblem(twin))
      return { facts: walked.facts, content: twin.content, changed: twin.changed, asset: twin.asset };
    const taken = read(walked, collection);
    taker.hurry(); // nothing comes before this file is taken
    return taken;
  };
  /** Asked once for each capture: what is given up later, the commit finds out. */
  const reusable = new Map<CaptureRef, boolean>();
  const isReusable = (capture: CaptureRef): boolean => {
    const known = reusable.get(capture);
    if (known !== undefined) return known;
    const isOne = options.isReusable(capture);
    reusable.set(capture, isOne);
    if (isOne) reused.add(capture);
    return isOne;
  };
  const knownContent = (walked: WalkedFile, { ref }: OpenCollection): Taken | Promise<Taken> | undefined => {
    const known = statCache?.lookup(walked.path, walked.facts);
    if (known === undefined || !isReusable(known.capture)) return undefined;
    const { content, takenMs } = known;
    const taken = { facts: walked.facts, content, changed: false };
    const asset = examineKnown(walked, known.asset, { plugins, collection: ref.collection, sha256: content.sha256 });
    if (asset instanceof Promise) {
      return asset.then((examined) => {
        statCache?.record(walked.path, { facts: walked.facts, content, takenMs, asset: examined }, ref);
        return { ...taken, asset: examined };
      });
    }
    statCache?.keep(walked.path, known, ref);
    return { ...taken, asset };
  };
  const read = async (walked: WalkedFile, { destination }: OpenCollection): Promise<TakenOr> => {
    const readAtMs = now();
    const { capture, asset } = await taker.take(walked, destination);
    if (capture.kind === 'problem') return capture.problem;
    const { facts, content, changed } = capture;
    return { facts, content, changed, asset, readAtMs };
  };

  const note = (walked: WalkedFile, collection: OpenCollection, taken: TakenOr): Promise<void> | void => {
    markUsed();
    const { ref } = collection;
    progress.files += 1;
    let added: Promise<void> | undefined;
    if (isProblem(taken)) collection.problems.push({ ...taken, path: walked.path });
    else {
      const { facts, content, changed, asset, readAtMs } = taken;
      added = collection.tree.add(path, fileEntry(walked.name, facts, content, { changed }));
      if (changed) collection.changed.push(walked.path);
      if (readAtMs !== undefined) {
        progress.readBytes += content.size;
        if (!changed) statCache?.record(walked.path, { facts, content, takenMs: readAtMs, asset }, ref);
      }
      if (walked.link !== undefined) collection.links.add(walked.link, walked.path);
      options.folders?.add(walked.path, ref, content, asset);
      if (asset !== undefined) collection.assets.push(assetLine(walked.path, ref, content, asset));
      progress.bytes += content.size;
    }
    lastPath = walked.path;
    underWay.shift();
    tell();
    return added;
  };
  const leave = async (): Promise<void> => {
    const isEmpty = folders.at(-1)?.isUsed === false;
    if (isEmpty && folders.length > 1 && wants(emptyFolders)) await open(emptyFolders).tree.addFolder(path);
    folders.pop();
    changePath();
    markUsed();
  };
  const symlink = async ({ path: at, name, facts, target }: WalkedSymlink): Promise<void> => {
    markUsed();
    const ref = assign(at);
    if (wants(ref)) await open(ref).tree.add(path, symlinkEntry(name, facts, target));
  };

  return {
    /** Begins to take a file; undefined where this run takes no file of its collection. */
    take(walked: WalkedFile): Taking | undefined {
      const ref = assign(walked.path);
      if (!wants(ref)) return undefined;
      underWay.push(walked.path);
      progress.foundFiles += 1;
      progress.foundBytes += walked.facts.size;
      const collection = open(ref);
      return { collection, taken: contentOf(walked, collection) };
    },

    /** Notes that the walk is at its end. */
    walked(): void {
      progress.isWalked = true;
      tell();
    },

    /** Notes a file that was taken. */
    file(walked: WalkedFile, taking: Taking | undefined): Promise<void> | void {
      if (taking === undefined) return markUsed();
      const { collection, taken } = taking;
      if (taken instanceof Promise) return taken.then((one) => note(walked, collection, one));
      return note(walked, collection, taken);
    },

    /** Notes what is no file. */
    other(event: Exclude<WalkEvent, { readonly type: 'file' }>): Promise<void> | void {
      switch (event.type) {
        case 'enter': {
          const { path: at, name, facts } = event;
          folders.push({ folder: at === '' ? undefined : { name, facts }, isUsed: false });
          return changePath();
        }
        case 'leave':
          return leave();
        case 'symlink':
          return symlink(event);
        case 'problem': {
          const ref = assign(event.problem.path);
          if (wants(ref)) open(ref).problems.push(event.problem);
        }
      }
    },

    async finish(): Promise<CapturedSource> {
      if (collections.size === 0 && wants(emptyFolders)) open(emptyFolders);
      const captured: CapturedCollection[] = [];
      for (const { ref, destination: _, tree, ...rest } of collections.values()) {
        captured.push({ ...ref, ...rest, ...(await tree.finish()) });
      }
      captured.sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
      return { collections: captured, reused, progress };
    },
  };
}

function isProblem(taken: TakenOr): taken is SourceProblem {
  return 'reason' in taken;
}

function sortKey({ domain, collection }: CollectionRef): string {
  return `${domain} ${collection}`;
}

function assetLine(
  path: ByteString,
  { collection }: CollectionRef,
  { size, sha256 }: FileContent,
  { kind, tensors, report }: AssetFacts,
): AssetLine {
  const more = { ...(tensors === undefined ? {} : { tensors }), ...report };
  return { path: encodeByteText(path), collection, size, sha256, kind, ...more };
}
