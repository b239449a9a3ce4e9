/** Which files of which snapshots need which pack, found by walking all trees and lists of a sound repository. */
import type { Repository } from '@mbk/core';
import { packKey, packKindOf, type BlobId, type BlobType, type CommitId } from '../../packages/core/src/format/ids.ts';
import { decodeTree } from '../../packages/core/src/format/tree.ts';
import { readChunks } from '../../packages/core/src/snapshot/chunk-list-reader.ts';

export interface FilesByPack {
  /** Paths of a commit that cannot be restored without the pack, and folders of which a part cannot; `*` for all. */
  dependentsOf(key: string, commit: string): ReadonlySet<string>;
}

export async function filesByPack(repository: Repository): Promise<FilesByPack> {
  const index = await repository.index();
  const found = new Map<string, Set<string>>();
  const packsOf = (type: BlobType, id: BlobId): string[] =>
    index.lookup(packKindOf(type), id).map(({ pack }) => packKey(pack.kind, pack.id));

  for (const line of repository.log.fold.lines.values()) {
    const { manifest } = await repository.catalogue().readSnapshot(line.to);
    for (const { tree, links } of manifest.collections) {
      // Without the record of links each name is restored by itself: nothing is lost with it.
      await visit(line.to, tree, '');
      if (links !== null) await repository.readBlob(links, 'links');
    }
  }
  return { dependentsOf: (key, commit) => found.get(`${key} ${commit}`) ?? new Set() };

  function need(commit: CommitId, type: BlobType, id: BlobId, path: string): void {
    for (const key of packsOf(type, id)) {
      const paths = found.get(`${key} ${commit}`) ?? new Set();
      found.set(`${key} ${commit}`, paths.add(path === '' ? '*' : path));
    }
  }

  async function visit(commit: CommitId, tree: BlobId, path: string): Promise<void> {
    need(commit, 'tree', tree, path);
    const blob = decodeTree(await repository.readBlob(tree, 'tree'), tree);
    if (!('entries' in blob)) {
      for (const { id } of blob.children) await visit(commit, id, path);
      return;
    }
    for (const entry of blob.entries) {
      const below = path === '' ? entry.name : `${path}/${entry.name}`;
      if (entry.type === 'directory') await visit(commit, entry.tree, below);
      if (entry.type !== 'file' || entry.size === 0) continue;
      if (entry.chunks === undefined) need(commit, 'data', entry.sha256, below);
      else {
        need(commit, 'chunks', entry.chunks, below);
        for await (const chunk of readChunks(repository.readBlob, entry))
          if (chunk.kind !== 'zero') need(commit, 'data', chunk.id, below);
      }
    }
  }
}
