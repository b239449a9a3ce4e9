/**
 * `mbk usage --assets`: of the content of each asset, what it would take, what it takes, and what saved the rest.
 *
 * Captures that still have their files count whole, as if each run had made a full copy. Of that is saved: what was there
 * already (dedup), runs of zeros, and, of every blob once, what its codec saves. A blob counts where it is met first, by
 * domain, collection, then depth and order of folders: so lines add up to their sums, and what a later asset shares with
 * an earlier one is saved on the later. Content of files alone: folder lists, chunk lists and layouts are left out.
 *
 * Each distinct folder list, at each place, is read once for each collection, and each chunk list once. Memory: 27 bytes
 * or more, 53 at most, for each distinct blob, about 500 for each asset, and 300 for each version of a folder of one depth.
 */
import { throwIfInterrupted } from '../backend/interrupted.ts';
import { decodeByteText, encodeByteText, joinBytes, type ByteString, type ByteText } from '../format/byte-name.ts';
import { assetLimits } from '../format/asset-line.ts';
import { decodeChunkList } from '../format/chunk-list.ts';
import type { BlobId, CommitId } from '../format/ids.ts';
import type { CollectionState } from '../format/snapshot-manifest.ts';
import type { FileEntry } from '../format/tree.ts';
import { isDeleted, isLost, linesOf } from '../log/fold.ts';
import type { Repository } from '../repository.ts';
import { checkDepth, childParts, readPart, type TreePart } from '../snapshot/tree-reader.ts';
import { readAssetTable } from './asset-table.ts';
import { isBadContent } from './bad-content.ts';
import { requireDomain } from './history.ts';
import { storedOf } from './liveness.ts';
import { blobTally } from './usage/blob-tally.ts';
import { groupCaptures, type UsageProblem } from './usage/group-captures.ts';
import { savedSums, type SavedSizes, type SavedSums } from './usage/saved-sums.ts';
import type { UsageOptions, UsageRequest } from './usage.ts';

export type { SavedSizes } from './usage/saved-sums.ts';

/** A file or folder that a plugin recognised, in all captures of its collection. */
export interface AssetUsage extends SavedSizes {
  readonly path: ByteText;
  /** As the newest capture that has it says. */
  readonly kind: string;
  /** Captures that have it. */
  readonly captures: number;
}

export interface CollectionAssets extends SavedSizes {
  readonly collection: string;
  /** Captures that still have their files. */
  readonly captures: number;
  /** Those that take most first. */
  readonly assets: readonly AssetUsage[];
  /** Assets beyond 100,000 in all, which count among `others`. */
  readonly assetsOmitted: number;
  /** Files that are part of no asset. */
  readonly others: SavedSizes;
}

export interface DomainAssets extends SavedSizes {
  readonly domain: string;
  /** Sorted by name. */
  readonly collections: readonly CollectionAssets[];
}

export interface AssetUsageReport extends SavedSizes {
  readonly snapshots: number;
  /** Sorted by name. */
  readonly domains: readonly DomainAssets[];
  /** What could not be read, and is not counted. */
  readonly problems: readonly UsageProblem[];
}

const mostAssets = 100_000;

/** Errors: `name-invalid`, `revision-unknown` for a domain without snapshots, `interrupted`, those of the backend. */
export async function assetUsageOf(
  repository: Repository,
  { domain }: Pick<UsageRequest, 'domain'> = {},
  { onProgress }: UsageOptions = {},
): Promise<AssetUsageReport> {
  const { fold } = repository.log;
  if (domain !== undefined) requireDomain(fold, domain);
  const lines = linesOf(fold, domain);
  const problems: UsageProblem[] = [];
  const groups = await groupCaptures(repository, lines, problems);
  const count = await contentCounter(repository);
  const all = savedSums();
  const domains: DomainAssets[] = [];
  const total = groups.reduce((sum, { collections }) => sum + collections.length, 0);
  let done = 0;
  let room = mostAssets;
  for (const { name, collections } of groups) {
    const ofDomain = savedSums();
    const rows: CollectionAssets[] = [];
    for (const { collection, live } of collections) {
      onProgress?.(done, total);
      done += 1;
      const tell = (commit: CommitId, message: string): void => void problems.push({ commit, collection, message });
      const { rows: assets, omitted } = await assetsOf(repository, live, { room, tell });
      room -= assets.size;
      const others = savedSums();
      await countFiles(repository, live, { assets, others, count, tell });
      const sums = savedSums();
      for (const one of [...assets.values(), { sums: others }]) sums.add(one.sums);
      rows.push({
        collection,
        captures: live.length,
        ...sums.sizes(),
        assets: sortedAssets(assets),
        assetsOmitted: omitted,
        others: others.sizes(),
      });
      ofDomain.add(sums);
    }
    domains.push({ domain: name, ...ofDomain.sizes(), collections: rows });
    all.add(ofDomain);
  }
  return { snapshots: lines.length, ...all.sizes(), domains, problems };
}

type Captures = readonly { readonly commit: CommitId; readonly state: CollectionState }[];
type Tell = (commit: CommitId, message: string) => void;

interface AssetRow {
  kind: string;
  captures: number;
  readonly sums: SavedSums;
}

/** By path; of the root of the snapshot it is empty. */
type AssetRows = Map<ByteString, AssetRow>;

/** The assets of all captures, by their tables: each distinct one is read once. */
async function assetsOf(
  { readBlob, signal }: Repository,
  captures: Captures,
  { room, tell }: { readonly room: number; readonly tell: Tell },
): Promise<{ readonly rows: AssetRows; readonly omitted: number }> {
  const rows: AssetRows = new Map();
  /** Beyond `room` paths are not held: an asset that is omitted counts again in every table. */
  let omitted = 0;
  const tables = new Map<BlobId, { readonly commit: CommitId; captures: number }>();
  for (const { commit, state } of captures) {
    if (state.assets === null) continue;
    const table = tables.get(state.assets);
    if (table === undefined) tables.set(state.assets, { commit, captures: 1 });
    else table.captures += 1;
  }
  for (const [id, { commit, captures: times }] of tables) {
    throwIfInterrupted(signal, 'reading asset tables');
    let beyond = 0;
    try {
      for await (const { kind, path: text } of readAssetTable(readBlob, id)) {
        const decoded = decodeByteText(text, 'path', assetLimits.pathBytes);
        const path = decoded === '.' ? '' : decoded;
        const row = rows.get(path);
        if (row !== undefined) {
          row.kind = kind;
          row.captures += times;
        } else if (rows.size < room) rows.set(path, { kind, captures: times, sums: savedSums() });
        else beyond += 1;
      }
    } catch (error) {
      if (!isBadContent(error)) throw error;
      tell(commit, error.message);
    }
    omitted = Math.max(omitted, beyond);
  }
  return { rows, omitted };
}

function sortedAssets(rows: AssetRows): AssetUsage[] {
  const assets: AssetUsage[] = [];
  for (const [path, { kind, captures, sums }] of rows)
    assets.push({ path: path === '' ? '.' : encodeByteText(path), kind, captures, ...sums.sizes() });
  return assets.sort((a, b) => b.stored - a.stored || b.raw - a.raw);
}

/** A folder list, or a part of one, at its place. */
interface Visit {
  readonly part: TreePart;
  readonly path: ByteString;
  /** The folder at or above it that is an asset. */
  readonly owner: SavedSums;
  /** A capture that has it. */
  readonly commit: CommitId;
  /** Captures that have it, and of how many of them its files were counted. */
  captures: number;
  counted: number;
}

interface Counting {
  readonly assets: AssetRows;
  readonly others: SavedSums;
  readonly count: ContentCounter;
  readonly tell: Tell;
}

/**
 * Goes over the trees of all captures together, all folders of a depth before those below them: so a list that many
 * captures share at one place is read once, and counts as often as they are.
 */
async function countFiles(
  { readBlob, signal }: Repository,
  captures: Captures,
  { assets, count, others, tell }: Counting,
): Promise<void> {
  const ownerOf = (path: ByteString, above: SavedSums): SavedSums => assets.get(path)?.sums ?? above;
  let level = new Map<string, Visit>();
  const root = ownerOf('', others);
  for (const { commit, state } of captures)
    add(level, { part: { id: state.tree }, path: '', owner: root, commit, captures: 1, counted: 0 });

  for (let depth = 0; level.size > 0; depth += 1) {
    const below = new Map<string, Visit>();
    // What is added on the way is visited too, and again when it turns out to be of more captures.
    const queue = [...level.values()];
    for (const visit of queue) {
      throwIfInterrupted(signal, 'reading trees');
      const times = visit.captures - visit.counted;
      if (times === 0) continue;
      visit.counted = visit.captures;
      try {
        await look(visit, times, { depth, below, queue });
      } catch (error) {
        if (!isBadContent(error)) throw error;
        tell(visit.commit, error.message);
      }
    }
    level = below;
  }

  async function look(
    { commit, owner, part, path }: Visit,
    times: number,
    { below, depth, queue }: { readonly depth: number; readonly below: Map<string, Visit>; readonly queue: Visit[] },
  ): Promise<void> {
    const blob = await readPart(readBlob, part);
    if (!('entries' in blob)) {
      for (const child of childParts(blob, part.after))
        queue.push(add(level, { part: child, path, owner, commit, captures: times, counted: 0 }));
      return;
    }
    for (const entry of blob.entries) {
      const place = joinBytes(path, entry.name);
      if (entry.type === 'directory') {
        checkDepth(depth, place);
        const inside = ownerOf(place, owner);
        add(below, { part: { id: entry.tree }, path: place, owner: inside, commit, captures: times, counted: 0 });
      } else if (entry.type === 'file') {
        const sums = ownerOf(place, owner);
        sums.addFile(entry.size, times);
        await count(entry, sums);
      }
    }
  }
}

/** Adds a visit, or its captures to the one that is there. */
function add(visits: Map<string, Visit>, visit: Visit): Visit {
  const key = `${visit.part.id} ${visit.path}`;
  const known = visits.get(key);
  if (known === undefined) {
    visits.set(key, visit);
    return visit;
  }
  known.captures += visit.captures;
  return known;
}

/** Adds what the content of a file takes to `sums`, as far as it was not met before. */
type ContentCounter = (file: FileEntry, sums: SavedSums) => Promise<void>;

async function contentCounter({ index: openIndex, log, readBlob }: Repository): Promise<ContentCounter> {
  const index = await openIndex();
  const tally = blobTally();
  const isNew = (id: BlobId): boolean => tally.meet(id, 1) === 0;

  const blob = (id: BlobId, length: number, sums: SavedSums): void => {
    if (!isNew(id)) return;
    const [copy] = index.lookup('data', id, (pack) => !isDeleted(log.fold, pack) && !isLost(log.fold, pack));
    if (copy === undefined) sums.addAbsent(length);
    else sums.addBlob(copy.frame.codec, copy.length, storedOf(copy));
  };
  const list = async (id: BlobId, sums: SavedSums): Promise<void> => {
    if (!isNew(id)) return;
    const part = decodeChunkList(await readBlob(id, 'chunks'), `chunk list ${id}`);
    if ('children' in part) for (const child of part.children) await list(child.id, sums);
    else
      for (const chunk of part.chunks) {
        if (chunk.kind === 'zero') sums.addZeros(chunk.length);
        else blob(chunk.id, chunk.length, sums);
      }
  };
  return async ({ chunks, sha256, size }, sums) => {
    if (chunks !== undefined) await list(chunks, sums);
    else if (size > 0) blob(sha256, size, sums);
  };
}
