/** Tree entries of what the walk found. */
import type { ByteString } from '../format/byte-name.ts';
import type { BlobId } from '../format/ids.ts';
import type { DirectoryEntry, FileContent, FileEntry, SymlinkEntry } from '../format/tree.ts';
import type { SourceFacts } from './source-facts.ts';

export function fileEntry(
  name: ByteString,
  { mode, mtime, owner, sparse }: SourceFacts,
  content: FileContent,
  { changed = false }: { readonly changed?: boolean } = {},
): FileEntry {
  const flags = { ...(sparse ? { sparse } : {}), ...(changed ? { changed } : {}) };
  return { type: 'file', name, mode, mtime, owner, ...content, ...flags };
}

export function directoryEntry(name: ByteString, { mode, mtime, owner }: SourceFacts, tree: BlobId): DirectoryEntry {
  return { type: 'directory', name, mode, mtime, owner, tree };
}

export function symlinkEntry(name: ByteString, { mode, mtime, owner }: SourceFacts, target: ByteString): SymlinkEntry {
  return { type: 'symlink', name, mode, mtime, owner, target };
}
