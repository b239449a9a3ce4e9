/**
 * Folders that are assets: gathers the files of a run and says which folders a plugin takes as one, with all files below.
 *
 * It stops at `mostFiles`; a folder that is not whole by then is told as such.
 */
import { type FolderFile, type FolderMatch, matchingFolderKind } from '@mbk/plugin-sdk';
import { textOfBytes, type ByteString } from '../format/byte-name.ts';
import type { FileContent } from '../format/tree.ts';
import type { PluginSource } from '../plugins/plugin-source.ts';
import { fileList, type FileList, type ListedFile } from './file-list.ts';
import type { AssetFacts, CollectionRef } from './stat-cache.ts';

export interface FoundFolder {
  /** From the root; empty for the root. */
  readonly path: string;
  readonly kind: string;
  /** Place of the plugin among the sources. */
  readonly plugin: number;
  readonly files: readonly FolderFile[];
  /** Of all files. */
  readonly bytes: number;
}

export interface FolderCollector {
  add(path: ByteString, ref: CollectionRef, content: FileContent, asset: AssetFacts | undefined): void;
  /** The folders of a collection, by path; of nested ones the outermost. */
  folders(ref: CollectionRef): readonly FoundFolder[];
  /** Whether there were more files than it holds. */
  readonly isFull: boolean;
}

const mostFiles = 200_000;

export function folderCollector(sources: readonly PluginSource[], most: number = mostFiles): FolderCollector {
  const rules = sources.map(({ manifest }): readonly FolderMatch[] =>
    manifest.contributes?.includes('folder') === true ? (manifest.folders ?? []) : [],
  );
  const isWanted = rules.some((of) => of.length > 0);
  const collections = new Map<string, FileList>();
  let count = 0;
  let isFull = false;

  const kindOf = (name: string): { readonly plugin: number; readonly kind: string } | undefined => {
    for (const [plugin, of] of rules.entries()) {
      const kind = matchingFolderKind(of, [name]);
      if (kind !== undefined) return { plugin, kind };
    }
    return undefined;
  };

  /** Folders that hold a marker themselves; the first plugin, and of it the first rule, decides. */
  const markedFolders = (
    files: Iterable<ListedFile>,
  ): Map<string, { readonly plugin: number; readonly kind: string }> => {
    const marked = new Map<string, { readonly plugin: number; readonly kind: string; readonly rank: number }>();
    for (const { path } of files) {
      const slash = path.lastIndexOf('/');
      const found = kindOf(path.slice(slash + 1));
      if (found === undefined) continue;
      const folder = path.slice(0, Math.max(slash, 0));
      const rank = found.plugin * 1000 + (rules[found.plugin] ?? []).findIndex(({ kind }) => kind === found.kind);
      const known = marked.get(folder);
      if (known === undefined || rank < known.rank) marked.set(folder, { ...found, rank });
    }
    return marked;
  };

  return {
    add(path, { domain, collection }, content, asset) {
      if (!isWanted) return;
      const text = textOfBytes(path);
      if (text === undefined) return; // no plugin could name it
      if (count >= most) {
        isFull = true;
        return;
      }
      count += 1;
      const key = `${domain} ${collection}`;
      const files = collections.get(key) ?? fileList();
      collections.set(key, files);
      files.add({ path: text, size: content.size, sha256: content.sha256, asset });
    },
    folders({ domain, collection }) {
      const gathered = collections.get(`${domain} ${collection}`);
      const marked = markedFolders(gathered?.files() ?? []);
      if (gathered === undefined || marked.size === 0) return [];
      const byFolder = new Map<string, ListedFile[]>();
      for (const file of gathered.files()) {
        const folder = outermost(file.path, marked);
        if (folder === undefined) continue;
        const of = byFolder.get(folder) ?? [];
        byFolder.set(folder, of);
        of.push(file);
      }
      return [...byFolder.keys()].toSorted().map((path) => {
        const { kind = '', plugin = 0 } = marked.get(path) ?? {};
        const of = byFolder.get(path) ?? [];
        return {
          path,
          kind,
          plugin,
          bytes: of.reduce((sum, { size }) => sum + size, 0),
          files: of.map((file) => folderFile(file, path, sources[plugin])).toSorted(byPath),
        };
      });
    },
    get isFull() {
      return isFull;
    },
  };
}

function outermost(path: string, marked: ReadonlyMap<string, unknown>): string | undefined {
  if (marked.has('')) return '';
  for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
    const folder = path.slice(0, slash);
    if (marked.has(folder)) return folder;
  }
  return undefined;
}

/** A file as the plugin of its folder sees it: with what that same plugin said of it. */
function folderFile(
  { asset, path, sha256, size }: ListedFile,
  folder: string,
  source: PluginSource | undefined,
): FolderFile {
  const { name = '', version = '' } = source?.manifest ?? {};
  const isOwn = asset?.report?.plugin === `${name} ${version}`;
  const facts = isOwn ? asset.report?.facts : undefined;
  return {
    path: folder === '' ? path : path.slice(folder.length + 1),
    size,
    sha256,
    ...(isOwn ? { kind: asset.kind } : {}),
    ...(facts === undefined ? {} : { facts }),
  };
}

function byPath(a: FolderFile, b: FolderFile): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}
