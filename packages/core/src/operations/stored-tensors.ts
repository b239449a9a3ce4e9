/** The tensors of stored snapshots, for new ones to be built upon: of the newest of every domain, and of some before them. */
import { decodeByteText } from '../format/byte-name.ts';
import { assetLimits } from '../format/asset-line.ts';
import type { BlobId } from '../format/ids.ts';
import { decodeLayout } from '../format/layout-record.ts';
import type { Line } from '../format/log-state.ts';
import type { SnapshotManifest } from '../format/snapshot-manifest.ts';
import { isMbkError } from '../errors.ts';
import { type Fold, isExpired } from '../log/fold.ts';
import type { Repository } from '../repository.ts';
import { readChunks } from '../snapshot/chunk-list-reader.ts';
import type { TensorCatalogue } from '../snapshot/relatives/tensor-catalogue.ts';
import { findInUnion } from '../snapshot/union-tree.ts';
import { readAssetTable } from './asset-table.ts';
import { isBadContent } from './bad-content.ts';

/** Files of one collection that are looked at: the last by their paths, which with steps and versions are the newest. */
const mostFiles = 1000;
/** Snapshots before the newest ones that are looked at; and rows of asset tables after which no more are, 4 to 7 µs each. */
const mostEarlier = 64;
const enoughRows = 100_000;
/** Tensors after which no more are added: a run adds its own. */
const enoughTensors = 125_000;

/**
 * Adds them, newer ones first. What is damaged, or not for this role to read, is left out: then nothing is built upon it.
 * Errors: those of the backend, 'interrupted'.
 */
export async function addStoredTensors(repository: Repository, catalogue: TensorCatalogue): Promise<void> {
  const { fold } = repository.log;
  const search: Search = { catalogue, tables: new Set(), files: new Set(), rows: 0 };
  const newest = [...fold.heads.entries()].map(([, line]) => line).sort((a, b) => b.n - a.n);
  for (const line of newest) await addSnapshot(repository, line, search);
  for (const line of earlierThan(newest, fold)) {
    if (search.rows >= enoughRows) return;
    await addSnapshot(repository, line, search);
  }
}

/** How far it is. */
interface Search {
  readonly catalogue: TensorCatalogue;
  /** Asset tables that were read, and the SHA-256 of files that were added. */
  readonly tables: Set<BlobId>;
  readonly files: Set<string>;
  /** Rows of these tables. */
  rows: number;
}

/** The snapshots before these, newest first. */
function* earlierThan(newest: readonly Line[], { lines }: Fold): Generator<Line> {
  const given = new Set(newest.map(({ to }) => to));
  let left = mostEarlier;
  for (let at = lines.length - 1; at >= 0 && left > 0; at -= 1) {
    const line = lines.at(at);
    if (line === undefined || given.has(line.to)) continue;
    left -= 1;
    yield line;
  }
}

async function addSnapshot(repository: Repository, { to }: Line, search: Search): Promise<void> {
  const { log, signal } = repository;
  if (search.catalogue.size >= enoughTensors) return;
  const snapshot = await readable(() => repository.catalogue().readSnapshot(to, { signal }));
  for (const collection of snapshot?.manifest.collections ?? []) {
    if (isExpired(log.fold, collection.commit ?? to, collection.name)) continue;
    await readable(() => addCollection(repository, collection, search));
  }
}

type Collection = SnapshotManifest['collections'][number];

async function addCollection(
  { readBlob, signal }: Repository,
  { name, tree, assets }: Collection,
  search: Search,
): Promise<void> {
  if (assets === null || search.tables.has(assets)) return;
  search.tables.add(assets);
  const files: { readonly path: string; readonly sha256: string }[] = [];
  for await (const { path, sha256, tensors = 0 } of readAssetTable(readBlob, assets)) {
    search.rows += 1;
    if (tensors === 0 || sha256 === null || search.files.has(sha256)) continue;
    files.push({ path: decodeByteText(path, 'path', assetLimits.pathBytes), sha256 });
    if (files.length > 2 * mostFiles) files.splice(0, mostFiles);
  }
  // The last first, as they are the newest.
  for (const { path, sha256 } of files.slice(-mostFiles).toReversed()) {
    await readable(async () => {
      const found = await findInUnion(readBlob, [{ collection: name, tree }], path, { signal });
      if (found?.entry.type !== 'file') return;
      const { entry } = found;
      if (entry.layout === undefined || entry.chunks === undefined) return;
      const layout = decodeLayout(await readBlob(entry.layout, 'layout'), entry.size, `layout ${entry.layout}`);
      const idAt = new Map<number, BlobId>();
      for await (const chunk of readChunks(readBlob, entry, { signal }))
        if (chunk.kind === 'blob') idAt.set(chunk.position, chunk.id);
      search.catalogue.addOlder(layout, idAt);
      search.files.add(sha256);
    });
  }
}

async function readable<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isBadContent(error) || isMbkError(error, 'role-denied', 'revision-unknown')) return undefined;
    throw error;
  }
}
