/** The tensors of the newest snapshot of every domain, for new ones to be built upon. */
import { decodeByteText } from '../format/byte-name.ts';
import { assetLimits } from '../format/asset-line.ts';
import type { BlobId } from '../format/ids.ts';
import { decodeLayout } from '../format/layout-record.ts';
import type { SnapshotManifest } from '../format/snapshot-manifest.ts';
import { isMbkError } from '../errors.ts';
import { isExpired } from '../log/fold.ts';
import type { Repository } from '../repository.ts';
import { readChunks } from '../snapshot/chunk-list-reader.ts';
import type { TensorCatalogue } from '../snapshot/relatives/tensor-catalogue.ts';
import { findInUnion } from '../snapshot/union-tree.ts';
import { readAssetTable } from './asset-table.ts';
import { isBadContent } from './bad-content.ts';

/** Files of one collection that are looked at: the last by their paths, which with steps and versions are the newest. */
const mostFiles = 1000;

/**
 * Adds them, the newest snapshot last. What is damaged, or not for this role to read, is left out: then nothing is built
 * upon it. Errors: those of the backend, 'interrupted'.
 */
export async function addStoredTensors(repository: Repository, catalogue: TensorCatalogue): Promise<void> {
  const { log, signal } = repository;
  const heads = [...log.fold.heads.entries()].map(([, line]) => line).sort((a, b) => a.n - b.n);
  for (const { to } of heads) {
    const snapshot = await readable(() => repository.catalogue().readSnapshot(to, { signal }));
    for (const collection of snapshot?.manifest.collections ?? []) {
      if (isExpired(log.fold, collection.commit ?? to, collection.name)) continue;
      await readable(() => addCollection(repository, collection, catalogue));
    }
  }
}

type Collection = SnapshotManifest['collections'][number];

async function addCollection(
  { readBlob, signal }: Repository,
  { name, tree, assets }: Collection,
  catalogue: TensorCatalogue,
): Promise<void> {
  if (assets === null) return;
  const paths: string[] = [];
  for await (const { path, tensors = 0 } of readAssetTable(readBlob, assets)) {
    if (tensors === 0) continue;
    paths.push(decodeByteText(path, 'path', assetLimits.pathBytes));
    if (paths.length > 2 * mostFiles) paths.splice(0, mostFiles);
  }
  for (const path of paths.slice(-mostFiles)) {
    await readable(async () => {
      const found = await findInUnion(readBlob, [{ collection: name, tree }], path, { signal });
      if (found?.entry.type !== 'file') return;
      const { entry } = found;
      if (entry.layout === undefined || entry.chunks === undefined) return;
      const layout = decodeLayout(await readBlob(entry.layout, 'layout'), entry.size, `layout ${entry.layout}`);
      const idAt = new Map<number, BlobId>();
      for await (const chunk of readChunks(readBlob, entry, { signal }))
        if (chunk.kind === 'blob') idAt.set(chunk.position, chunk.id);
      catalogue.add(layout, idAt);
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
