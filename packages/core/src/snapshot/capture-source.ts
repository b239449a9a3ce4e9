/**
 * Takes a source folder into the store: one walk, every file read at most once, a tree for each collection.
 *
 * Files that did not change since a capture that still lives are known by the stat cache and not read. What cannot be
 * read is a problem of the report, never a failure: a snapshot takes the rest.
 */
import { setImmediate } from 'node:timers/promises';
import { checkCollectionName, checkDomainName } from '../catalogue/names.ts';
import type { GearTable } from '../chunker/gear.ts';
import { MbkError, isMbkError } from '../errors.ts';
import type { AssetLine } from '../format/asset-line.ts';
import { displayBytes, encodeByteText, type ByteString } from '../format/byte-name.ts';
import type { BlobId, BlobType } from '../format/ids.ts';
import { checkLayout, type Layout } from '../format/layout-record.ts';
import type { FileContent } from '../format/tree.ts';
import type { AssetPlugins } from './asset-plugins.ts';
import { captureFile, type OpenSource } from './capture-file.ts';
import { collectionTree, type CollectionTotals, type CollectionTree, type SourceFolder } from './collection-tree.ts';
import { fileEntry, symlinkEntry } from './entry-of.ts';
import { fileStorer, type FileStorer } from './file-storer.ts';
import { linkGroups, type LinkGroups } from './hard-links.ts';
import type { SourceProblem } from './source-facts.ts';
import { sourceReader } from './source-reader.ts';
import type { AssetFacts, CaptureRef, CollectionRef, KnownFile, StatCache } from './stat-cache.ts';
import { walk, type WalkedFile, type WalkedSymlink } from './walk.ts';

export interface CaptureSourceOptions {
  /** Absolute path of the source root. */
  readonly root: ByteString;
  readonly exclude?: ((path: ByteString, isDirectory: boolean) => boolean) | undefined;
  readonly oneFileSystem?: boolean | undefined;
  /** Domain and collection of a path below the root. */
  readonly assign: (path: ByteString) => CollectionRef;
  /** Whether this run takes the collection. */
  readonly wants: (collection: CollectionRef) => boolean;
  /** Where folders go that hold no file of any collection. */
  readonly emptyFolders: CollectionRef;
  readonly plugins: AssetPlugins;
  readonly store: (type: BlobType, bytes: Uint8Array, collection: CollectionRef) => Promise<{ readonly id: BlobId }>;
  readonly gear: GearTable;
  readonly statCache: StatCache | undefined;
  /** Whether the files of a capture may be taken as they were without reading them. */
  readonly isReusable: (capture: CaptureRef) => boolean;
  readonly now: () => number;
  readonly signal?: AbortSignal | undefined;
  readonly onFile?: ((progress: CaptureProgress) => void) | undefined;
}

/** After each file: what has been gone through so far. */
export interface CaptureProgress {
  readonly files: number;
  /** Plain bytes. */
  readonly bytes: number;
  /** Of those, how many were read rather than known from the stat cache. */
  readonly readBytes: number;
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

const eventsPerTurn = 512;

/**
 * Walks and stores. Throws what the store throws, `interrupted`, `source-absent` if the root cannot be read, and
 * `name-invalid` before anything is stored for a domain or collection that cannot be called so.
 */
export async function captureSource(options: CaptureSourceOptions): Promise<CapturedSource> {
  const run = captureRun(options);
  let events = 0;
  for (const event of walkSource(options)) {
    // The walk blocks, and files that are known cost nothing else: signals and progress get their turn here.
    if ((events += 1) % eventsPerTurn === 0) await setImmediate();
    if (event.type === 'enter') run.enter(event.path, { name: event.name, facts: event.facts });
    else if (event.type === 'leave') await run.leave();
    else if (event.type === 'file') await run.file(event);
    else if (event.type === 'symlink') await run.symlink(event);
    else run.problem(event.problem);
  }
  return run.finish();
}

function* walkSource({ root, exclude, oneFileSystem, signal }: CaptureSourceOptions): ReturnType<typeof walk> {
  try {
    yield* walk(root, { ...(exclude && { exclude }), ...(oneFileSystem && { oneFileSystem }), signal });
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

function captureRun(options: CaptureSourceOptions) {
  const { assign, wants, emptyFolders, plugins, statCache, now, signal } = options;
  const folders: OpenFolder[] = [];
  const collections = new Map<string, OpenCollection>();
  const reused = new Set<CaptureRef>();
  const linked = new Map<
    string,
    { readonly content: FileContent; readonly changed: boolean; readonly asset: AssetFacts | undefined }
  >();
  const progress = { files: 0, bytes: 0, readBytes: 0 };
  /** What the file at hand belongs to: one storer and its buffers serve all collections. */
  let current = emptyFolders;
  const storer = fileStorer({ store: (type, bytes) => options.store(type, bytes, current), gear: options.gear });

  const open = (ref: CollectionRef): OpenCollection => {
    const key = `${ref.domain} ${ref.collection}`;
    const known = collections.get(key);
    if (known !== undefined) return known;
    checkDomainName(ref.domain);
    checkCollectionName(ref.collection);
    const tree = collectionTree((type, bytes) => options.store(type, bytes, ref));
    const collection = { ref, tree, links: linkGroups(), assets: [], changed: [], problems: [] };
    collections.set(key, collection);
    return collection;
  };
  const path = (): SourceFolder[] => folders.flatMap(({ folder }) => (folder === undefined ? [] : [folder]));
  const markUsed = (): void => {
    const folder = folders.at(-1);
    if (folder !== undefined) folder.isUsed = true;
  };

  /** Content of a file: of another name of it, from the stat cache, or read now. */
  const contentOf = async (walked: WalkedFile, collection: OpenCollection) => {
    const twin = walked.link === undefined ? undefined : linked.get(walked.link);
    if (twin !== undefined) return { facts: walked.facts, ...twin };
    const known = statCache?.lookup(walked.path, walked.facts);
    const taken =
      known !== undefined && options.isReusable(known.capture)
        ? reuse(walked, known, collection)
        : await read(walked, collection);
    if (taken !== undefined && walked.link !== undefined) linked.set(walked.link, taken);
    return taken;
  };
  const reuse = (walked: WalkedFile, known: KnownFile, { ref }: OpenCollection) => {
    reused.add(known.capture);
    statCache?.keep(walked.path, known, ref);
    return { facts: walked.facts, content: known.content, changed: false, asset: known.asset };
  };
  const read = async (walked: WalkedFile, collection: OpenCollection) => {
    current = collection.ref;
    const takenMs = now();
    const { capture, asset } = await readFile(walked, { storer, plugins, signal });
    if (capture.kind === 'problem') {
      collection.problems.push(capture.problem);
      return undefined;
    }
    const { facts, content, changed } = capture;
    progress.readBytes += content.size;
    if (changed) collection.changed.push(walked.path);
    else statCache?.record(walked.path, { facts, content, takenMs, asset }, collection.ref);
    return { facts, content, changed, asset };
  };

  return {
    enter(at: ByteString, folder: SourceFolder): void {
      folders.push({ folder: at === '' ? undefined : folder, isUsed: false });
    },

    async leave(): Promise<void> {
      const isEmpty = folders.at(-1)?.isUsed === false;
      if (isEmpty && folders.length > 1 && wants(emptyFolders)) await open(emptyFolders).tree.addFolder(path());
      folders.pop();
      markUsed();
    },

    async file(walked: WalkedFile): Promise<void> {
      markUsed();
      const ref = assign(walked.path);
      if (!wants(ref)) return;
      const collection = open(ref);
      const taken = await contentOf(walked, collection);
      if (taken !== undefined) {
        const { facts, content, changed, asset } = taken;
        await collection.tree.add(path(), fileEntry(walked.name, facts, content, { changed }));
        if (walked.link !== undefined) collection.links.add(walked.link, walked.path);
        if (asset !== undefined) collection.assets.push(assetLine(walked.path, ref, content, asset));
        progress.bytes += content.size;
      }
      progress.files += 1;
      options.onFile?.({ ...progress, path: walked.path });
    },

    async symlink({ path: at, name, facts, target }: WalkedSymlink): Promise<void> {
      markUsed();
      const ref = assign(at);
      if (wants(ref)) await open(ref).tree.add(path(), symlinkEntry(name, facts, target));
    },

    problem(problem: SourceProblem): void {
      const ref = assign(problem.path);
      if (wants(ref)) open(ref).problems.push(problem);
    },

    async finish(): Promise<CapturedSource> {
      if (collections.size === 0 && wants(emptyFolders)) open(emptyFolders);
      const captured: CapturedCollection[] = [];
      for (const { ref, tree, ...rest } of collections.values()) {
        captured.push({ ...ref, ...rest, ...(await tree.finish()) });
      }
      captured.sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
      return { collections: captured, reused, progress };
    },
  };
}

function sortKey({ domain, collection }: CollectionRef): string {
  return `${domain} ${collection}`;
}

/** Reads and stores one file, with its layout if a plugin knows it. */
async function readFile(
  walked: WalkedFile,
  {
    storer,
    plugins,
    signal,
  }: { readonly storer: FileStorer; readonly plugins: AssetPlugins; readonly signal: AbortSignal | undefined },
): Promise<{ capture: Awaited<ReturnType<typeof captureFile>>; asset: AssetFacts | undefined }> {
  let asset: AssetFacts | undefined;
  const layoutOf = async (file: OpenSource): Promise<Layout | undefined> => {
    const reader = sourceReader(file);
    const head = await reader.read(0, Math.min(plugins.headBytes, reader.size)).catch(() => new Uint8Array(0)); // it shrank: read again
    const recognised = await plugins.recognise(reader, head, signal);
    asset = recognised && {
      kind: recognised.kind,
      ...(recognised.layout && { tensors: recognised.layout.tensors.length }),
    };
    return recognised?.layout && storableLayout(recognised.layout, reader.size);
  };
  const capture = await captureFile(walked, { storer, layoutOf, signal });
  return { capture, asset };
}

/** A plugin's layout as the format has it; undefined if the format has no room for it: the file is cut by its content. */
function storableLayout({ container, tensors }: Layout, size: number): Layout | undefined {
  try {
    return checkLayout({ container, tensors }, size, 'layout');
  } catch (error) {
    if (isMbkError(error, 'value-invalid')) return undefined;
    throw error;
  }
}

function assetLine(
  path: ByteString,
  { collection }: CollectionRef,
  { size, sha256 }: FileContent,
  asset: AssetFacts,
): AssetLine {
  return { path: encodeByteText(path), collection, size, sha256, ...asset };
}
