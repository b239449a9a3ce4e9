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
/** Snapshots before the newest ones that are looked at; and tensors from which on no more are: a run adds its own. */
const mostEarlier = 64;
const enoughTensors = 125_000;

/**
 * Adds them, newer ones first. What is damaged, or not for this role to read, is left out: then nothing is built upon it.
 * Errors: those of the backend, 'interrupted'.
 */
export async function addStoredTensors(repository: Repository, catalogue: TensorCatalogue): Promise<void> {
  const { log, signal } = repository;
  const seen: Seen = { tables: new Set(), files: new Set() };
  for (const { to } of newestAndEarlier(log.fold)) {
    if (catalogue.size >= enoughTensors) return;
    const snapshot = await readable(() => repository.catalogue().readSnapshot(to, { signal }));
    for (const collection of snapshot?.manifest.collections ?? []) {
      if (isExpired(log.fold, collection.commit ?? to, collection.name)) continue;
      await readable(() => addCollection(repository, collection, { catalogue, seen }));
    }
  }
}

type Collection = SnapshotManifest['collections'][number];

/** What was added: asset tables, and the SHA-256 of files. */
interface Seen {
  readonly tables: Set<BlobId>;
  readonly files: Set<string>;
}

/** The newest snapshot of every domain, and then those before them, each kind newest first. */
function* newestAndEarlier({ heads, lines }: Fold): Generator<Line> {
  const newest = [...heads.entries()].map(([, line]) => line).sort((a, b) => b.n - a.n);
  yield* newest;
  const given = new Set(newest.map(({ to }) => to));
  let left = mostEarlier;
  for (let at = lines.length - 1; at >= 0 && left > 0; at -= 1) {
    const line = lines.at(at);
    if (line === undefined || given.has(line.to)) continue;
    left -= 1;
    yield line;
  }
}

async function addCollection(
  { readBlob, signal }: Repository,
  { name, tree, assets }: Collection,
  { catalogue, seen }: { readonly catalogue: TensorCatalogue; readonly seen: Seen },
): Promise<void> {
  if (assets === null || seen.tables.has(assets)) return;
  seen.tables.add(assets);
  const files: { readonly path: string; readonly sha256: string }[] = [];
  for await (const { path, sha256, tensors = 0 } of readAssetTable(readBlob, assets)) {
    if (tensors === 0 || sha256 === null || seen.files.has(sha256)) continue;
    files.push({ path: decodeByteText(path, 'path', assetLimits.pathBytes), sha256 });
    if (files.length > 2 * mostFiles) files.splice(0, mostFiles);
  }
  // The last first, as they are the newest.
  for (const { path, sha256 } of files.slice(-mostFiles).toReversed()) {
    seen.files.add(sha256);
    await readable(async () => {
      const found = await findInUnion(readBlob, [{ collection: name, tree }], path, { signal });
      if (found?.entry.type !== 'file') return;
      const { entry } = found;
      if (entry.layout === undefined || entry.chunks === undefined) return;
      const layout = decodeLayout(await readBlob(entry.layout, 'layout'), entry.size, `layout ${entry.layout}`);
      const idAt = new Map<number, BlobId>();
      for await (const chunk of readChunks(readBlob, entry, { signal }))
        if (chunk.kind === 'blob') idAt.set(chunk.position, chunk.id);
      catalogue.addOlder(layout, idAt);
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
