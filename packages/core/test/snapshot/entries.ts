/** Short ways to entries of trees. */
import { sha256Hex } from '../../src/crypto/hash.ts';
import { asBlobId, type BlobId } from '../../src/format/ids.ts';
import type { DirectoryEntry, FileEntry, SymlinkEntry, TreeEntry } from '../../src/format/tree.ts';
import type { StoreBlob } from '../../src/snapshot/blobs.ts';
import { treeBuilder } from '../../src/snapshot/tree-builder.ts';

const facts = { mode: 0o644, mtime: [1_700_000_000, 5], owner: [0, 0] } as const;

export function linkTo(name: string, target = 'x'): SymlinkEntry {
  return { type: 'symlink', name, ...facts, target };
}

/** A file whose content is its `text`; the blob is not stored. */
export function fileOf(name: string, text: string, changes: Partial<FileEntry> = {}): FileEntry {
  const bytes = Buffer.from(text);
  return { type: 'file', name, ...facts, size: bytes.length, sha256: asBlobId(sha256Hex(bytes)), ...changes };
}

export function directoryOf(name: string, tree: BlobId, changes: Partial<DirectoryEntry> = {}): DirectoryEntry {
  return { type: 'directory', name, ...facts, mode: 0o755, tree, ...changes };
}

/** Stores a directory of these entries, in any order. */
export async function treeOf(store: StoreBlob, entries: readonly TreeEntry[]): Promise<BlobId> {
  const builder = treeBuilder(store);
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) await builder.add(entry);
  return builder.finish();
}

export function namesOf(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `file-${String(i).padStart(7, '0')}`);
}
