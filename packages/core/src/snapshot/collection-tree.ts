/**
 * Makes the tree of one collection while the source is walked once for all of them (docs/format.md, Trees).
 *
 * It holds its own files and links, and the folders that lead to them; a folder that is kept for itself is added like a
 * file. Of each open folder the builder holds one unfinished blob.
 */
import type { ByteString } from '../format/byte-name.ts';
import type { BlobId } from '../format/ids.ts';
import type { FileEntry, SymlinkEntry } from '../format/tree.ts';
import type { StoreBlob } from './blobs.ts';
import { directoryEntry } from './entry-of.ts';
import type { SourceFacts } from './source-facts.ts';
import { treeBuilder, type TreeBuilder } from './tree-builder.ts';

/** A folder that the walk is in; the same object from its `enter` to its `leave`. The root is not among them. */
export interface SourceFolder {
  readonly name: ByteString;
  readonly facts: SourceFacts;
}

export interface CollectionTotals {
  readonly files: number;
  readonly directories: number;
  readonly symlinks: number;
  /** Bytes of its files. */
  readonly bytes: number;
}

export interface CollectionTree {
  /**
   * Adds what lies in the last of `folders`, which lead to it from the root; in the order of the walk. Undefined where
   * nothing had to be stored: it is done.
   */
  add(folders: readonly SourceFolder[], entry: FileEntry | SymlinkEntry): Promise<void> | undefined;
  /** Keeps the last of `folders`, also if nothing is added to it. */
  addFolder(folders: readonly SourceFolder[]): Promise<void>;
  finish(): Promise<CollectionTotals & { readonly tree: BlobId }>;
}

export function collectionTree(store: StoreBlob): CollectionTree {
  const root = treeBuilder(store);
  const open: { readonly folder: SourceFolder; readonly builder: TreeBuilder }[] = [];
  const totals = { files: 0, directories: 0, symlinks: 0, bytes: 0 };

  const innermost = (): TreeBuilder => open.at(-1)?.builder ?? root;

  const closeFolders = async (depth: number): Promise<void> => {
    while (open.length > depth) {
      const closed = open.pop();
      if (closed === undefined) return;
      const { folder, builder } = closed;
      await innermost().add(directoryEntry(folder.name, folder.facts, await builder.finish()));
    }
  };

  /** Whether the last of `folders` is the one that is open. */
  const isIn = (folders: readonly SourceFolder[]): boolean =>
    folders.length === open.length && open.at(-1)?.folder === folders.at(-1);

  const goTo = async (folders: readonly SourceFolder[]): Promise<void> => {
    // Folders open and close as on a stack: if the last one that both have is the same, so are all above it.
    let shared = Math.min(open.length, folders.length);
    while (shared > 0 && open[shared - 1]?.folder !== folders[shared - 1]) shared -= 1;
    await closeFolders(shared);
    for (const folder of folders.slice(shared)) {
      totals.directories += 1;
      open.push({ folder, builder: treeBuilder(store) });
    }
  };

  return {
    add(folders, entry) {
      if (entry.type === 'symlink') totals.symlinks += 1;
      else {
        totals.files += 1;
        totals.bytes += entry.size;
      }
      if (isIn(folders)) return innermost().add(entry);
      return goTo(folders).then(() => innermost().add(entry));
    },
    addFolder: goTo,
    async finish() {
      await closeFolders(0);
      return { ...totals, tree: await root.finish() };
    },
  };
}
